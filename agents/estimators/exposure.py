"""What our own orders teach of A and kappa: how long each depth was on offer, and what was hit.

An order that rests d bps from the mid is a draw from a Poisson process of rate A*exp(-kappa*d), for
as long as it rests and however that ends: a cancelled one counts by the time it lay there. So the
evidence is seconds and fills by depth, and its likelihood falls into two parts:

    fills in all                ~ Poisson(A * S),   S = sum(seconds_d * exp(-kappa*d))
    where they were, given that ~ Multinomial(seconds_d * exp(-kappa*d) / S)

kappa is learned from the second alone: without fills nothing was learned of it, and it stays where
public trades put it. A has a Gamma prior around the public one. A taker who fills us is one of the
public's bursts, so A may only fall below theirs, but for their standard error: our orders stand in
a queue. And it falls to a third at most: an hour without a fill is no reason to stand twice as far
away. An order that the mid has passed was run over, not reached: it says nothing of reach, and
neither its time nor its fill counts.
Source: the factorisation is McCullagh & Nelder (1989), section 6.4; Gamma-Poisson as in Gelman et
al., Bayesian Data Analysis (3rd ed.), section 2.6.
"""

import math
from typing import Final

from agents.estimators.carried import ExposureHeld
from agents.estimators.intensity import Intensity
from agents.market.types import Side

HALF_LIFE_S: Final = 3_600.0
BIN_BPS: Final = 1.0
BINS: Final = 50
FILLS_PRIOR_MAX: Final = 20.0
KAPPA_SD: Final = 0.25
FALL_MAX: Final = 3.0
KAPPA_MAX: Final = 3.0
_NEWTON_MAX: Final = 30


class _Offered:
    """Seconds, fills and the depths of both, by depth."""

    __slots__ = ("fill_bps", "fills", "kappa", "rests")

    def __init__(self) -> None:
        self.rests: dict[int, tuple[float, float]] = {}  # by bin: seconds, and depth * seconds
        self.fills = 0.0
        self.fill_bps = 0.0
        self.kappa = 0.0  # where the last search ended: the next one's start

    def scale(self, factor: float) -> None:
        self.rests = {index: (s * factor, bps * factor) for index, (s, bps) in self.rests.items()}
        self.fills *= factor
        self.fill_bps *= factor


