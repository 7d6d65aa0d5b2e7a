"""The account's allowance of actions: what the venue says is left, what was sent since, the burn.

The venue allows 10 000 actions and one more a USD traded; a batch of n is n, questions are none.
Cancels pass longer than placements: up to min(allowance + 100 000, 2 * allowance). Where it is used
up one request passes each ten seconds. Source: protocol 8.2. Truth is ``userRateLimit``, asked from
time to time; between two answers everything sent is subtracted and nothing earned is added.
"""

from collections import deque
from typing import Final, Literal

import msgspec

from agents.market.units import MS_PER_S

BUCKET_MS: Final = 10 * MS_PER_S
HOUR_MS: Final = 3_600 * MS_PER_S
BURN_FROM_MS: Final = 60 * MS_PER_S
CANCEL_SURPLUS: Final = 100_000
CANCELS_AN_ORDER: Final = 2
RESERVE_MIN: Final = 20
FOR_LESS: Final = 20
"""What new risk leaves besides, so that orders that take risk away are still placed."""
TRICKLE_MS: Final = 10 * MS_PER_S
SPENT: Final = "the account's allowance of actions is down to what cancels need"

Mood = Literal["unknown", "ample", "reserve", "exhausted"]


class Told(msgspec.Struct, frozen=True):
    """``userRateLimit``: requests used of those allowed, those bought and not yet used, volume."""

    used: int
    cap: int
    surplus: int
    volume_usd: float


class _Bucket(msgspec.Struct):
    from_ms: int
    spent: int = 0
    earned: int = 0


class Allowance:
    """One account's. ``told`` with what was spent when the question was asked."""

    def __init__(self) -> None:
        self.spent_total = 0
        self.cap: int | None = None
        self.volume_usd: float | None = None
        self._left_then = 0
        self._spent_then = 0
        self._buckets: deque[_Bucket] = deque()
        self._since_ms: int | None = None
        self._trickled_ms: int | None = None

    @property
    def known(self) -> bool:
        return self.cap is not None

    @property
    def left(self) -> int | None:
        """Actions left, at least; below zero where more was sent than is allowed."""
        if self.cap is None:
            return None
        return self._left_then - (self.spent_total - self._spent_then)

    @property
    def cancels_left(self) -> int | None:
        """Cancels that the venue still takes."""
        left, cap = self.left, self.cap
        if left is None or cap is None:
            return None
        return left + min(CANCEL_SURPLUS, cap)

    # ── what happens ─────────────────────────────────────────────────────────────────────────

    def spend(self, actions: int, now_ms: int) -> None:
        """So many actions leave."""
        self.spent_total += actions
        self._bucket(now_ms).spent += actions

    def told(self, told: Told, *, spent_then: int, now_ms: int) -> None:
        """The venue's own count; ``spent_then``: ``spent_total`` as the question left."""
        if self.cap is not None:
            self._bucket(now_ms).earned += max(told.cap - self.cap, 0)
        elif self._since_ms is None:
            self._since_ms = now_ms
        self.cap, self.volume_usd = told.cap, told.volume_usd
        self._left_then = told.cap - told.used + told.surplus
        self._spent_then = spent_then

    def refused(self) -> None:
        """The venue says that it is used up, whatever we counted."""
        if self.cap is not None and (self.left or 0) > 0:
            self._left_then, self._spent_then = 0, self.spent_total

    # ── what it means ────────────────────────────────────────────────────────────────────────

    def per_h(self, window_ms: int, now_ms: int) -> tuple[float, float]:
        """(spent, earned) an hour, over the last ``window_ms`` or as long as it is known."""
        if self._since_ms is None:
            return 0.0, 0.0
        covered_ms = min(max(now_ms - self._since_ms, BURN_FROM_MS), window_ms)
        from_ms = now_ms - covered_ms
        rows = [row for row in self._buckets if row.from_ms + BUCKET_MS > from_ms]
        spent, earned = sum(row.spent for row in rows), sum(row.earned for row in rows)
        return spent * HOUR_MS / covered_ms, earned * HOUR_MS / covered_ms

    def burn_per_h(self, now_ms: int) -> float | None:
        """Spent less earned, over the last hour; negative: it grows. None: not known yet."""
        if self._since_ms is None or now_ms - self._since_ms < BURN_FROM_MS:
            return None
        spent, earned = self.per_h(HOUR_MS, now_ms)
        return spent - earned

    def hours_to_empty(self, now_ms: int) -> float | None:
        """None: not known, or never as it goes now."""
        burn, left = self.burn_per_h(now_ms), self.left
        if burn is None or left is None or burn <= 0:
            return None
        return max(left, 0) / burn

    def mood(self, open_orders: int) -> Mood:
        left = self.left
        if left is None:
            return "unknown"
        if left <= 0:
            return "exhausted"
        return "reserve" if left <= reserve(open_orders) else "ample"

    # ── admission ────────────────────────────────────────────────────────────────────────────

    def admits(self, orders: int, open_orders: int, now_ms: int, *, adding: bool) -> bool:
        """Whether so many placements leave what cancels need; ``adding``: new risk.

        Once they would not, one goes each ten seconds, as the venue has it, while the venue still
        takes enough cancels: an account that has nothing left earns its way back by trading.
        """
        left, cancels_left = self.left, self.cancels_left
        if left is None or cancels_left is None:
            return True
        kept = reserve(open_orders + orders) + (FOR_LESS if adding else 0)
        if left - orders >= kept:
            return True
        if self._trickled_ms is not None and now_ms - self._trickled_ms < TRICKLE_MS:
            return False
        if cancels_left - orders < kept:
            return False
        self._trickled_ms = now_ms
        return True

    def _bucket(self, now_ms: int) -> _Bucket:
        from_ms = now_ms - now_ms % BUCKET_MS
        if not self._buckets or self._buckets[-1].from_ms < from_ms:
            self._buckets.append(_Bucket(from_ms))
        while self._buckets[0].from_ms < now_ms - HOUR_MS - BUCKET_MS:
            self._buckets.popleft()
        return self._buckets[-1]


def reserve(open_orders: int) -> int:
    """Actions that only cancels may use: twice what rests, and a few."""
    return CANCELS_AN_ORDER * open_orders + RESERVE_MIN
