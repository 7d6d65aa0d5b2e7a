"""The price to quote around: the mid, plus what sizes at the touch and flow say of the next second.

Two signals, each antisymmetric, so a mirrored market gives a mirrored price:

    lean_bps = half market spread * (bid_sz - ask_sz) / (bid_sz + ask_sz)    1 * lean: weighted mid
    flow     = signed / (total + usual),  sums of sqrt(USD) of bursts, decaying over seconds

and a regression of the mid's move over the next second on them, without a constant:

    beta = (sum(w x x') + ridge)^-1 sum(w x y)              w halves every ``HALF_LIFE_S``

The ridge is the normal prior around 0 with deviations ``LEAN_SD`` and ``FLOW_SD_BPS``, in units of
the moves' own variance: without signal the coefficients are 0 and fair is the mid. A prediction is
made before its outcome is learned from. Fair stays within min(half market spread, 5 bps) of the
mid, whatever comes.
Source: weighted mid: Stoikov (2018), 'The micro-price'; recursive least squares with forgetting as
decayed normal equations: Ljung (1999), System Identification, section 11.2; order flow: Cont,
Kukanov & Stoikov (2014), 'The price impact of order book events'.
"""

import math
from collections import deque
from typing import Any, Final

from agents.market.types import Level
from agents.market.units import BPS, MS_PER_S

BOUND_BPS: Final = 5.0
HORIZON_MS: Final = 1_000
LATE_MS: Final = 2_000
SAMPLE_MS: Final = 500
HALF_LIFE_S: Final = 1_200.0
LEAN_SD: Final = 0.5
FLOW_SD_BPS: Final = 0.25
FLOW_HALF_LIFE_S: Final = 2.0
USUAL_BURSTS: Final = 50.0
OVERLAP: Final = HORIZON_MS / SAMPLE_MS
PENDING_MAX: Final = 64
_LN2: Final = math.log(2.0)


def lean_bps(bid: Level, ask: Level) -> float:
    """How far the size-weighted mid is from the mid, signed; 0 where nothing is shown."""
    total_sz = bid.sz + ask.sz
    half_px = (ask.px - bid.px) / 2
    if half_px <= 0 or total_sz <= 0:
        return 0.0
    mid_px = (bid.px + ask.px) / 2
    return half_px / mid_px * BPS * ((bid.sz - ask.sz) / total_sz)


def bounded_px(bid: Level, ask: Level, away_bps: float) -> float:
    """The mid moved by ``away_bps``, at most min(half market spread, 5 bps), NaN not at all."""
    mid_px = (bid.px + ask.px) / 2
    bound_px = min((ask.px - bid.px) / 2, mid_px / BPS * BOUND_BPS)
    away_px = mid_px / BPS * away_bps
    if not -bound_px <= away_px <= bound_px:
        if away_px > 0:
            away_px = bound_px
        elif away_px < 0:
            away_px = -bound_px
        else:
            return mid_px
    return mid_px + away_px


class FlowSignal:
    """Trade-flow imbalance of the last seconds, -1 to 1, in square roots of USD."""

    __slots__ = ("_at_ms", "_bursts", "_rate", "_root_usd", "_signed", "_total")

    def __init__(self, half_life_s: float) -> None:
        self._rate = -_LN2 / (MS_PER_S * half_life_s)
        self._at_ms = 0
        self._signed = self._total = 0.0
        self._root_usd = self._bursts = 0.0

    def update(self, sign: int, usd: float, at_ms: int) -> None:
        """One burst; ``sign`` +1 bought."""
        root = math.sqrt(usd)
        age_ms = at_ms - self._at_ms
        decay = math.exp(self._rate * age_ms) if age_ms > 0 else 1.0
        self._at_ms = max(self._at_ms, at_ms)
        self._signed = self._signed * decay + sign * root
        self._total = self._total * decay + root
        keep = 1.0 - 1.0 / USUAL_BURSTS
        self._root_usd = self._root_usd * keep + root
        self._bursts = self._bursts * keep + 1.0

    def at(self, at_ms: int) -> float:
        """The imbalance of that moment; 0 when nothing traded lately."""
        if self._bursts <= 0 or self._total <= 0:
            return 0.0
        age_ms = at_ms - self._at_ms
        decay = math.exp(self._rate * age_ms) if age_ms > 0 else 1.0
        return self._signed * decay / (self._total * decay + self._root_usd / self._bursts)


