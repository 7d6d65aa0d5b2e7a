"""How often, and how far from the mid, others trade: A and kappa of rate(d) = A * exp(-kappa*d).

Bursts of public prints stand in for fills of our own, so no fill is needed to know the market.
Each burst has a reach, its furthest print's distance from the mid before it. Under the model bursts
of one side come as a Poisson process of rate A, and their reach is exponential with rate kappa;
both have conjugate Gamma priors, so the posterior means are ratios of sums:

    A     = (a + n/2)     / (a/A0 + T)           n bursts of both sides in T seconds watched
    kappa = (k + n)       / (k/kappa0 + sum r)   r reach in bps

With no trade at all A sinks and kappa stays at its prior: silence never widens kappa's answer. A is
bounded below by a share of its prior, for the skew grows as 1/sqrt(A): an hour of silence must not
double the spread.
Source: Gamma-Poisson and Gamma-exponential conjugacy; Gelman et al., Bayesian Data Analysis
(3rd ed.), section 2.6. ``a`` and ``k`` are the priors' weights in bursts.
"""

from typing import Final

import msgspec

HALF_LIFE_S: Final = 600.0
FILLS_PRIOR_BURSTS: Final = 1.0
KAPPA_PRIOR_BURSTS: Final = 2.0
FILLS_SHARE_MIN: Final = 1 / 3
REACH_MAX_BPS: Final = 25.0


class Intensity(msgspec.Struct, frozen=True, gc=False):
    """A per side in 1/s and kappa in 1/bps."""

    fills_per_s: float
    kappa_per_bps: float


class IntensityEstimator:
    """Posterior means of A and kappa; old evidence halves every ``HALF_LIFE_S`` of watched time."""

    __slots__ = ("_bursts", "_prior", "_reach_bps", "_watched_s")

    def __init__(self, prior: Intensity) -> None:
        assert prior.fills_per_s > 0
        assert prior.kappa_per_bps > 0
        self._prior = prior
        self._bursts = 0.0
        self._reach_bps = 0.0
        self._watched_s = 0.0

    def elapse(self, dt_s: float) -> None:
        """So much time was watched; not called for gaps in the feed."""
        assert dt_s >= 0
        decay = 0.5 ** (dt_s / HALF_LIFE_S)
        self._bursts *= decay
        self._reach_bps *= decay
        self._watched_s = self._watched_s * decay + dt_s

    def burst(self, reach_bps: float) -> None:
        """One aggressor's burst got so far from the mid before it.

        A print inside the mid counts as reach 0, one beyond ``REACH_MAX_BPS`` as that much: a mid
        that was late by one jump must not decide kappa.
        """
        self._bursts += 1.0
        self._reach_bps += min(max(reach_bps, 0.0), REACH_MAX_BPS)

    @property
    def intensity(self) -> Intensity:
        """The posterior means; the prior's as long as nothing was watched."""
        prior = self._prior
        fills_per_s = (FILLS_PRIOR_BURSTS + self._bursts / 2) / (
            FILLS_PRIOR_BURSTS / prior.fills_per_s + self._watched_s
        )
        return Intensity(
            fills_per_s=max(fills_per_s, FILLS_SHARE_MIN * prior.fills_per_s),
            kappa_per_bps=(KAPPA_PRIOR_BURSTS + self._bursts)
            / (KAPPA_PRIOR_BURSTS / prior.kappa_per_bps + self._reach_bps),
        )
