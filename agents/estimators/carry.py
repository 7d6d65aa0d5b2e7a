"""What the venue's own prices say: funding as a drift, and the mid's basis to the oracle.

Funding is paid each hour on the position's value at the oracle price: a long pays ``funding_per_h``
of it. So holding one unit long drifts by ``-funding_per_h`` an hour, whatever sign is held.
"""

from typing import Final

from agents.market.units import BPS, MS_PER_S

BASIS_HALF_LIFE_S: Final = 300.0
ORACLE_AGE_MAX_MS: Final = 60_000
S_PER_H: Final = 3_600.0


def funding_drift_bps(funding_per_h: float, *, held_s: float) -> float:
    """What a long position's value drifts by funding in so many seconds, in bps; signed."""
    return -funding_per_h * BPS * held_s / S_PER_H


class BasisEstimator:
    """The mid over the oracle, in bps, smoothed over minutes; with it the oracle tells a price
    where the book is empty.
    """

    __slots__ = ("_at_ms", "_basis_bps", "_oracle_ms", "_oracle_px")

    def __init__(self) -> None:
        self._oracle_px: float | None = None
        self._oracle_ms = 0
        self._basis_bps: float | None = None
        self._at_ms = 0

    def told(self, oracle_px: float, at_ms: int) -> None:
        """The venue's oracle of this moment."""
        self._oracle_px, self._oracle_ms = oracle_px, at_ms

    def touched(self, mid_px: float, at_ms: int) -> None:
        """A mid; counted while the oracle is fresh."""
        oracle_px = self._oracle_px
        if oracle_px is None or at_ms - self._oracle_ms > ORACLE_AGE_MAX_MS:
            return
        now_bps = (mid_px / oracle_px - 1.0) * BPS
        if self._basis_bps is None:
            self._basis_bps = now_bps
        else:
            passed_s = max(at_ms - self._at_ms, 0) / MS_PER_S
            keep = 0.5 ** (passed_s / BASIS_HALF_LIFE_S)
            self._basis_bps = keep * self._basis_bps + (1.0 - keep) * now_bps
        self._at_ms = at_ms

    @property
    def basis_bps(self) -> float | None:
        """None before a mid and an oracle were seen together."""
        return self._basis_bps

    def anchor_px(self, at_ms: int) -> float | None:
        """The oracle with the usual basis on it; None when it is old or never came."""
        if self._oracle_px is None or at_ms - self._oracle_ms > ORACLE_AGE_MAX_MS:
            return None
        return self._oracle_px * (1.0 + (self._basis_bps or 0.0) / BPS)
