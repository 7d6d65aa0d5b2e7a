"""Forced flow: one-sided notional far beyond the usual, as liquidations bring it.

The public feed marks no liquidation, so what they look like is measured: USD of one aggressor side
over seconds, against the market's own mean over an hour, and only the part beyond the other side's.
"""

from typing import Final

import msgspec

from agents.market.types import Side
from agents.market.units import MS_PER_S

FAST_HALF_LIFE_S: Final = 5.0
SLOW_HALF_LIFE_S: Final = 3_600.0
SEEN_MIN_S: Final = 120.0
RATIO_FROM: Final = 20.0
RATIO_AT: Final = 80.0
_LN2: Final = 0.6931471805599453


class Cascade(msgspec.Struct, frozen=True, gc=False):
    """``severity_share`` 0 to 1; ``side``: whose resting orders are run over (None: nobody's)."""

    severity_share: float
    side: Side | None


NONE: Final = Cascade(severity_share=0.0, side=None)


class CascadeEstimator:
    """Two clocks of USD per second: one of seconds a side, one of an hour for both."""

    __slots__ = ("_at_ms", "_fast", "_first_ms", "_slow_usd", "_slow_w_s")

    def __init__(self) -> None:
        self._at_ms: int | None = None
        self._first_ms = 0
        self._fast = [0.0, 0.0]  # bought, sold: USD, decayed over seconds
        self._slow_usd = self._slow_w_s = 0.0

    def update(self, sign: int, usd: float, at_ms: int) -> None:
        """One burst; ``sign`` +1 bought."""
        self._elapse(at_ms)
        self._fast[0 if sign > 0 else 1] += usd
        self._slow_usd += usd

    def restart(self) -> None:
        """After a gap: its time was not watched, and what was fast is over."""
        self._at_ms = None
        self._fast = [0.0, 0.0]

    def cascade(self, at_ms: int) -> Cascade | None:
        """As of that moment; None before two minutes were watched."""
        if self._slow_w_s < SEEN_MIN_S or self._slow_usd <= 0:
            return None
        age_s = 0.0 if self._at_ms is None else max(at_ms - self._at_ms, 0) / MS_PER_S
        beyond = (self._fast[0] - self._fast[1]) * 0.5 ** (age_s / FAST_HALF_LIFE_S)
        per_s = beyond * _LN2 / FAST_HALF_LIFE_S
        ratio = abs(per_s) / (self._slow_usd / self._slow_w_s)
        severity = min(max((ratio - RATIO_FROM) / (RATIO_AT - RATIO_FROM), 0.0), 1.0)
        if severity <= 0:
            return NONE
        return Cascade(severity_share=severity, side=Side.ASK if beyond > 0 else Side.BID)

    def _elapse(self, at_ms: int) -> None:
        if self._at_ms is None:
            self._at_ms = at_ms
            return
        dt_s = max(at_ms - self._at_ms, 0) / MS_PER_S
        self._at_ms = max(at_ms, self._at_ms)
        fast = 0.5 ** (dt_s / FAST_HALF_LIFE_S)
        slow = 0.5 ** (dt_s / SLOW_HALF_LIFE_S)
        self._fast[0] *= fast
        self._fast[1] *= fast
        self._slow_usd *= slow
        self._slow_w_s = self._slow_w_s * slow + dt_s
