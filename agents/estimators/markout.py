"""What became of the mid after a trade, signed: what it cost, or paid, to have been its maker.

    markout_bps(h) = sign * (mid(t + h) - px) / px      sign +1 a bid filled, -1 an ask

Negative is adverse. For own fills ``px`` is the fill's: the whole edge before the fee. For public
bursts it is the mid before the burst, as if a maker had stood at no distance: the price move that
the trade foretold, and the most a maker there could lose. The sign is kept: the mean size of moves
is volatility, not selection.
"""

import math
from collections import deque
from typing import Final

import msgspec

from agents.estimators.carried import MarkoutsHeld
from agents.market.types import Side
from agents.market.units import BPS, MS_PER_S

HORIZONS_S: Final = (1, 10, 60)
FIRST_MS: Final = HORIZONS_S[0] * MS_PER_S
LATE_MS: Final = 5_000
PENDING_MAX: Final = 256
NEVER_MS: Final = 1 << 62
EDGES_BPS: Final = (2.0, 5.0, 10.0)
HALF_LIFE_S: Final = 1_800.0
PRIOR_WEIGHT: Final = 20.0


class Markout(msgspec.Struct, frozen=True, gc=False):
    """A mean shrunk to 0 by ``PRIOR_WEIGHT`` fills' worth, its standard error, and its weight."""

    mean_bps: float
    se_bps: float
    weight: float


class _Mean:
    """A decayed mean with its spread."""

    __slots__ = ("at_ms", "w", "w2", "y", "yy")

    def __init__(self) -> None:
        self.at_ms = 0
        self.w = self.w2 = self.y = self.yy = 0.0

    def update(self, value: float, at_ms: int) -> None:
        if self.at_ms and at_ms > self.at_ms:
            decay = 0.5 ** ((at_ms - self.at_ms) / (MS_PER_S * HALF_LIFE_S))
            self.w *= decay
            self.w2 *= decay * decay
            self.y *= decay
            self.yy *= decay
        self.at_ms = max(at_ms, self.at_ms)
        self.w += 1.0
        self.w2 += 1.0
        self.y += value
        self.yy += value * value

    def add(self, other: "_Mean") -> None:
        self.w += other.w
        self.w2 += other.w2
        self.y += other.y
        self.yy += other.yy

    def load(self, sums: tuple[int, float, float, float, float]) -> None:
        self.at_ms, self.w, self.w2, self.y, self.yy = sums

    @property
    def sums(self) -> tuple[int, float, float, float, float]:
        return self.at_ms, self.w, self.w2, self.y, self.yy

    @property
    def markout(self) -> Markout | None:
        if self.w <= 0 or self.w2 <= 0:
            return None
        weight = self.w + PRIOR_WEIGHT
        mean = self.y / self.w
        count = self.w * self.w / self.w2
        variance = max(self.yy / self.w - mean * mean, 0.0) * count / max(count - 1.0, 1.0)
        return Markout(
            mean_bps=self.y / weight,
            se_bps=math.sqrt(variance / count) * self.w / weight,
            weight=self.w,
        )


class MarkoutEstimator:
    """Signed markouts by side and depth at 1, 10 and 60 s; each horizon waits in its own queue.

    An outcome counts only if a touch came within five seconds of its time: what an outage hid is
    not known. The queues are bounded: in a rush the oldest questions are dropped.
    """

    __slots__ = ("_means", "_pending", "_sides", "due_ms")

    def __init__(self) -> None:
        self._pending: tuple[deque[tuple[int, int, float, int]], ...] = tuple(
            deque(maxlen=PENDING_MAX) for _ in HORIZONS_S
        )
        self._means = [[_Mean() for _ in range(2 * (len(EDGES_BPS) + 1))] for _ in HORIZONS_S]
        self._sides = [(_Mean(), _Mean()) for _ in HORIZONS_S]
        self.due_ms = NEVER_MS

    def traded(self, side: Side, px: float, at_ms: int, depth_bps: float = 0.0) -> None:
        """A maker on ``side`` traded at ``px``, ``depth_bps`` from the mid before."""
        cell = _cell(side, depth_bps)
        for horizon_s, pending in zip(HORIZONS_S, self._pending, strict=True):
            pending.append((at_ms + horizon_s * MS_PER_S, side.sign, px, cell))
        self.due_ms = min(self.due_ms, at_ms + FIRST_MS)

    def touched(self, mid_px: float, at_ms: int, before_px: float | None) -> None:
        """A touch, from ``due_ms`` on: what is due is marked to the mid that stood at its time,
        which is the one before unless the touch is of that very block.
        """
        self.due_ms = NEVER_MS
        for index, pending in enumerate(self._pending):
            while pending and pending[0][0] <= at_ms:
                due_ms, sign, px, cell = pending.popleft()
                if at_ms - due_ms <= LATE_MS:
                    then_px = mid_px if due_ms == at_ms or before_px is None else before_px
                    value = sign * (then_px - px) / px * BPS
                    self._means[index][cell].update(value, due_ms)
                    self._sides[index][0 if sign > 0 else 1].update(value, due_ms)
            if pending and pending[0][0] < self.due_ms:
                self.due_ms = pending[0][0]

    def restart(self) -> None:
        """After a gap: what was asked before is not answered by what comes after."""
        for pending in self._pending:
            pending.clear()
        self.due_ms = NEVER_MS

    def markout(
        self, horizon_s: int, side: Side | None = None, depth_bps: float | None = None
    ) -> Markout | None:
        """Of one horizon, by side and by the bin of a depth, or of all. None without any."""
        index = HORIZONS_S.index(horizon_s)
        found = []
        for each in Side if side is None else (side,):
            if depth_bps is None:
                found.append(self._sides[index][0 if each is Side.BID else 1])
            else:
                found.append(self._means[index][_cell(each, depth_bps)])
        if len(found) == 1:
            return found[0].markout
        total = _Mean()
        for mean in found:
            total.add(mean)
        return total.markout

    def carried(self) -> MarkoutsHeld:
        """What a checkpoint may hold: sums; no price and no open question."""
        return {
            "means": [[mean.sums for mean in row] for row in self._means],
            "sides": [(bid.sums, ask.sums) for bid, ask in self._sides],
        }

    def carry(self, held: MarkoutsHeld) -> None:
        """Take sums; their own times say how old they are."""
        for row, cells in zip(self._means, held["means"], strict=True):
            for mean, sums in zip(row, cells, strict=True):
                mean.load(sums)
        for pair, both in zip(self._sides, held["sides"], strict=True):
            for mean, sums in zip(pair, both, strict=True):
                mean.load(sums)


def _cell(side: Side, depth_bps: float) -> int:
    index = 0
    while index < len(EDGES_BPS) and depth_bps >= EDGES_BPS[index]:
        index += 1
    return index + (len(EDGES_BPS) + 1 if side is Side.ASK else 0)
