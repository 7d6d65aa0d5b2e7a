"""How fast a market sends, and how fast it trades: what runs away is stopped at the door.

Messages: a bucket of ``ORDERS_BURST`` orders that fills with ``ORDERS_PER_S``. Executions: what a
market has traded within a minute may be ``TURNS_MAX`` times its position limit; beyond it nothing
is added until the minute has passed. Both bound the damage of a loop gone wrong, not trading.
"""

from collections import deque
from typing import Final

ORDERS_PER_S: Final = 20.0
ORDERS_BURST: Final = 200.0
TURNS_MAX: Final = 20.0
MINUTE_MS: Final = 60_000
_BUCKET_MS: Final = 1_000


class Pace:
    """One market's."""

    def __init__(self) -> None:
        self._left = ORDERS_BURST
        self._left_ms = 0
        self._traded: deque[tuple[int, float]] = deque()
        self._traded_usd = 0.0

    def sends(self, orders: int, now_ms: int) -> bool:
        """Whether so many orders may leave now; they are counted if they may."""
        refilled = self._left + ORDERS_PER_S * max(now_ms - self._left_ms, 0) / 1_000
        self._left, self._left_ms = min(refilled, ORDERS_BURST), now_ms
        if self._left < orders:
            return False
        self._left -= orders
        return True

    def traded(self, usd: float, at_ms: int) -> None:
        """A fill of ours, in the order of time or nearly so."""
        if self._traded and at_ms - self._traded[-1][0] < _BUCKET_MS:  # bounds the memory
            held_ms, held_usd = self._traded.pop()
            self._traded.append((held_ms, held_usd + usd))
        else:
            self._traded.append((at_ms, usd))
        self._traded_usd += usd

    def minute_usd(self, now_ms: int) -> float:
        """What was traded within the last minute."""
        while self._traded and self._traded[0][0] <= now_ms - MINUTE_MS:
            self._traded_usd -= self._traded.popleft()[1]
        return self._traded_usd if self._traded else 0.0

    def runs_away(self, position_max_usd: float, now_ms: int) -> str | None:
        """Why nothing is added now, for people; None: all is well."""
        usd = self.minute_usd(now_ms)
        if usd <= TURNS_MAX * position_max_usd:
            return None
        return f"{usd:.0f} USD traded within a minute, {TURNS_MAX:g} times the position limit"
