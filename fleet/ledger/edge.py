"""Does a market earn its keep: a sequential test on what fills are worth a minute later.

A fill's edge is ``sign·sz·(mid 60 s later - px) - fee``. Fills close in time share one move of the
price, so one observation is the sum over a minute. The mean's bounds hold at every moment at once,
so that looking after each fill is allowed:

    mean ± sd · sqrt( 2 (n r² + 1) / (n r)² · ln( sqrt(n r² + 1) / alpha ) )

Source: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), 'Time-uniform central limit theory and
asymptotic confidence sequences', Annals of Statistics 52, theorem 2.2; r is tuned to be tightest at
``TUNED_FOR`` observations. Asymptotic: it says nothing before ``FILLS_MIN`` fills.
"""

import math
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

BPS: Final = 10_000.0
FILLS_MIN: Final = 50
MINUTES_MIN: Final = 20
ALPHA: Final = 0.05
TUNED_FOR: Final = 200
_SPREAD: Final = -2.0 * math.log(ALPHA)
_R2: Final = (_SPREAD + math.log(_SPREAD + 1.0)) / TUNED_FOR

Finding = Literal["few", "unproven", "earns", "loses"]


class Marked(msgspec.Struct, frozen=True):
    """One fill of ours. ``edge_usd``: against the mid a minute later, net of its fee."""

    time_ms: int
    notional_usd: float
    edge_usd: float


class Edge(msgspec.Struct, frozen=True):
    """What the fills of a market came to; bps of their notional. ``None``: not known yet."""

    finding: Finding
    fills: int
    minutes: int
    mean_bps: float | None
    low_bps: float | None
    high_bps: float | None

    @property
    def text(self) -> str:
        """For people."""
        if self.mean_bps is None or self.low_bps is None or self.high_bps is None:
            return f"{self.fills} fills: too few to tell"
        return (
            f"{self.mean_bps:+.2f} bps a minute after a fill, net of fees"
            f" ({self.low_bps:+.2f} to {self.high_bps:+.2f}, {self.fills} fills)"
        )


def radius(sd: float, count: int) -> float:
    """Half the width of the mean's bounds after ``count`` observations."""
    grown = count * _R2 + 1.0
    return sd * math.sqrt(2.0 * grown / (count * count * _R2) * math.log(math.sqrt(grown) / ALPHA))


def judged(fills: Iterable[Marked]) -> Edge:
    """The test over all fills; the order does not matter."""
    minutes: dict[int, float] = {}
    count, notional_usd = 0, 0.0
    for fill in fills:
        minute = fill.time_ms // 60_000
        minutes[minute] = minutes.get(minute, 0.0) + fill.edge_usd
        count, notional_usd = count + 1, notional_usd + fill.notional_usd
    n = len(minutes)
    if count < FILLS_MIN or n < MINUTES_MIN or not notional_usd:
        return Edge("few", count, n, None, None, None)
    mean = sum(minutes.values()) / n
    sd = math.sqrt(sum((value - mean) ** 2 for value in minutes.values()) / (n - 1))
    half, scale = radius(sd, n), BPS * n / notional_usd
    low, high = (mean - half) * scale, (mean + half) * scale
    finding: Finding = "loses" if high < 0 else "earns" if low > 0 else "unproven"
    return Edge(finding, count, n, mean * scale, low, high)
