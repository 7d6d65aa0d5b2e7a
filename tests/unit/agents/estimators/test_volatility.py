"""Volatility: known truth at any event rate, jumps of a gap left out, None until known."""

import math
import random

import pytest

from agents.estimators.volatility import Volatility, VolatilityEstimator
from agents.market.units import NS_PER_S


def _walk(
    seed: int,
    *,
    rate_per_s: float,
    sigma_bps: float = 2.0,
    seconds: float = 2_000.0,
    jumps: int = 0,
    jump_bps: float = 50.0,
) -> VolatilityEstimator:
    """A GBM seen at Poisson times, with jumps spread over it."""
    rng = random.Random(seed)
    estimator = VolatilityEstimator(half_life_s=600.0)
    at_s, log_px, jumped = 0.0, math.log(100.0), 0
    while at_s < seconds:
        dt_s = rng.expovariate(rate_per_s)
        at_s += dt_s
        log_px += sigma_bps * 1e-4 * math.sqrt(dt_s) * rng.gauss(0, 1)
        if jumped < jumps and at_s > seconds * (jumped + 0.5) / jumps:
            log_px += jump_bps * 1e-4 * rng.choice((1, -1))
            jumped += 1
        estimator.update(math.exp(log_px), round(at_s * NS_PER_S))
    return estimator


def _known(estimator: VolatilityEstimator) -> Volatility:
    found = estimator.volatility
    assert found is not None
    return found


@pytest.mark.parametrize("rate_per_s", [1.0, 5.0, 10.0])
def test_incident_44_sigma_does_not_depend_on_the_event_rate(rate_per_s: float) -> None:
    found = [_known(_walk(seed, rate_per_s=rate_per_s)) for seed in range(8)]
    for name in ("sigma_bps", "jumpless_bps"):
        values = [getattr(each, name) for each in found]
        assert sum(values) / len(values) == pytest.approx(2.0, rel=0.03)
        assert min(values) > 2.0 * 0.9
        assert max(values) < 2.0 * 1.1
    assert found[0].sigma_bps == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("seed", range(4))
def test_jumps_move_the_realised_not_the_bipower(seed: int) -> None:
    without = _known(_walk(seed, rate_per_s=10.0))
    jumped = _known(_walk(seed, rate_per_s=10.0, jumps=10))
    assert jumped.sigma_bps > 1.5 * without.sigma_bps
    assert jumped.jumpless_bps == pytest.approx(without.jumpless_bps, rel=0.1)
    assert jumped.jump_ratio > 2.0
    assert without.jump_ratio < 1.1


def test_a_true_rise_of_volatility_is_not_capped_away() -> None:
    rng = random.Random(3)
    estimator = VolatilityEstimator(half_life_s=10.0)
    log_px = 0.0
    for second in range(400):
        log_px += rng.gauss(0.0, 1e-4 if second < 300 else 2e-3)
        estimator.update(math.exp(log_px), second * NS_PER_S)
    assert _known(estimator).jumpless_bps == pytest.approx(20.0, rel=0.4)


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


def test_a_restart_forgets_the_price_not_what_was_learned() -> None:
    estimator = _walk(1, rate_per_s=2.0, seconds=100.0)
    before = estimator.sigma_bps
    estimator.restart()
    estimator.update(500.0, 50 * NS_PER_S)
    assert estimator.sigma_bps == before


def test_incident_46_carried_sums_weigh_less_with_age_and_are_not_called_seen() -> None:
    old, fresh = _walk(1, rate_per_s=2.0), VolatilityEstimator(half_life_s=600.0)
    fresh.carry(old.carried(), age_s=600.0)
    assert fresh.sigma_bps is None
    for second in range(6):
        fresh.update(100.0, second * NS_PER_S)
    assert fresh.sigma_bps == pytest.approx(2.0, rel=0.1)
