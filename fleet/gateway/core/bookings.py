"""Each fill once: dedupe of fills and funding, the last booked time, the UTC day's P&L."""

from collections import deque
from typing import Final

from agents.market.types import Fill

KEYS_MAX: Final = 50_000
DAY_MS: Final = 86_400_000

FillKey = tuple[int, str, int, int]


class Bookings:
    """What is in the log already. ``floor_ms``: fills before it belong to nobody's fleet."""

    def __init__(self, floor_ms: int) -> None:
        self.floor_ms = floor_ms
        self.last_fill_ms = floor_ms
        self._fills: set[FillKey] = set()
        self._order: deque[FillKey] = deque()
        self._fundings: dict[tuple[int, str], None] = {}
        self.day = 0
        self.day_usd: dict[str, float] = {}

    def fill_is_new(self, fill: Fill) -> bool:
        """True the first time, for a fill of the fleet's life; marks it booked."""
        key = (fill.time_ms, fill.coin, fill.tid, fill.oid)
        if fill.time_ms < self.floor_ms or key in self._fills:
            return False
        self._fills.add(key)
        self._order.append(key)
        if len(self._order) > KEYS_MAX:
            self._fills.discard(self._order.popleft())
        self.last_fill_ms = max(self.last_fill_ms, fill.time_ms)
        return True

    def funding_is_new(self, coin: str, time_ms: int) -> bool:
        """One payment a market and hour; stamps lie a little after the hour."""
        key = (time_ms, coin)
        if time_ms < self.floor_ms or key in self._fundings:
            return False
        self._fundings[key] = None
        if len(self._fundings) > KEYS_MAX:
            del self._fundings[next(iter(self._fundings))]
        return True

    def add_day(self, market: str, usd: float, time_ms: int) -> None:
        """Cash gained on a UTC day: closed P&L less fees, funding."""
        day = time_ms // DAY_MS
        if day > self.day:
            self.day, self.day_usd = day, {}
        if day == self.day:
            self.day_usd[market] = self.day_usd.get(market, 0.0) + usd

    def pnl_day_usd(self, market: str, now_ms: int) -> float:
        return self.day_usd.get(market, 0.0) if now_ms // DAY_MS == self.day else 0.0
