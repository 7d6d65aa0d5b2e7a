"""When the venue is in no state to take orders: it limits us, upgrades, or answers late.

What cancels, voids or takes risk away is never held back by this; new risk is.
"""

import math
from collections import deque
from typing import Final

from agents.market.units import MS_PER_S

ACKS: Final = 20
SLOW_MS: Final = 2 * MS_PER_S
QUICK_MS: Final = MS_PER_S
PROBE_MS: Final = 2 * MS_PER_S
LIMITED_MS: Final = 2 * MS_PER_S
LIMITED_MAX_MS: Final = 60 * MS_PER_S
POST_ONLY_MS: Final = 60 * MS_PER_S
POST_ONLY: Final = "Only post-only orders allowed"


class Strain:
    """Of one account's connection to the venue."""

    def __init__(self) -> None:
        self._acks: deque[int] = deque(maxlen=ACKS)
        self._congested = False
        self._probe_ms: int | None = None
        self._limited_until_ms = 0
        self._limited_for_ms = LIMITED_MS
        self._post_only_until_ms = 0

    # ── what happens ─────────────────────────────────────────────────────────────────────────

    def answered(self, took_ms: int) -> None:
        """An action was answered. p95 above 2 s is congestion, and an answer within 1 s its end."""
        if self._congested and took_ms < QUICK_MS:
            self._congested = False
            self._acks.clear()
        self._acks.append(took_ms)
        if p95(self._acks) > SLOW_MS:
            self._congested = True

    def silent(self, for_ms: int) -> None:
        """An action was given up unanswered: slow, unless a broken connection took its answer."""
        if for_ms >= SLOW_MS:
            self.answered(for_ms)

    def expired(self) -> None:
        """An action came so late that the venue let it be."""
        self._congested = True

    def limited(self, now_ms: int) -> None:
        """429. Each one within a minute of the last doubles the wait."""
        if now_ms < self._limited_until_ms:
            return
        again = now_ms - self._limited_until_ms < LIMITED_MAX_MS
        self._limited_for_ms = (
            min(2 * self._limited_for_ms, LIMITED_MAX_MS) if again else LIMITED_MS
        )
        self._limited_until_ms = now_ms + self._limited_for_ms

    def post_only(self, now_ms: int) -> None:
        """An order that may take was refused: the venue has just been upgraded."""
        self._post_only_until_ms = now_ms + POST_ONLY_MS

    # ── what it means ────────────────────────────────────────────────────────────────────────

    def states(self, now_ms: int) -> tuple[str, ...]:
        """For people: ``rate_limited``, ``congested``, ``post_only``."""
        found = {
            "rate_limited": now_ms < self._limited_until_ms,
            "congested": self._congested,
            "post_only": now_ms < self._post_only_until_ms,
        }
        return tuple(name for name, holds in found.items() if holds)

    def holds_back(self, now_ms: int) -> str | None:
        """Why new risk waits; while it is congested one placement each 2 s finds out."""
        if now_ms < self._limited_until_ms:
            return "the venue limits our requests"
        if not self._congested:
            return None
        if self._probe_ms is None or now_ms - self._probe_ms >= PROBE_MS:
            self._probe_ms = now_ms
            return None
        return "the venue answers late"


def p95(values: deque[int]) -> int:
    """The nearest-rank 95th percentile; 0 of nothing."""
    if not values:
        return 0
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
