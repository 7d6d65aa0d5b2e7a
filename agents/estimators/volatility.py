"""How fast the mid moves: realised volatility in elapsed time, whatever the event rate."""

import math
from typing import Final

from agents.market.units import BPS, NS_PER_S, s_to_ns

GAP_MAX_NS: Final = s_to_ns(5.0)
SAMPLE_NS: Final = s_to_ns(0.5)
SEEN_MIN_S: Final = 5.0


class VolatilityEstimator:
    """Exponentially weighted realised volatility of the mid.

        sigma^2 = sum(w * r^2) / sum(w * dt)        w halves every ``half_life_s``

    Returns and time carry the same weights, so irregular ticks do not bias the ratio. Returns are
    taken at least half a second apart: the bounce within a block is no risk to hold. A gap in the
    feed is neither squared nor counted as time.
    Units: r in bps (log), dt in s, sigma in bps/sqrt(s).
    Source: realised variance, Barndorff-Nielsen & Shephard (2002); decay, RiskMetrics (1996).
    """

    __slots__ = ("_dt", "_half_life_s", "_r2", "_sample_ns", "_sample_px", "_seen_ns", "seen_s")

    def __init__(self, half_life_s: float) -> None:
        assert half_life_s > 0
        self._half_life_s = half_life_s
        self._sample_px: float | None = None
        self._sample_ns = 0
        self._seen_ns = 0
        self._r2 = 0.0
        self._dt = 0.0
        self.seen_s = 0.0

    def update(self, mid_px: float, at_ns: int) -> None:
        """Take one mid. The caller orders its events: time never runs backwards here."""
        assert mid_px > 0
        assert at_ns >= self._seen_ns
        gap = at_ns - self._seen_ns > GAP_MAX_NS
        self._seen_ns = at_ns
        if self._sample_px is None or gap:
            self._sample_px, self._sample_ns = mid_px, at_ns
            return
        elapsed_ns = at_ns - self._sample_ns
        if elapsed_ns < SAMPLE_NS:
            return
        r_bps = BPS * math.log(mid_px / self._sample_px)
        dt_s = elapsed_ns / NS_PER_S
        decay = 0.5 ** (dt_s / self._half_life_s)
        self._r2 = decay * self._r2 + r_bps * r_bps
        self._dt = decay * self._dt + dt_s
        self.seen_s += dt_s
        self._sample_px, self._sample_ns = mid_px, at_ns

    @property
    def sigma_bps(self) -> float | None:
        """bps/sqrt(s); None before five seconds were seen, because 'not known' is not zero."""
        return math.sqrt(self._r2 / self._dt) if self.seen_s >= SEEN_MIN_S else None
