"""Requests bought from the venue: when, how many, never beyond the manifest's USD a day.

What was spent today is on the disk before a purchase leaves, so no restart spends it again.
"""

from collections import deque
from typing import Final

import msgspec

from agents.market.units import MS_PER_S
from fleet.gateway.core.allowance import HOUR_MS
from fleet.gateway.core.request_price import PRICE_MAX_USD

CHUNK: Final = 200
DAY_MS: Final = 86_400 * MS_PER_S
EVERY_MS: Final = 60 * MS_PER_S
REFUSED_MS: Final = 600 * MS_PER_S


class Kept(msgspec.Struct, frozen=True):
    """``requests.json``: the manifest's limit, and what was spent on ``day`` (UTC)."""

    buy_max_usd_per_day: float = 0.0
    day: int = 0
    spent_usd: float = 0.0


class Purse:
    """What may be spent on requests. ``kept`` is what the disk must hold before a purchase."""

    def __init__(self, kept: Kept | None = None) -> None:
        self.kept = kept or Kept()
        self._next_ms = 0
        self._pending: int | None = None
        self._reserved = 0
        self._bought: deque[tuple[int, int]] = deque()

    def allow(self, usd_per_day: float) -> None:
        self.kept = msgspec.structs.replace(self.kept, buy_max_usd_per_day=usd_per_day)

    def left_usd(self, now_ms: int) -> float:
        """What may still be spent today."""
        return max(self.kept.buy_max_usd_per_day - self.spent_usd(now_ms), 0.0)

    def spent_usd(self, now_ms: int) -> float:
        return self.kept.spent_usd if self.kept.day == now_ms // DAY_MS else 0.0

    def buyable_per_h(self, now_ms: int) -> float:
        """Requests an hour if the rest is spread over what is left of the day."""
        hours = max((DAY_MS - now_ms % DAY_MS) / (3_600 * MS_PER_S), 1.0)
        return self.left_usd(now_ms) / PRICE_MAX_USD / hours

    def bought_per_h(self, now_ms: int) -> float:
        """Requests bought in the last hour."""
        while self._bought and self._bought[0][0] <= now_ms - HOUR_MS:
            self._bought.popleft()
        return float(sum(weight for _, weight in self._bought))

    def wants(self, *, free: int, price_usd: float, now_ms: int) -> int:
        """How many to buy now: only where the price is the venue's own, spread over what is left
        of the day; at once where nothing is free any more.
        """
        if self._pending is not None or now_ms < self._next_ms or price_usd < PRICE_MAX_USD:
            return 0
        if free > 0 and self.bought_per_h(now_ms) + CHUNK > max(self.buyable_per_h(now_ms), CHUNK):
            return 0
        affordable = int(self.left_usd(now_ms) / PRICE_MAX_USD + 1e-9)
        return min(CHUNK, affordable)

    def buying(self, weight: int, now_ms: int) -> None:
        """A purchase is to leave once this is on the disk: it counts from now on."""
        self.kept = Kept(
            buy_max_usd_per_day=self.kept.buy_max_usd_per_day,
            day=now_ms // DAY_MS,
            spent_usd=self.spent_usd(now_ms) + weight * PRICE_MAX_USD,
        )
        self._pending, self._next_ms = weight, now_ms + EVERY_MS
        self._reserved = weight

    def take(self) -> int:
        """What is to leave now, once."""
        weight, self._reserved = self._reserved, 0
        return weight

    def answered(self, now_ms: int, *, bought: bool) -> None:
        """The venue's word; what it refused was not spent. Unanswered: it may have been."""
        weight, self._pending = self._pending, None
        if weight is None:
            return
        if bought:
            self._bought.append((now_ms, weight))
            return
        spent_usd = max(self.spent_usd(now_ms) - weight * PRICE_MAX_USD, 0.0)
        self.kept = msgspec.structs.replace(self.kept, spent_usd=spent_usd)
        self._next_ms = now_ms + REFUSED_MS

    def unanswered(self) -> None:
        """It may have been bought: it stays counted."""
        self._pending = None
