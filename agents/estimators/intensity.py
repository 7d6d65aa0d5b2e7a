"""How often, and how far from the mid, others trade: A and kappa of rate(d) = A * exp(-kappa*d)."""

import math
from typing import Final

import msgspec

DEPTHS_BPS: Final = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0)
HALF_LIFE_S: Final = 600.0
PRIOR_BURSTS: Final = 1.0
MODEL_VARIANCE: Final = 0.1
FILLS_SHARE_MIN: Final = 1 / 3
FILLS_SHARE_MAX: Final = 20.0
KAPPA_SHARE_MIN: Final = 1 / 3
KAPPA_SHARE_MAX: Final = 12.0


class Intensity(msgspec.Struct, frozen=True, gc=False):
    """A per side in 1/s and kappa in 1/bps."""

    fills_per_s: float
    kappa_per_bps: float


class IntensityEstimator:
    """Weighted log-linear fit of how many bursts of public trades reached each depth, by exposure.

    For each depth d the bursts of one side that reached it are counted over the time watched; the
    prior enters as the bursts it would have shown in ``PRIOR_BURSTS / A`` seconds, so that no trade
    at all leaves kappa where it was and lets A sink. Then ``log(n_d / T) = log A - kappa * d`` by
    least squares with weights 1 / (1/n + MODEL_VARIANCE): counting noise, plus what the model
    itself is off by. Old counts halve every ``HALF_LIFE_S`` of watched time.
    Both answers are bounded by multiples of the prior.
    """

    __slots__ = ("_counts", "_fit", "_prior", "_prior_counts", "_prior_s", "_watched_s")

    def __init__(self, prior: Intensity) -> None:
        assert prior.fills_per_s > 0
        assert prior.kappa_per_bps > 0
        self._prior = prior
        self._prior_s = PRIOR_BURSTS / prior.fills_per_s
        self._prior_counts = tuple(
            PRIOR_BURSTS * math.exp(-prior.kappa_per_bps * depth) for depth in DEPTHS_BPS
        )
        self._counts = [0.0] * len(DEPTHS_BPS)
        self._watched_s = 0.0
        self._fit: Intensity | None = prior

    def elapse(self, dt_s: float) -> None:
        """So much time was watched; not called for gaps in the feed."""
        assert dt_s >= 0
        decay = 0.5 ** (dt_s / HALF_LIFE_S)
        self._watched_s = self._watched_s * decay + dt_s
        self._counts = [count * decay for count in self._counts]
        self._fit = None

    def burst(self, reach_bps: float) -> None:
        """One aggressor's burst got so far from the mid before it; each side counts half."""
        for index, depth in enumerate(DEPTHS_BPS):
            if reach_bps < depth:
                break
            self._counts[index] += 0.5
        self._fit = None

    @property
    def intensity(self) -> Intensity:
        """The posterior; the prior as long as nothing was watched."""
        if self._fit is None:
            self._fit = self._solve()
        return self._fit

    def _solve(self) -> Intensity:
        total_s = self._watched_s + self._prior_s
        weight = depth_sum = log_sum = depth2_sum = cross_sum = 0.0
        for depth, seen, expected in zip(DEPTHS_BPS, self._counts, self._prior_counts, strict=True):
            count = seen + expected
            w = 1.0 / (1.0 / count + MODEL_VARIANCE)
            log_rate = math.log(count / total_s)
            weight += w
            depth_sum += w * depth
            log_sum += w * log_rate
            depth2_sum += w * depth * depth
            cross_sum += w * depth * log_rate
        spread = weight * depth2_sum - depth_sum * depth_sum
        kappa = (depth_sum * log_sum - weight * cross_sum) / spread
        prior = self._prior
        kappa = min(
            max(kappa, prior.kappa_per_bps * KAPPA_SHARE_MIN), prior.kappa_per_bps * KAPPA_SHARE_MAX
        )
        fills = math.exp((log_sum + kappa * depth_sum) / weight)
        fills = min(
            max(fills, prior.fills_per_s * FILLS_SHARE_MIN), prior.fills_per_s * FILLS_SHARE_MAX
        )
        return Intensity(fills_per_s=fills, kappa_per_bps=kappa)
