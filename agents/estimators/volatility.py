"""How fast the mid moves: realised and bipower volatility in elapsed time, at any event rate."""

import math
from typing import Final

import msgspec

from agents.estimators.carried import VolatilityHeld
from agents.market.units import BPS, NS_PER_S, s_to_ns

GAP_MAX_NS: Final = s_to_ns(12.0)
SAMPLE_NS: Final = s_to_ns(0.5)
PAIR_S: Final = 2.0
SEEN_MIN_S: Final = 5.0
CAP_SIGMAS: Final = 4.0
CAP_AFTER_S: Final = 30.0
JUMP_RATIO_MAX: Final = 100.0


class Volatility(msgspec.Struct, frozen=True, gc=False):
    """One half-life's view, all bps/sqrt(s).

    ``sigma_bps`` with jumps, ``jumpless_bps`` without; ``jump_ratio`` their squares' quotient,
    1 to 100: 1 says that no jump was seen.
    """

    sigma_bps: float
    jumpless_bps: float
    jump_ratio: float


class VolatilityEstimator:
    """Exponentially weighted realised and bipower variation of the mid.

        RV = sum(w * r^2) / sum(w * dt)                      w halves every ``half_life_s``
        BV = pi/2 * sum(w * |r| * |r'|) / sum(w * sqrt(dt * dt'))     r' the return before r

    Returns and time carry the same weights, so irregular ticks do not bias the ratios, and BV's own
    denominator is its finite-sample correction: n returns make n - 1 products. In BV a return
    counts for ``CAP_SIGMAS`` deviations at most, for a jump's neighbours are not small in a short
    sample. Returns are taken at least half a second apart: the bounce within a block is no risk to
    hold. BV's are two seconds long: prices stand still on their grid for half seconds, and a
    product with 0 would take the next move for a jump. A gap in the feed is neither squared nor
    counted as time, nor are its two ends neighbours.
    Units: r in bps (log), dt in s, sigma in bps/sqrt(s).
    Source: Barndorff-Nielsen & Shephard (2004), 'Power and bipower variation', eq. 8, with unequal
    steps; cap: Corsi, Pirino & Renò (2010), 'Threshold bipower variation'; decay: RiskMetrics 1996.
    """

    __slots__ = (
        "_bv", "_dt", "_dt_before_s", "_dt_pairs", "_half_life_s", "_r2", "_r_before_bps", "_r_bps",
        "_r_s", "_sample_ns", "_sample_px", "_seen_ns", "seen_s",
    )  # fmt: skip

    def __init__(self, half_life_s: float) -> None:
        assert half_life_s > 0
        self._half_life_s = half_life_s
        self._sample_px: float | None = None
        self._sample_ns = 0
        self._seen_ns = 0
        self._r2 = self._dt = 0.0
        self._bv = self._dt_pairs = 0.0
        self._r_before_bps: float | None = None
        self._dt_before_s = 0.0
        self._r_bps = self._r_s = 0.0
        self.seen_s = 0.0

    def update(self, mid_px: float, at_ns: int) -> bool:
        """Take one mid; True if it made a return. The caller orders its events."""
        assert mid_px > 0
        assert at_ns >= self._seen_ns
        gap = at_ns - self._seen_ns > GAP_MAX_NS
        self._seen_ns = at_ns
        if self._sample_px is None or gap:
            self._sample_px, self._sample_ns = mid_px, at_ns
            self._r_before_bps = None
            self._r_bps = self._r_s = 0.0
            return False
        elapsed_ns = at_ns - self._sample_ns
        if elapsed_ns < SAMPLE_NS:
            return False
        r_bps = BPS * math.log(mid_px / self._sample_px)
        self._sample_px, self._sample_ns = mid_px, at_ns
        dt_s = elapsed_ns / NS_PER_S
        decay = 0.5 ** (dt_s / self._half_life_s)
        self._r2 = decay * self._r2 + r_bps * r_bps
        self._dt = decay * self._dt + dt_s
        self.seen_s += dt_s
        self._r_bps += r_bps
        self._r_s += dt_s
        if self._r_s >= PAIR_S:
            self._pair(abs(self._r_bps), self._r_s)
            self._r_bps = self._r_s = 0.0
        return True

    def _pair(self, r_bps: float, dt_s: float) -> None:
        decay = 0.5 ** (dt_s / self._half_life_s)
        if self.seen_s >= CAP_AFTER_S and self._bv > 0:
            cap_bps = CAP_SIGMAS * math.sqrt(self._bv / self._dt_pairs * dt_s)
            r_bps = min(r_bps, cap_bps)
        before_bps = self._r_before_bps
        if before_bps is not None:
            self._bv = decay * self._bv + math.pi / 2 * r_bps * before_bps
            self._dt_pairs = decay * self._dt_pairs + math.sqrt(dt_s * self._dt_before_s)
        self._r_before_bps, self._dt_before_s = r_bps, dt_s

    def restart(self) -> None:
        """The next mid begins anew: what lies between is no return. What was learned stays."""
        self._sample_px = None
        self._seen_ns = 0

    @property
    def sigma_bps(self) -> float | None:
        """bps/sqrt(s); None before five seconds were seen, because 'not known' is not zero."""
        return math.sqrt(self._r2 / self._dt) if self.seen_s >= SEEN_MIN_S else None

    @property
    def volatility(self) -> Volatility | None:
        """Both variations; None before five seconds were seen, or without two returns on end."""
        if self.seen_s < SEEN_MIN_S or self._dt_pairs <= 0:
            return None
        rv, bv = self._r2 / self._dt, self._bv / self._dt_pairs
        ratio = rv / bv if bv > 0 else 1.0 if rv <= 0 else JUMP_RATIO_MAX
        return Volatility(
            sigma_bps=math.sqrt(rv),
            jumpless_bps=math.sqrt(bv),
            jump_ratio=min(max(ratio, 1.0), JUMP_RATIO_MAX),
        )

    @property
    def weighed_s(self) -> float:
        """How many seconds the sums weigh, decayed."""
        return self._dt

    def carried(self) -> VolatilityHeld:
        """What a checkpoint may hold: sums, no price and no flag."""
        return {"r2": self._r2, "dt": self._dt, "bv": self._bv, "dt_pairs": self._dt_pairs}

    def carry(self, held: VolatilityHeld, *, age_s: float) -> None:
        """Take sums that are ``age_s`` old; they weigh as much less. ``seen_s`` stays: what was
        seen is seen here.
        """
        decay = 0.5 ** (age_s / self._half_life_s)
        self._r2, self._dt = held["r2"] * decay, held["dt"] * decay
        self._bv, self._dt_pairs = held["bv"] * decay, held["dt_pairs"] * decay
