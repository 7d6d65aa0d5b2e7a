"""How often, and how far from the mid, others trade: A and kappa of rate(d) = A * exp(-kappa*d).

Public prints first. Imagine an order at every depth d from the mid, always on offer: a burst of one
aggressor that gets r bps from the mid before it would have filled those at d <= r. Counting each of
these virtual orders alike is a Poisson regression of the rate on the depth, with the depth's whole
range as its grid. Its two normal equations need only the bursts' first and second moments:

    integral of A*exp(-kappa*d) dd   = sum(r) / T            d from 0 to D, r cut at D
    integral of A*exp(-kappa*d)*d dd = sum(r^2) / (2*T)      T seconds watched

For D well beyond 1/kappa that is ``kappa = 2*sum(r)/sum(r^2)``, ``A = kappa*sum(r)/T``. The depths
where quotes rest weigh in as much as the touch: ``1/mean(r)``, the exponential's own likelihood,
hears the touch alone, and real bursts have heavier tails than the exponential.

Shrinkage, in three steps: the operator's prior, both sides together, each side by itself. kappa is
shrunk in its logarithm, A as Gamma and Poisson go. Silence lowers A, to a third of what trades last
taught at most, and says nothing about kappa: an hour without a trade must not double the spread.
Source: Poisson regression's normal equations, McCullagh & Nelder (1989), section 6.3, for a
continuous covariate; standard errors: White's sandwich; shrinkage: Gelman et al., Bayesian Data
Analysis (3rd ed.), sections 2.4 to 2.6.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import msgspec

from agents.estimators.carried import IntensityHeld
from agents.market.types import Side

HALF_LIFE_S: Final = 600.0
REACH_MAX_BPS: Final = 64.0
DEPTH_MIN_BPS: Final = 8.0
DEPTH_MEANS: Final = 10.0
KAPPA_SD_PRIOR: Final = 1.0
KAPPA_SD_SIDES: Final = 0.3
FILLS_PRIOR_BURSTS: Final = 1.0
FILLS_SIDES_BURSTS: Final = 8.0
SILENT_SHARE_MIN: Final = 1 / 3
EDGES_BPS: Final = tuple(0.25 * 2.0 ** (step / 2) for step in range(17))
_SCALE_MAX: Final = 1e9


class Intensity(msgspec.Struct, frozen=True, gc=False):
    """A in 1/s and kappa in 1/bps of one side, with standard errors (0: none given).

    ``bursts``: how many the data weigh, decayed.
    """

    fills_per_s: float
    kappa_per_bps: float
    fills_se_per_s: float = 0.0
    kappa_se_per_bps: float = 0.0
    bursts: float = 0.0


class _Reaches:
    """Bursts of one side by their reach; weights grow instead of old sums shrinking.

    ``moments``: count and the sums of the reach's first four powers, cut at a depth; kept up burst
    by burst, and made anew from the bins when the depth changes.
    """

    __slots__ = ("_cut_bps", "_moments", "bins", "count", "reach_bps")

    def __init__(self) -> None:
        self.bins = [[0.0, 0.0, 0.0] for _ in range(len(EDGES_BPS) + 1)]
        self.count = self.reach_bps = 0.0
        self._cut_bps = REACH_MAX_BPS
        self._moments = [0.0] * 5

    def add(self, r_bps: float, weight: float) -> None:
        found = self.bins[bisect_right(EDGES_BPS, r_bps)]
        found[0] += weight
        found[1] += weight * r_bps
        found[2] += weight * r_bps * r_bps
        self.count += weight
        self.reach_bps += weight * r_bps
        _pour(self._moments, weight, min(r_bps, self._cut_bps))

    def rescale(self, factor: float) -> None:
        self.bins = [[value * factor for value in sums] for sums in self.bins]
        self.count *= factor
        self.reach_bps *= factor
        self._moments = [value * factor for value in self._moments]

    def load(self, bins: Sequence[tuple[float, float, float]]) -> None:
        """Bins of another time."""
        self.bins = [list(sums) for sums in bins]
        self.count = math.fsum(sums[0] for sums in bins)
        self.reach_bps = math.fsum(sums[1] for sums in bins)
        self._rebuild(self._cut_bps)

    def moments(self, depth_bps: float) -> list[float]:
        """What lies beyond the depth counts as reaching it."""
        if depth_bps != self._cut_bps:
            self._rebuild(depth_bps)
        return self._moments

    def _rebuild(self, depth_bps: float) -> None:
        self._cut_bps, self._moments = depth_bps, [0.0] * 5
        for index, (count, reach_bps, square) in enumerate(self.bins):
            if count <= 0:
                continue
            if index and EDGES_BPS[index - 1] >= depth_bps:
                _pour(self._moments, count, depth_bps)
                continue
            mean_bps, mean_square = reach_bps / count, square / count
            for power, value in enumerate(
                (1.0, mean_bps, mean_square, mean_square * mean_bps, mean_square * mean_square)
            ):
                self._moments[power] += count * value


def _pour(moments: list[float], weight: float, r_bps: float) -> None:
    moments[0] += weight
    weight *= r_bps
    moments[1] += weight
    weight *= r_bps
    moments[2] += weight
    weight *= r_bps
    moments[3] += weight
    moments[4] += weight * r_bps


class IntensityEstimator:
    """A and kappa a side from public bursts; old evidence halves in ``HALF_LIFE_S`` watched."""

    __slots__ = ("_floor", "_heard", "_prior", "_scale", "_sides", "_watched", "_watched_sq")

    def __init__(self, prior: Intensity) -> None:
        assert prior.fills_per_s > 0
        assert prior.kappa_per_bps > 0
        self._prior = prior
        self._sides = {Side.BID: _Reaches(), Side.ASK: _Reaches()}
        self._scale = 1.0
        self._watched = self._watched_sq = 0.0
        self._floor = SILENT_SHARE_MIN * prior.fills_per_s
        self._heard = 0

    def elapse(self, dt_s: float) -> None:
        """So much time was watched; not called for gaps in the feed."""
        assert dt_s >= 0
        self._scale *= 2.0 ** (dt_s / HALF_LIFE_S)
        self._watched += dt_s * self._scale
        self._watched_sq += dt_s * self._scale * self._scale
        if self._scale > _SCALE_MAX:
            self._rescale()

    def burst(self, reach_bps: float, side: Side) -> None:
        """One aggressor's burst got so far from the mid before it, through orders on ``side``.

        A print inside the mid counts as reach 0, one beyond ``REACH_MAX_BPS`` as that much.
        """
        self._sides[side].add(min(max(reach_bps, 0.0), REACH_MAX_BPS), self._scale)
        self._heard += 1

    def sides(self) -> tuple[Intensity, Intensity]:
        """Of the orders on the bid and on the ask side, as of now."""
        depth_bps = self._depth_bps()
        both = self._both(depth_bps)
        if self._heard:  # trades alone teach a lower level, each a third less at most
            level = SILENT_SHARE_MIN * both.fills_per_s
            self._floor = max(level, self._floor * (1.0 - SILENT_SHARE_MIN) ** self._heard)
            self._heard = 0
        return self._side(Side.BID, depth_bps, both), self._side(Side.ASK, depth_bps, both)

    def _both(self, depth_bps: float) -> Intensity:
        bid = self._sides[Side.BID].moments(depth_bps)
        ask = self._sides[Side.ASK].moments(depth_bps)
        total = [mine + theirs for mine, theirs in zip(bid, ask, strict=True)]
        return self._fit(total, depth_bps, 2.0, self._prior, (KAPPA_SD_PRIOR, FILLS_PRIOR_BURSTS))

    def _side(self, side: Side, depth_bps: float, both: Intensity) -> Intensity:
        sd = math.hypot(KAPPA_SD_SIDES, both.kappa_se_per_bps / both.kappa_per_bps)
        shape = min(FILLS_SIDES_BURSTS, (both.fills_per_s / both.fills_se_per_s) ** 2)
        moments = self._sides[side].moments(depth_bps)
        found = self._fit(moments, depth_bps, 1.0, both, (sd, shape))
        if found.fills_per_s >= self._floor:
            return found
        return msgspec.structs.replace(found, fills_per_s=self._floor)

    def _depth_bps(self) -> float:
        """Down to which depth the virtual orders rest: ten mean reaches, on an edge."""
        bid, ask = self._sides[Side.BID], self._sides[Side.ASK]
        count = bid.count + ask.count + self._scale
        reach_bps = bid.reach_bps + ask.reach_bps + self._scale / self._prior.kappa_per_bps
        wanted_bps = max(DEPTH_MEANS * reach_bps / count, DEPTH_MIN_BPS)
        index = min(bisect_right(EDGES_BPS, wanted_bps * 0.999), len(EDGES_BPS) - 1)
        edge_bps: float = EDGES_BPS[index]
        return edge_bps

    def _fit(
        self,
        moments: list[float],
        depth_bps: float,
        sides: float,
        prior: Intensity,
        strength: tuple[float, float],
    ) -> Intensity:
        sd_prior, fills_prior = strength
        watched_s = sides * self._watched / self._scale
        kappa, sd_kappa, sd_fills = prior.kappa_per_bps, sd_prior, None
        n, r1, r2, r3, r4 = (value / self._scale for value in moments)
        thinning = self._watched_sq / (self._watched * self._scale) if self._watched else 1.0
        if r1 > 0 and r2 > 0:
            told = moment_kappa(r2 / 2 / r1, depth_bps)
            # The exponential's own variance at least: few bursts may lie alike by chance.
            floor = 2.0 / n
            a, b, c = r2 / (r1 * r1), r4 / (r2 * r2), r3 / (r1 * r2)
            variance = thinning * max(a + b - 2 * c, floor)
            sd_fills = math.sqrt(thinning * max(4 * a + b - 4 * c, floor))
            weight = 1.0 / (1.0 + variance / sd_prior**2)
            kappa *= math.exp(weight * math.log(told / kappa))
            sd_kappa = math.sqrt(weight * variance)
        # Gamma: so many bursts' worth of evidence, in so many seconds. Half the bursts' number is
        # what an exponential's moments are worth; heavier tails are worth less.
        evidence, exposure_s = 0.0, 0.5 * watched_s
        if sd_fills is not None:
            told_fills = r1 / reach_integral(kappa, depth_bps)
            evidence = min(1.0 / sd_fills**2, 0.5 * told_fills)
            exposure_s = evidence / told_fills * watched_s
        shape = fills_prior + evidence
        fills_per_s = shape / (fills_prior / prior.fills_per_s + exposure_s)
        return Intensity(
            fills_per_s=fills_per_s,
            kappa_per_bps=kappa,
            fills_se_per_s=fills_per_s / math.sqrt(shape),
            kappa_se_per_bps=kappa * sd_kappa,
            bursts=n,
        )

    def _rescale(self) -> None:
        factor = 1.0 / self._scale
        for reaches in self._sides.values():
            reaches.rescale(factor)
        self._watched *= factor
        self._watched_sq *= factor * factor
        self._scale = 1.0

    def carried(self) -> IntensityHeld:
        """What a checkpoint may hold."""
        weight = 1.0 / self._scale
        bid, ask = (
            [(count * weight, bps * weight, sq * weight) for count, bps, sq in reaches.bins]
            for reaches in self._sides.values()
        )
        return {
            "watched": self._watched * weight,
            "watched_sq": self._watched_sq * weight * weight,
            "floor": self._floor,
            "sides": (bid, ask),
        }

    def carry(self, held: IntensityHeld, *, age_s: float) -> None:
        """Take sums that are ``age_s`` old; they weigh as much less."""
        decay = 0.5 ** (age_s / HALF_LIFE_S)
        self._scale = 1.0
        self._watched = held["watched"] * decay
        self._watched_sq = held["watched_sq"] * decay * decay
        self._floor = held["floor"]
        for reaches, bins in zip(self._sides.values(), held["sides"], strict=True):
            reaches.load(bins)
            reaches.rescale(decay)


def reach_integral(kappa_per_bps: float, depth_bps: float) -> float:
    """Integral of exp(-kappa*d) over d from 0 to the depth, in bps."""
    return -math.expm1(-kappa_per_bps * depth_bps) / kappa_per_bps


def moment_kappa(mean_bps: float, depth_bps: float) -> float:
    """The kappa whose exponential, cut at the depth, has this mean; by Newton in log kappa.

    At least 0.02 / depth: a flat profile within the depth has a mean of half of it.
    """
    low = 0.02 / depth_bps
    kappa = max(1.0 / mean_bps, low)
    for _ in range(30):
        x = kappa * depth_bps
        if x > 40.0:  # nothing is cut
            return kappa
        tail = x * math.exp(-x) / -math.expm1(-x)
        mean = (1.0 - tail) / kappa
        # d mean / d log kappa = -(1/kappa) * (1 - x^2 e^-x / (1 - e^-x)^2)
        slope = -(1.0 - tail * x / -math.expm1(-x)) / kappa
        step = (mean - mean_bps) / slope
        if kappa <= low and step > 0:
            break
        kappa = max(kappa * math.exp(-min(max(step, -1.0), 1.0)), low)
        if abs(step) < 1e-7:
            break
    return kappa