class FairEstimator:
    """The regression. ``touched`` once for each touch, then ``away_bps`` for what it predicts."""

    __slots__ = (
        "_b1",
        "_b2",
        "_mid_px",
        "_ms",
        "_n",
        "_pending",
        "_s11",
        "_s12",
        "_s22",
        "_yy",
        "beta_flow_bps",
        "beta_lean",
        "due_ms",
        "flow",
    )  # fmt: skip

    def __init__(self) -> None:
        self.flow = FlowSignal(FLOW_HALF_LIFE_S)
        self._pending: deque[tuple[int, float, float, float]] = deque(maxlen=PENDING_MAX)
        self._s11 = self._s12 = self._s22 = self._b1 = self._b2 = 0.0
        self._yy = self._n = 0.0
        self._ms = 0
        self._mid_px: float | None = None
        self.due_ms = 0
        self.beta_lean = 0.0
        self.beta_flow_bps = 0.0

    def away_bps(self, lean: float, at_ms: int) -> float:
        """The expected move of the mid; not yet bounded."""
        return self.beta_lean * lean + self.beta_flow_bps * self.flow.at(at_ms)

    def touched(
        self, mid_px: float, lean: float, at_ms: int, before_px: float | None = None
    ) -> None:
        """A touch: outcomes that are due are learned, then a new question is asked.

        Who knows the mid that stood before may leave out touches ahead of ``due_ms``.
        """
        pending = self._pending
        before_px = self._mid_px if before_px is None else before_px
        while pending and pending[0][0] <= at_ms:
            due_ms, x1, x2, from_px = pending.popleft()
            if at_ms - due_ms <= LATE_MS:
                # The mid that stood when the second was over, not the one after.
                then_px = mid_px if due_ms == at_ms or before_px is None else before_px
                self._learn(x1, x2, (then_px / from_px - 1.0) * BPS, due_ms)
        self._mid_px = mid_px
        if not pending or at_ms + HORIZON_MS - pending[-1][0] >= SAMPLE_MS:
            pending.append((at_ms + HORIZON_MS, lean, self.flow.at(at_ms), mid_px))
        self.due_ms = min(pending[0][0], pending[-1][0] - HORIZON_MS + SAMPLE_MS)

    def restart(self) -> None:
        """After a gap: what was asked before it is not answered by what comes after."""
        self._pending.clear()
        self._mid_px = None
        self.due_ms = 0

    def _learn(self, x1: float, x2: float, y: float, at_ms: int) -> None:
        dt_s = min((at_ms - self._ms) / MS_PER_S, LATE_MS / MS_PER_S) if self._ms else 0.0
        self._ms = at_ms
        decay = 0.5 ** (dt_s / HALF_LIFE_S)
        s11 = self._s11 = self._s11 * decay + x1 * x1
        s12 = self._s12 = self._s12 * decay + x1 * x2
        s22 = self._s22 = self._s22 * decay + x2 * x2
        b1 = self._b1 = self._b1 * decay + x1 * y
        b2 = self._b2 = self._b2 * decay + x2 * y
        self._yy = self._yy * decay + y * y
        self._n = self._n * decay + 1.0
        noise = OVERLAP * self._yy / self._n
        s11 += noise / LEAN_SD**2
        s22 += noise / FLOW_SD_BPS**2
        determinant = s11 * s22 - s12 * s12
        if determinant > 1e-12 * s11 * s22:
            self.beta_lean = (s22 * b1 - s12 * b2) / determinant
            self.beta_flow_bps = (s11 * b2 - s12 * b1) / determinant

    def carried(self) -> dict[str, Any]:
        """What a checkpoint may hold: none of it, for a drift is never restored."""
        return {}
