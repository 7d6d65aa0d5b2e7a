"""The account's requests: what the venue lets pass, and what a fleet lets itself send."""

from typing import Final, Protocol

import msgspec

from fleet.gateway.core.allowance import (
    CANCEL_SURPLUS,
    HOUR_MS,
    TRICKLE_MS,
    Allowance,
    Told,
    reserve,
)
from fleet.gateway.core.purse import Purse
from fleet.gateway.core.request_price import FREE, Governor, Seen, Terms

FREE_REQUESTS: Final = 10_000
BUYS_BELOW: Final = 500
TOLD_EVERY_S: Final = 30
STEP_EVERY_S: Final = 10
SPENT_WINDOW_MS: Final = 60_000


class Venue(msgspec.Struct):
    """The venue's own count (protocol 8.2)."""

    used: int = 0
    volume_usd: float = 0.0
    bought: int = 0
    refused: int = 0
    cancels_refused: int = 0
    empty_s: int | None = None
    trickle_s: float = -1e9

    @property
    def cap(self) -> int:
        return FREE_REQUESTS + int(self.volume_usd)

    @property
    def spent(self) -> int:
        return max(0, self.used - self.bought)

    @property
    def left(self) -> int:
        return self.cap - self.used + self.bought

    def place(self, orders: int, now_s: int) -> bool:
        if self._passes(self.cap, orders, now_s):
            return True
        self.refused += 1
        return False

    def cancel(self, orders: int, now_s: int) -> bool:
        if self._passes(min(self.cap + CANCEL_SURPLUS, 2 * self.cap), orders, now_s):
            return True
        self.cancels_refused += 1
        return False

    def _passes(self, limit: int, orders: int, now_s: int) -> bool:
        if self.spent >= self.cap and self.empty_s is None:
            self.empty_s = now_s
        if self.spent >= limit:
            if now_s - self.trickle_s < TRICKLE_MS / 1_000:
                return False
            self.trickle_s = now_s
        self.used += orders
        return True


class Policy(Protocol):
    """What a fleet lets itself send; ``terms`` None: every order at its place at any price."""

    terms: Terms | None

    def second(self, venue: Venue, open_orders: int, markets: int, now_s: int) -> None: ...
    def admits(self, orders: int, open_orders: int, now_s: int, *, adding: bool) -> bool: ...
    def sent(self, actions: int, now_s: int) -> None: ...


class Careless:
    """Sends what its rule wants: the naive requoter, or the settings' tolerance alone.

    ``buys``: and pays the venue for whatever it lacks.
    """

    def __init__(self, terms: Terms | None, *, buys: bool = False) -> None:
        self.terms = terms
        self._buys = buys

    def second(self, venue: Venue, open_orders: int, markets: int, now_s: int) -> None:
        """It looks at nothing but its purse."""
        del open_orders, now_s
        if self._buys and venue.left < BUYS_BELOW * markets:
            venue.bought += BUYS_BELOW * markets

    def admits(self, orders: int, open_orders: int, now_s: int, *, adding: bool) -> bool:
        del orders, open_orders, now_s, adding
        return True

    def sent(self, actions: int, now_s: int) -> None:
        """It counts nothing."""


class Governed:
    """The gateway's own: allowance, governor, purse; told by the venue twice a minute."""

    def __init__(self, buy_max_usd: float = 0.0) -> None:
        self.terms: Terms | None = FREE
        self.allowance = Allowance()
        self.governor = Governor()
        self.purse = Purse()
        self.purse.allow(buy_max_usd)

    def second(self, venue: Venue, open_orders: int, markets: int, now_s: int) -> None:
        allowance, now_ms = self.allowance, now_s * 1_000
        if now_s % TOLD_EVERY_S == 0:
            self._told(venue, now_ms)
        if now_s % STEP_EVERY_S:
            return
        left = allowance.left
        assert left is not None
        spent_per_h, _ = allowance.per_h(SPENT_WINDOW_MS, now_ms)
        _, earned_per_h = allowance.per_h(HOUR_MS, now_ms)
        free = left - reserve(open_orders)
        seen = Seen(
            free=free, spent_per_h=spent_per_h, earned_per_h=earned_per_h,
            bought_per_h=self.purse.bought_per_h(now_ms), markets=markets,
        )  # fmt: skip
        self.terms = self.governor.step(seen, now_ms)
        weight = self.purse.wants(
            free=free, price_usd=self.terms.request_usd, now_ms=now_ms
        )  # fmt: skip
        if weight:
            self.purse.buying(weight, now_ms)
            venue.bought += weight
            self.purse.answered(now_ms, bought=True)
            self._told(venue, now_ms)

    def _told(self, venue: Venue, now_ms: int) -> None:
        used, surplus = venue.spent, max(0, venue.bought - venue.used)
        told = Told(used=used, cap=venue.cap, surplus=surplus, volume_usd=venue.volume_usd)
        self.allowance.told(told, spent_then=self.allowance.spent_total, now_ms=now_ms)

    def admits(self, orders: int, open_orders: int, now_s: int, *, adding: bool) -> bool:
        return self.allowance.admits(orders, open_orders, now_s * 1_000, adding=adding)

    def sent(self, actions: int, now_s: int) -> None:
        self.allowance.spend(actions, now_s * 1_000)
