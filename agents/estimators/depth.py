"""How much rests near the touch, in USD a side."""

import math
from collections.abc import Sequence
from typing import Final

from agents.market.types import Level
from agents.market.units import BPS, MS_PER_S

NEAR_BPS: Final = 10.0
HALF_LIFE_S: Final = 30.0
USUAL_HALF_LIFE_S: Final = 3_600.0
UPDATE_MS: Final = 2_000


def near_usd(levels: Sequence[Level], mid_px: float, *, near_bps: float = NEAR_BPS) -> float:
    """USD resting within ``near_bps`` of the mid on one side, best first."""
    reach_px = mid_px * near_bps / BPS
    low_px, high_px = mid_px - reach_px, mid_px + reach_px
    usd = 0.0
    for level in levels:
        px = level.px
        if not low_px <= px <= high_px:
            break
        usd += px * level.sz
    return usd


class DepthEstimator:
    """Near-touch USD a side, its logarithm smoothed over half a minute: books flicker."""

    __slots__ = ("_at_ms", "_logs", "_usual", "_usual_weight")

    def __init__(self) -> None:
        self._at_ms: int | None = None
        self._logs = (0.0, 0.0)
        self._usual = self._usual_weight = 0.0

    def update(self, bids_usd: float, asks_usd: float, at_ms: int) -> None:
        """One book's sums, one in two seconds. A side without a cent counts as one dollar."""
        if self._at_ms is not None and 0 <= at_ms - self._at_ms < UPDATE_MS:
            return
        now = (math.log(max(bids_usd, 1.0)), math.log(max(asks_usd, 1.0)))
        if self._at_ms is None:
            self._logs = now
            passed_s = 0.0
        else:
            passed_s = max(at_ms - self._at_ms, 0) / MS_PER_S
            keep = 0.5 ** (passed_s / HALF_LIFE_S)
            bids, asks = self._logs
            self._logs = (
                keep * bids + (1 - keep) * now[0],
                keep * asks + (1 - keep) * now[1],
            )
        self._at_ms = at_ms
        self._usual_weight = self._usual_weight * 0.5 ** (passed_s / USUAL_HALF_LIFE_S) + 1.0
        self._usual += (min(now) - self._usual) / self._usual_weight

    @property
    def depth_ratio(self) -> float:
        """The thinner side over its own mean of the last hours, in logarithms; 1 before any book.

        Books after a gap count as many as they are: what nobody saw is no evidence.
        """
        return 1.0 if self._at_ms is None else math.exp(min(self._logs) - self._usual)

    @property
    def depth_usd(self) -> tuple[float, float] | None:
        """Bids and asks; None before the first book."""
        if self._at_ms is None:
            return None
        return math.exp(self._logs[0]), math.exp(self._logs[1])
