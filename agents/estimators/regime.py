"""Which volatility regime this is, against the market's own slow baseline."""

import math
from enum import Enum
from typing import Final

from agents.market.units import NS_PER_S, s_to_ns

BASELINE_HALF_LIFE_S: Final = 4 * 3_600.0
BASELINE_SEEN_MIN_S: Final = 300.0
DWELL_UP_NS: Final = s_to_ns(5.0)
DWELL_DOWN_NS: Final = s_to_ns(30.0)
LOW_ENTER, LOW_EXIT = 0.5, 0.6
HIGH_ENTER, HIGH_EXIT = 1.5, 1.2
EXTREME_ENTER, EXTREME_EXIT = 3.0, 2.0


class Regime(Enum):
    """How volatile the market is against itself; ordered."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    EXTREME = "extreme"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS: Final = {regime: rank for rank, regime in enumerate(Regime)}


class RegimeEstimator:
    """Levels with hysteresis in the ratio (enter 1.5, leave 1.2) and in time (5 s up, 30 s down).

    The baseline is the mean of log sigma with a half-life of hours: it is told the fast sigma, and
    moves so slowly that an hour of trouble stays trouble. ``update`` judges by the baseline from
    before it takes the new value.
    """

    __slots__ = ("_log_sum", "_pending", "_seen_s", "_since_ns", "_updated_ns", "_weight", "regime")

    def __init__(self) -> None:
        self._log_sum = self._weight = self._seen_s = 0.0
        self._updated_ns: int | None = None
        self._pending: Regime | None = None
        self._since_ns = 0
        self.regime: Regime | None = None

    @property
    def baseline_bps(self) -> float | None:
        """bps/sqrt(s); None before five minutes were seen."""
        if self._seen_s < BASELINE_SEEN_MIN_S:
            return None
        return math.exp(self._log_sum / self._weight)

    def update(self, sigma_bps: float, at_ns: int) -> Regime | None:
        """Judge the fast sigma of now; None until there is a baseline."""
        before_ns, self._updated_ns = self._updated_ns, at_ns
        if sigma_bps <= 0:
            return self.regime
        baseline_bps = self.baseline_bps
        if baseline_bps is not None:
            self._judge(sigma_bps / baseline_bps, at_ns)
        if before_ns is not None:
            dt_s = (at_ns - before_ns) / NS_PER_S
            decay = 0.5 ** (dt_s / BASELINE_HALF_LIFE_S)
            self._log_sum = decay * self._log_sum + dt_s * math.log(sigma_bps)
            self._weight = decay * self._weight + dt_s
            self._seen_s += dt_s
        return self.regime

    def restart(self) -> None:
        """After a gap: the time between is not the last value's."""
        self._updated_ns = None

    def _judge(self, ratio: float, at_ns: int) -> None:
        now = self.regime or Regime.NORMAL
        self.regime = now
        wanted = _level(ratio, now)
        if wanted is now:
            self._pending = None
            return
        if wanted is not self._pending:
            self._pending, self._since_ns = wanted, at_ns
        dwell_ns = DWELL_UP_NS if wanted.rank > now.rank else DWELL_DOWN_NS
        if at_ns - self._since_ns >= dwell_ns:
            self.regime, self._pending = wanted, None


def _level(ratio: float, now: Regime) -> Regime:
    if ratio >= (EXTREME_EXIT if now is Regime.EXTREME else EXTREME_ENTER):
        return Regime.EXTREME
    if ratio >= (HIGH_EXIT if now.rank >= Regime.HIGH.rank else HIGH_ENTER):
        return Regime.HIGH
    if ratio <= (LOW_EXIT if now is Regime.LOW else LOW_ENTER):
        return Regime.LOW
    return Regime.NORMAL
