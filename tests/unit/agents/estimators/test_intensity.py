"""A and kappa: known truth recovered, silence harmless, one wild reach not decisive."""

import math
import random

import pytest

from agents.estimators.intensity import Intensity, IntensityEstimator

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


def test_silence_lowers_a_and_leaves_kappa() -> None:
    estimator = IntensityEstimator(PRIOR)
    for _ in range(600):
        estimator.elapse(1.0)
    assert estimator.intensity.fills_per_s < 0.01
    assert estimator.intensity.kappa_per_bps == pytest.approx(0.15)


def test_one_wild_reach_does_not_decide() -> None:
    estimator = IntensityEstimator(PRIOR)
    for _ in range(50):
        estimator.burst(1.0)
    calm = estimator.intensity.kappa_per_bps
    estimator.burst(10_000.0)
    assert estimator.intensity.kappa_per_bps > calm / 2
