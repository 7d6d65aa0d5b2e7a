"""Candles of every coin, made from prints: one-minute bars are kept, wider ones are their sums."""

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from agents.sim.outputs import UnknownRequest
from fleet.venue.subscriptions import INTERVALS, Json

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
BARS_KEPT: Final = 5_000
MONTH: Final = "1M"
MONDAY_MS: Final = 4 * DAY_MS
WIDTHS_MS: Final[Mapping[str, int]] = {
    **{f"{n}m": n * MINUTE_MS for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * HOUR_MS for n in (1, 2, 4, 8, 12)},
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": 7 * DAY_MS,
}


class Bar:
    """One bar: open, high, low, close, size and count of its trades. Starts with one price."""

    __slots__ = ("close", "count", "high", "low", "open", "start_ms", "sz")

    def __init__(self, start_ms: int, px: Decimal) -> None:
        self.start_ms = start_ms
        self.open = self.high = self.low = self.close = px
        self.sz = Decimal(0)
        self.count = 0

    def add(self, other: "Bar") -> None:
        """Take in what came after."""
        self.high, self.low = max(self.high, other.high), min(self.low, other.low)
        self.close = other.close
        self.sz += other.sz
        self.count += other.count


class Candles:
    """Bars by coin; the latest 5000 minutes."""

    def __init__(self) -> None:
        self._bars: dict[str, deque[Bar]] = {}

    def add(self, coin: str, px: Decimal, sz: Decimal, time_ms: int) -> None:
        """One print."""
        bars = self._bars.setdefault(coin, deque(maxlen=BARS_KEPT))
        trade = Bar(time_ms - time_ms % MINUTE_MS, px)
        trade.sz, trade.count = sz, 1
        if bars and bars[-1].start_ms >= trade.start_ms:
            bars[-1].add(trade)
        else:
            bars.append(trade)

    def row(self, coin: str, interval: str, now_ms: int) -> Json | None:
        """The bar under way; None if nothing was traded in it."""
        found = list(self._wide(coin, interval, start_of(interval, now_ms), now_ms))
        return _row(coin, interval, found[-1]) if found else None

    def answer(self, request: Json, now_ms: int) -> object:
        """The answer of ``candleSnapshot``. Raises UnknownRequest."""
        asked = request.get("req")
        if not isinstance(asked, dict):
            raise UnknownRequest
        coin, interval = asked.get("coin"), asked.get("interval")
        start_ms, end_ms = asked.get("startTime"), asked.get("endTime")
        if end_ms is None:
            end_ms = now_ms
        if not isinstance(coin, str) or not isinstance(interval, str) or interval not in INTERVALS:
            raise UnknownRequest
        if type(start_ms) is not int or type(end_ms) is not int:
            raise UnknownRequest
        return [_row(coin, interval, bar) for bar in self._wide(coin, interval, start_ms, end_ms)]

    def _wide(self, coin: str, interval: str, from_ms: int, until_ms: int) -> Iterator[Bar]:
        """Bars that start within these times, each grown to its interval."""
        wide: Bar | None = None
        for bar in self._bars.get(coin, ()):
            start_ms = start_of(interval, bar.start_ms)
            if not from_ms <= start_ms <= until_ms:
                continue
            if wide is None or wide.start_ms != start_ms:
                if wide is not None:
                    yield wide
                wide = Bar(start_ms, bar.open)
            wide.add(bar)
        if wide is not None:
            yield wide


def start_of(interval: str, at_ms: int) -> int:
    """When the bar of this moment starts; weeks on Monday, months on their first day (UTC)."""
    if interval == MONTH:
        first = datetime.fromtimestamp(at_ms // 1000, UTC).replace(day=1)
        at_ms = int(first.timestamp()) * 1000
        return at_ms - at_ms % DAY_MS
    offset_ms = MONDAY_MS if interval == "1w" else 0
    return at_ms - (at_ms - offset_ms) % WIDTHS_MS[interval]


def _end_of(interval: str, start_ms: int) -> int:
    if interval == MONTH:
        some_day_next = datetime.fromtimestamp(start_ms // 1000, UTC) + timedelta(days=31)
        return start_of(MONTH, int(some_day_next.timestamp()) * 1000)
    return start_ms + WIDTHS_MS[interval]


def _row(coin: str, interval: str, bar: Bar) -> Json:
    return {
        "t": bar.start_ms,
        "T": _end_of(interval, bar.start_ms) - 1,
        "s": coin,
        "i": interval,
        "o": str(bar.open),
        "c": str(bar.close),
        "h": str(bar.high),
        "l": str(bar.low),
        "v": str(bar.sz),
        "n": bar.count,
    }
