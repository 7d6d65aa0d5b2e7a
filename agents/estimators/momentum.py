"""Where the mid has been going, whether such moves go on, and how badly: the falling knife."""

import math
from collections import deque
from typing import Final

import msgspec

from agents.market.types import Side
from agents.market.units import BPS, MS_PER_S

HORIZONS_S: Final = (1, 10, 60)
SAMPLE_MS: Final = 500
KEPT: Final = 60 * MS_PER_S // SAMPLE_MS + 2
JUDGED_S: Final = 10
MOVE_MIN_SIGMAS: Final = 1.0
SEVERE_FROM_SIGMAS: Final = 2.0
SEVERE_AT_SIGMAS: Final = 6.0
HALF_LIFE_S: Final = 3_600.0
PRIOR_MOVES: Final = 10.0


class Momentum(msgspec.Struct, frozen=True, gc=False):
    """``returns_bps`` over 1, 10 and 60 s, signed, None where not seen; ``severity_share`` 0 to 1
    and the ``side`` whose resting orders the move runs into (None: no severity);
    ``continuation_share``: how likely a move of 10 s goes on, shrunk to a half.
    """

    returns_bps: tuple[float | None, float | None, float | None]
    severity_share: float
    side: Side | None
    continuation_share: float


class MomentumEstimator:
    """Samples the mid each half second. Severity grows from 2 to 6 deviations of the worst horizon
    and is weighted by twice the chance that the move continues, which is predicted before each
    outcome is counted: Beta(5, 5) and moves of 10 s that are not just noise, halving in an hour.
    """

    __slots__ = ("_asked", "_behind", "_continued", "_last", "_moves")

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None
        # A queue a horizon; its first sample is the newest that is at least so old, once one is.
        self._behind = tuple(deque[tuple[int, float]](maxlen=KEPT) for _ in HORIZONS_S)
        self._asked: tuple[int, float, int] | None = None
        self._continued = self._moves = 0.0

    def touched(self, mid_px: float, at_ms: int, sigma_bps: float | None) -> None:
        """Take the mid if half a second passed."""
        last = self._last
        if last is not None and at_ms - last[0] < SAMPLE_MS:
            return
        sample = self._last = (at_ms, mid_px)
        for horizon_s, behind in zip(HORIZONS_S, self._behind, strict=True):
            behind.append(sample)
            from_ms = at_ms - horizon_s * MS_PER_S
            while len(behind) > 1 and behind[1][0] <= from_ms:
                behind.popleft()
        self._judge(mid_px, at_ms, sigma_bps)

    def restart(self) -> None:
        """After a gap: no move spans it."""
        self._last = None
        for behind in self._behind:
            behind.clear()
        self._asked = None

    @property
    def continuation_share(self) -> float:
        """Predictive chance that a move of ten seconds is followed by one the same way."""
        return (PRIOR_MOVES / 2 + self._continued) / (PRIOR_MOVES + self._moves)

    def momentum(self, sigma_bps: float | None) -> Momentum | None:
        """As of the last sample; None before the first second."""
        returns = tuple(self._return_bps(index) for index in range(len(HORIZONS_S)))
        if returns[0] is None:
            return None
        severity, side = 0.0, None
        if sigma_bps is not None and sigma_bps > 0:
            deviations = [
                r_bps / (sigma_bps * math.sqrt(horizon_s))
                for r_bps, horizon_s in zip(returns, HORIZONS_S, strict=True)
                if r_bps is not None
            ]
            worst = max(deviations, key=abs)
            beyond = (abs(worst) - SEVERE_FROM_SIGMAS) / (SEVERE_AT_SIGMAS - SEVERE_FROM_SIGMAS)
            severity = min(max(beyond, 0.0) * 2 * self.continuation_share, 1.0)
            if severity > 0:
                side = Side.BID if worst < 0 else Side.ASK
        return Momentum(
            returns_bps=(returns[0], returns[1], returns[2]),
            severity_share=severity,
            side=side,
            continuation_share=self.continuation_share,
        )

    def _return_bps(self, index: int) -> float | None:
        last, behind = self._last, self._behind[index]
        if last is None or last[0] - behind[0][0] < HORIZONS_S[index] * MS_PER_S:
            return None
        return BPS * math.log(last[1] / behind[0][1])

    def _judge(self, mid_px: float, at_ms: int, sigma_bps: float | None) -> None:
        if sigma_bps is None or sigma_bps <= 0:
            return
        asked = self._asked
        if asked is not None:
            due_ms, from_px, sign = asked
            if at_ms < due_ms:
                return
            self._asked = None
            decay = 0.5 ** (JUDGED_S / HALF_LIFE_S)
            self._moves = self._moves * decay + 1.0
            moved = sign * (mid_px - from_px)
            self._continued = self._continued * decay + (0.5 if moved == 0 else float(moved > 0))
        r_bps = self._return_bps(HORIZONS_S.index(JUDGED_S))
        if r_bps is not None and abs(r_bps) >= MOVE_MIN_SIGMAS * sigma_bps * math.sqrt(JUDGED_S):
            self._asked = (at_ms + JUDGED_S * MS_PER_S, mid_px, 1 if r_bps > 0 else -1)
