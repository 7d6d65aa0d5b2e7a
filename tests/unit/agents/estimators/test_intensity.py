"""A and kappa: known truth recovered, silence harmless, one wild reach not decisive."""

import math
import random

import pytest

from agents.estimators.intensity import Intensity, IntensityEstimator
from agents.strategy.glft import glft

PRIOR = Intensity(fills_per_s=0.05, kappa_per_bps=0.15)


def test_the_prior_before_anything_was_seen() -> None:
    found = IntensityEstimator(PRIOR).intensity
    assert found.fills_per_s == pytest.approx(0.05)
    assert found.kappa_per_bps == pytest.approx(0.15)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("fills_per_s", "kappa_per_bps"), [(0.05, 0.15), (0.3, 1.5), (0.1, 0.4)])
def test_truth_is_recovered_within_three_standard_errors(
    seed: int, fills_per_s: float, kappa_per_bps: float
) -> None:
    rng = random.Random(seed)
    estimator = IntensityEstimator(PRIOR)
    bursts = 0
    for _ in range(2_000):
        estimator.elapse(1.0)
        for _side in range(2):
            if rng.random() < 1 - math.exp(-fills_per_s):
                estimator.burst(rng.expovariate(kappa_per_bps))
                bursts += 1
    remembered = bursts * 600 / math.log(2) * (1 - 0.5 ** (2_000 / 600)) / 2_000
    tolerance = 3 / math.sqrt(remembered) + 0.08  # the prior's pull, and two in one second
    found = estimator.intensity
    assert found.fills_per_s == pytest.approx(fills_per_s, rel=tolerance)
    assert found.kappa_per_bps == pytest.approx(kappa_per_bps, rel=tolerance)


def test_silence_lowers_a_within_its_bound_and_leaves_kappa() -> None:
    estimator = IntensityEstimator(PRIOR)
    estimator.elapse(10.0)
    assert 0.03 < estimator.intensity.fills_per_s < 0.05
    for _ in range(3_600):
        estimator.elapse(1.0)
    assert estimator.intensity.fills_per_s == pytest.approx(0.05 / 3)
    assert estimator.intensity.kappa_per_bps == pytest.approx(0.15)


def test_an_hour_without_trades_changes_the_half_spread_by_less_than_a_fifth() -> None:
    estimator = IntensityEstimator(PRIOR)

    def half_bps() -> float:
        found = estimator.intensity
        spread = glft(
            sigma_bps=1.0,
            kappa_per_bps=found.kappa_per_bps,
            fills_per_s=found.fills_per_s,
            risk_aversion=0.3,
        )
        return spread.half_spread_bps

    before_bps = half_bps()
    for _ in range(3_600):
        estimator.elapse(1.0)
    assert half_bps() == pytest.approx(before_bps, rel=0.2)


def test_one_wild_reach_does_not_decide() -> None:
    estimator = IntensityEstimator(PRIOR)
    for _ in range(50):
        estimator.burst(1.0)
    calm = estimator.intensity.kappa_per_bps
    estimator.burst(10_000.0)
    assert estimator.intensity.kappa_per_bps > calm / 2
