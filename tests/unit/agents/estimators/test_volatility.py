"""Volatility: known truth at any event rate, jumps of a gap left out, None until known."""

import math
import random

import pytest

from agents.estimators.volatility import VolatilityEstimator
from agents.market.units import NS_PER_S


def _walk(seed: int, *, rate_per_s: float, sigma_bps: float, seconds: float) -> float:
    """A GBM seen at Poisson times; what the estimator makes of it."""
    rng = random.Random(seed)
    estimator = VolatilityEstimator(half_life_s=600.0)
    at_s, log_px = 0.0, math.log(100.0)
    while at_s < seconds:
        dt_s = rng.expovariate(rate_per_s)
        at_s += dt_s
        log_px += sigma_bps * 1e-4 * math.sqrt(dt_s) * rng.gauss(0, 1)
        estimator.update(math.exp(log_px), round(at_s * NS_PER_S))
    found = estimator.sigma_bps
    assert found is not None
    return found


@pytest.mark.parametrize("rate_per_s", [1.0, 5.0, 10.0])
def test_incident_44_sigma_does_not_depend_on_the_event_rate(rate_per_s: float) -> None:
    found = [_walk(s, rate_per_s=rate_per_s, sigma_bps=2.0, seconds=2_000) for s in range(8)]
    assert sum(found) / len(found) == pytest.approx(2.0, rel=0.05)


def test_a_gap_is_not_squared() -> None:
    estimator = VolatilityEstimator(half_life_s=60.0)
    for second in range(20):
        estimator.update(100.0 * (1 + 1e-4 * (second % 2)), second * NS_PER_S)
    before, seen_s = estimator.sigma_bps, estimator.seen_s
    estimator.update(110.0, 19 * NS_PER_S + 250 * NS_PER_S)
    assert estimator.sigma_bps == before
    assert estimator.seen_s == seen_s


def test_the_bounce_within_a_block_is_not_risk() -> None:
    estimator = VolatilityEstimator(half_life_s=60.0)
    for step in range(2_000):
        estimator.update(100.0 + 0.01 * (step % 2), step * NS_PER_S // 50)
    assert estimator.sigma_bps is not None
    assert estimator.sigma_bps < 1.5


def test_unknown_before_it_has_seen_enough() -> None:
    estimator = VolatilityEstimator(half_life_s=60.0)
    assert estimator.sigma_bps is None
    for second in range(5):
        estimator.update(100.0, second * NS_PER_S)
        assert estimator.sigma_bps is None
    estimator.update(100.0, 5 * NS_PER_S)
    assert estimator.sigma_bps == 0.0


def test_mirrored_prices_have_the_same_volatility() -> None:
    up, down = VolatilityEstimator(60.0), VolatilityEstimator(60.0)
    for second, factor in enumerate((1.0, 1.001, 0.9995, 1.002, 1.0, 1.003, 1.001)):
        up.update(100.0 * factor, second * NS_PER_S)
        down.update(100.0 / factor, second * NS_PER_S)
    assert up.sigma_bps == pytest.approx(down.sigma_bps or 0.0)