class ExposureEstimator:
    """Seconds on offer and fills by depth a side; old evidence halves in ``HALF_LIFE_S``.

    The caller tells each resting order's depth a slice of time at a time, and each fill's depth
    from the mid before it: the same distance, or kappa would be wrong by what separates them.
    """

    __slots__ = ("_due_s", "_offered")

    def __init__(self) -> None:
        self._offered = {Side.BID: _Offered(), Side.ASK: _Offered()}
        self._due_s = 0.0

    def elapse(self, dt_s: float) -> None:
        """Evidence ages; in steps of ten seconds, for the bins are many."""
        self._due_s += dt_s
        if self._due_s >= 10.0:
            for offered in self._offered.values():
                offered.scale(0.5 ** (self._due_s / HALF_LIFE_S))
            self._due_s = 0.0

    def rested(self, side: Side, depth_bps: float, dt_s: float) -> None:
        """An order was on offer there for so long. Too deep to matter, or passed: left out."""
        index = int(depth_bps / BIN_BPS)
        if depth_bps > 0 and index < BINS:
            rests = self._offered[side].rests
            seconds, bps = rests.get(index, (0.0, 0.0))
            rests[index] = (seconds + dt_s, bps + dt_s * depth_bps)

    def filled(self, side: Side, depth_bps: float, share: float) -> None:
        """So much of one order was taken, by a maker's fill, at that depth."""
        if 0 < depth_bps < BIN_BPS * BINS:
            offered = self._offered[side]
            offered.fills += share
            offered.fill_bps += share * depth_bps

    def shrink(self, side: Side, public: Intensity) -> Intensity:
        """The posterior of one side around what public trades say of it."""
        offered = self._offered[side]
        depths = [
            (seconds, bps / seconds) for seconds, bps in offered.rests.values() if seconds > 0
        ]
        if not depths:
            return public
        kappa, sd, spread = _kappa(offered, depths, public)
        hits = sum(seconds * math.exp(-kappa * depth) for seconds, depth in depths)
        prior = FILLS_PRIOR_MAX
        if public.fills_se_per_s > 0:
            prior = min(prior, (public.fills_per_s / public.fills_se_per_s) ** 2)
        shape = prior + offered.fills
        fills = shape / (prior / public.fills_per_s + hits)
        # The uncertainty of kappa is A's as well: by how far the fills' depth is from the touch.
        lever = spread * kappa * sd * offered.fills / shape
        se = math.hypot(fills / math.sqrt(shape), fills * lever)
        least = public.fills_per_s / FALL_MAX
        most = public.fills_per_s + 2 * public.fills_se_per_s
        return Intensity(
            fills_per_s=min(max(fills, least), most),
            kappa_per_bps=kappa,
            fills_se_per_s=se,
            kappa_se_per_bps=kappa * sd,
            bursts=public.bursts + offered.fills,
        )

    @property
    def fills(self) -> float:
        """How many fills the evidence weighs, both sides."""
        return sum(offered.fills for offered in self._offered.values())

    def carried(self) -> ExposureHeld:
        """What a checkpoint may hold."""
        bid, ask = (
            ([(i, *rest) for i, rest in offered.rests.items()], offered.fills, offered.fill_bps)
            for offered in self._offered.values()
        )
        return {"sides": (bid, ask)}

    def carry(self, held: ExposureHeld, *, age_s: float) -> None:
        """Take evidence that is ``age_s`` old; it weighs as much less."""
        for offered, (rests, fills, fill_bps) in zip(
            self._offered.values(), held["sides"], strict=True
        ):
            offered.rests = {int(index): (seconds, bps) for index, seconds, bps in rests}
            offered.fills, offered.fill_bps = fills, fill_bps
            offered.scale(0.5 ** (age_s / HALF_LIFE_S))


def _kappa(
    offered: _Offered, depths: list[tuple[float, float]], public: Intensity
) -> tuple[float, float, float]:
    """Mode of kappa's posterior in its logarithm, its deviation there, and the mean depth.

    Within ``KAPPA_MAX`` times the public one, either way: fills nearer than any order was seen to
    rest would have it at infinity.
    """
    prior = public.kappa_per_bps
    precision = 1.0 / (KAPPA_SD**2 + (public.kappa_se_per_bps / prior) ** 2)
    fills = offered.fills
    if fills <= 0:
        return prior, 1.0 / math.sqrt(precision), 0.0
    mean_fill_bps = offered.fill_bps / fills
    low, high = prior / KAPPA_MAX, prior * KAPPA_MAX
    kappa = offered.kappa if low < offered.kappa < high else prior
    information, mean = precision, 0.0
    for _ in range(_NEWTON_MAX):
        mean, variance = _moments(depths, kappa)
        information = kappa * kappa * fills * variance + precision
        slope = kappa * fills * (mean - mean_fill_bps) - math.log(kappa / prior) * precision
        if slope > 0:
            low = kappa
        else:
            high = kappa
        step = min(max(slope / information, -0.7), 0.7)
        following = kappa * math.exp(step)
        if not low < following < high:  # beyond a bracket: halve it instead
            following = math.sqrt(low * high)
        if abs(following / kappa - 1.0) < 1e-6:
            break
        kappa = following
    offered.kappa = kappa
    return kappa, 1.0 / math.sqrt(information), mean


def _moments(depths: list[tuple[float, float]], kappa: float) -> tuple[float, float]:
    """Mean and variance of where fills are expected, in bps."""
    nearest = min(depth for _, depth in depths)
    s0 = s1 = s2 = 0.0
    for seconds, depth in depths:
        weight = seconds * math.exp(-kappa * (depth - nearest))
        s0 += weight
        s1 += weight * depth
        s2 += weight * depth * depth
    mean = s1 / s0
    return mean, max(s2 / s0 - mean * mean, 0.0)
