"""What ``status --watch`` remembers of the last minutes, and draws in one line: sparklines."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

KEPT: Final = 600
_BARS: Final = "▁▂▃▄▅▆▇█"
_LEVEL: Final = "─"
_UNKNOWN: Final = " "


def sparkline(values: Sequence[float | None], width: int) -> str:
    """The values, oldest first, as ``width`` bars from their least to their greatest.

    Each bar is the mean of its share of the values; what is not known is a gap.
    """
    if width <= 0:
        return ""
    bars = [_mean(values[a:b]) for a, b in _shares(len(values), width)]
    known = [value for value in bars if value is not None]
    if not known:
        return _UNKNOWN * width
    low, high = min(known), max(known)
    drawn = "".join(_bar(value, low, high) for value in bars)
    return drawn.rjust(width)


def _shares(count: int, width: int) -> Iterable[tuple[int, int]]:
    """Where each bar's values begin and end; fewer values than bars are a bar each."""
    bars = min(count, width)
    return [(n * count // bars, (n + 1) * count // bars) for n in range(bars)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _bar(value: float | None, low: float, high: float) -> str:
    if value is None:
        return _UNKNOWN
    if high - low <= 1e-12 * max(abs(high), abs(low), 1e-12):
        return _LEVEL
    return _BARS[min(len(_BARS) - 1, int((value - low) / (high - low) * len(_BARS)))]


class Trails:
    """P&L of each market and the account's equity, a value a look."""

    def __init__(self) -> None:
        self._pnl: dict[str, deque[float | None]] = {}
        self._equity: deque[float | None] = deque(maxlen=KEPT)

    def take(self, document: dict[str, Any]) -> None:
        """One look's figures; a stale one is a gap."""
        account = document["account"]
        self._equity.append(None if account["stale"] else account["equity_usd"])
        for row in document["markets"]:
            trail = self._pnl.setdefault(row["market"], deque(maxlen=KEPT))
            trail.append(None if row["stale"] else row["pnl"]["total_usd"])

    def pnl(self, market: str, width: int) -> str:
        return sparkline(list(self._pnl.get(market, ())), width)

    def equity(self, width: int) -> str:
        return sparkline(list(self._equity), width)
