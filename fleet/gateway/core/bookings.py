"""Each fill once: dedupe of fills and funding, the last booked time, the UTC day's P&L."""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

import msgspec

from agents.market.types import Fill

KEYS_MAX: Final = 50_000
DAY_MS: Final = 86_400_000
SNAPSHOT_FILLS: Final = 2_000
"""What the list that a subscription begins with holds at most: a shorter one is all there is."""

FillKey = tuple[int, str, int, int]
FundingKey = tuple[int, str]
MOVES_MAX: Final = 5_000


class HeldFills(msgspec.Struct):
    """Fills that were told while those before them are still to come.

    They are not booked before: since when is asked rests on the last one booked, and the connection
    or this process may end in between. ``whole_below``: a list shorter than that is all there is.
    """

    whole_below: int = SNAPSHOT_FILLS
    told: list[tuple[tuple[Fill, ...], list[msgspec.Raw]]] = []


class Bookings:
    """What is in the log already. ``floor_ms``: fills before it belong to nobody's fleet."""

    def __init__(self, floor_ms: int) -> None:
        self.floor_ms = floor_ms
        self.last_fill_ms = floor_ms
        self.held = HeldFills()
        self._fills: set[FillKey] = set()
        self._order: deque[FillKey] = deque()
        self._fundings: dict[FundingKey, None] = {}
        self._moves: dict[tuple[int, str], None] = {}
        self.day = 0
        self.day_usd: dict[str, float] = {}

    def fill_is_new(self, fill: Fill) -> bool:
        """True the first time, for a fill of the fleet's life; marks it booked."""
        key = (fill.time_ms, fill.coin, fill.tid, fill.oid)
        if fill.time_ms < self.floor_ms or key in self._fills:
            return False
        self._mark_fill(key)
        self.last_fill_ms = max(self.last_fill_ms, fill.time_ms)
        return True

    def funding_is_new(self, coin: str, time_ms: int) -> bool:
        """One payment a market and hour; stamps lie a little after the hour."""
        key = (time_ms, coin)
        if time_ms < self.floor_ms or key in self._fundings:
            return False
        self._mark_funding(key)
        return True

    def move_is_new(self, time_ms: int, row: str) -> bool:
        """True the first time in this process, for a transfer of the fleet's life."""
        key = (time_ms, row)
        if time_ms < self.floor_ms or key in self._moves:
            return False
        self._moves[key] = None
        if len(self._moves) > MOVES_MAX:
            del self._moves[next(iter(self._moves))]
        return True

    def newest(self, count: int) -> tuple[tuple[FillKey, ...], tuple[FundingKey, ...]]:
        """The last that were booked, oldest first."""
        fills = tuple(islice(self._order, max(len(self._order) - count, 0), None))
        fundings = tuple(islice(self._fundings, max(len(self._fundings) - count, 0), None))
        return fills, fundings

    def know(self, fills: Iterable[FillKey], fundings: Iterable[FundingKey]) -> None:
        """They are booked: as ``newest`` told it to an earlier process."""
        for key in fills:
            self._mark_fill(key)
        for funding in fundings:
            self._mark_funding(funding)

    def _mark_fill(self, key: FillKey) -> None:
        if key in self._fills:
            return
        self._fills.add(key)
        self._order.append(key)
        if len(self._order) > KEYS_MAX:
            self._fills.discard(self._order.popleft())

    def _mark_funding(self, key: FundingKey) -> None:
        self._fundings[key] = None
        if len(self._fundings) > KEYS_MAX:
            del self._fundings[next(iter(self._fundings))]

    def add_day(self, market: str, usd: float, time_ms: int) -> None:
        """Cash gained on a UTC day: closed P&L less fees, funding."""
        day = time_ms // DAY_MS
        if day > self.day:
            self.day, self.day_usd = day, {}
        if day == self.day:
            self.day_usd[market] = self.day_usd.get(market, 0.0) + usd

    def pnl_day_usd(self, market: str, now_ms: int) -> float:
        return self.day_usd.get(market, 0.0) if now_ms // DAY_MS == self.day else 0.0
