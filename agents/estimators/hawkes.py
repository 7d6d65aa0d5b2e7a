"""Trades that bring trades: a self-exciting intensity whose branching ratio stays below 1.

    lambda(t) = mu + sum over bursts of n * beta * exp(-beta * (t - t_i)),   mu = mean * (1 - n)

so that its mean is the mean rate, whatever n. The branching ratio n is told by how much more than
Poisson the counts of long windows scatter: their variance over their mean tends to 1/(1 - n)^2.
Source: Hawkes (1971); Hardiman & Bouchaud (2014), 'Branching-ratio approximation', eq. 6.
"""

import math
from typing import Final

import msgspec

from agents.market.units import MS_PER_S

BETA_PER_S: Final = 0.5
WINDOW_MS: Final = 20_000
HALF_LIFE_S: Final = 1_800.0
WINDOWS_MIN: Final = 10.0
BRANCHING_MAX: Final = 0.9
BRANCHING_PRIOR: Final = 0.5
PRIOR_WINDOWS: Final = 20.0


class Excitement(msgspec.Struct, frozen=True, gc=False):
    """``per_s``: bursts expected now; ``ratio``: that over their mean rate; ``branching_share``:
    how many of a burst's successors it brings by itself, below 1.
    """

    per_s: float
    ratio: float
    branching_share: float


class HawkesEstimator:
    """Counts bursts in windows for n and the mean rate, and sums the kernel for the moment."""

    __slots__ = ("_at_ms", "_count", "_counts", "_kernel", "_opened_ms", "_squares", "_windows")

    def __init__(self) -> None:
        self._at_ms = 0
        self._kernel = 0.0
        self._opened_ms: int | None = None
        self._count = 0
        self._counts = self._squares = self._windows = 0.0

    def elapse(self, at_ms: int) -> None:
        """It is so late, whether or not anything traded."""
        if self._opened_ms is None:
            self._opened_ms = at_ms
        while at_ms - self._opened_ms >= WINDOW_MS:
            decay = 0.5 ** (WINDOW_MS / (MS_PER_S * HALF_LIFE_S))
            self._counts = self._counts * decay + self._count
            self._squares = self._squares * decay + self._count * self._count
            self._windows = self._windows * decay + 1.0
            self._count = 0
            self._opened_ms += WINDOW_MS

    def update(self, at_ms: int) -> None:
        """One burst. What it was expected at is read before."""
        self.elapse(at_ms)
        self._kernel = self._kernel * self._decay(at_ms) + 1.0
        self._at_ms = max(self._at_ms, at_ms)
        self._count += 1

    def restart(self) -> None:
        """After a gap: the open window was not seen whole."""
        self._opened_ms = None
        self._count = 0
        self._kernel = 0.0

    @property
    def branching_share(self) -> float:
        """n, shrunk to a half while windows are few; 0.9 at most."""
        told = BRANCHING_PRIOR
        if self._windows > 1 and self._counts > 0:
            mean = self._counts / self._windows
            variance = max(self._squares / self._windows - mean * mean, 0.0)
            told = 1.0 - 1.0 / math.sqrt(max(variance / mean, 1.0))
        weight = self._windows / (self._windows + PRIOR_WINDOWS)
        return min(weight * told + (1.0 - weight) * BRANCHING_PRIOR, BRANCHING_MAX)

    def excitement(self, at_ms: int) -> Excitement | None:
        """As of that moment; None before ten windows or without a burst in them."""
        if self._windows < WINDOWS_MIN or self._counts <= 0:
            return None
        mean_per_s = self._counts / self._windows / (WINDOW_MS / MS_PER_S)
        n = self.branching_share
        per_s = mean_per_s * (1.0 - n) + n * BETA_PER_S * self._kernel * self._decay(at_ms)
        return Excitement(per_s=per_s, ratio=per_s / mean_per_s, branching_share=n)

    def _decay(self, at_ms: int) -> float:
        return math.exp(-BETA_PER_S * max(at_ms - self._at_ms, 0) / MS_PER_S)
