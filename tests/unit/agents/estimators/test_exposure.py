"""Own orders' exposure: truth within two standard errors, cancels and silence without bias."""

import math
import random

import pytest

from agents.estimators.exposure import ExposureEstimator
from agents.estimators.intensity import Intensity
from agents.market.types import Side
from agents.strategy.glft import glft

PRIOR = Intensity(fills_per_s=0.05, kappa_per_bps=0.15, fills_se_per_s=0.025, kappa_se_per_bps=0.15)
SEEDS = 200


def _watched(
    seed: int, truth: Intensity, prior: Intensity, *, seconds: float = 20_000.0, flees: bool = False
) -> Intensity:
    """Orders at random depths until they fill or are cancelled; what is learned from them."""
    rng = random.Random(seed)
    estimator = ExposureEstimator()
    at_s = 0.0
    while at_s < seconds:
        depth_bps = rng.uniform(2.0, 20.0)
        stays_s = rng.expovariate(1 / 40.0)
        if flees:  # orders near the touch are cancelled soonest
            stays_s *= depth_bps / 20.0
        rate = truth.fills_per_s * math.exp(-truth.kappa_per_bps * depth_bps)
        fills_after_s = rng.expovariate(rate)
        rests_s = min(stays_s, fills_after_s)
        estimator.rested(Side.BID, depth_bps, rests_s)
        if fills_after_s <= stays_s:
            estimator.filled(Side.BID, depth_bps, 1.0)
        estimator.elapse(rests_s)
        at_s += rests_s
    return estimator.shrink(Side.BID, prior)


@pytest.mark.parametrize(
    ("prior", "flees"), [(PRIOR, False), (Intensity(0.08, 0.25, 0.04, 0.25), True)]
)
def test_poisson_truth_within_two_standard_errors_on_95_of_100_seeds(
    prior: Intensity, flees: bool
) -> None:
    truth = Intensity(fills_per_s=0.05, kappa_per_bps=0.15)
    within = 0
    for seed in range(SEEDS):
        found = _watched(seed, truth, prior, flees=flees)
        within += (
            abs(found.fills_per_s - truth.fills_per_s) <= 2 * found.fills_se_per_s
            and abs(found.kappa_per_bps - truth.kappa_per_bps) <= 2 * found.kappa_se_per_bps
        )
    assert within >= 0.95 * SEEDS


def test_incident_59_what_never_filled_counts_by_its_time() -> None:
    """Scored by fills alone, deep orders look as good as near ones."""
    estimator = ExposureEstimator()
    for _ in range(1_000):
        estimator.rested(Side.ASK, 2.5, 1.0)
        estimator.rested(Side.ASK, 12.5, 10.0)
    for _ in range(20):
        estimator.filled(Side.ASK, 2.5, 1.0)
        estimator.filled(Side.ASK, 12.5, 1.0)
    found = estimator.shrink(Side.ASK, Intensity(0.02, 0.2, 0.02, 0.4))
    assert found.kappa_per_bps == pytest.approx(math.log(10) / 10, rel=0.1)


def test_incident_52_fills_at_no_distance_would_explode_kappa_so_the_distance_is_the_orders() -> (
    None
):
    right, wrong = ExposureEstimator(), ExposureEstimator()
    for estimator, seen_bps in ((right, 5.5), (wrong, 0.1)):
        for depth_bps in (2.5, 5.5, 8.5):
            estimator.rested(Side.BID, depth_bps, 2_000.0)
        for _ in range(60):
            estimator.filled(Side.BID, seen_bps, 1.0)
    assert right.shrink(Side.BID, PRIOR).kappa_per_bps < 0.15
    assert wrong.shrink(Side.BID, PRIOR).kappa_per_bps > 0.3


def test_an_hour_without_a_fill_lowers_a_and_leaves_kappa_and_the_half_spread() -> None:
    estimator = ExposureEstimator()
    before = estimator.shrink(Side.BID, PRIOR)
    for _ in range(3_600):
        estimator.rested(Side.BID, 10.0, 1.0)
        estimator.elapse(1.0)
    after = estimator.shrink(Side.BID, PRIOR)
    assert after.kappa_per_bps == before.kappa_per_bps
    assert 0.3 * before.fills_per_s < after.fills_per_s < 0.5 * before.fills_per_s
    halves = [
        glft(
            sigma_bps=1.0,
            kappa_per_bps=found.kappa_per_bps,
            fills_per_s=found.fills_per_s,
            risk_aversion=0.3,
        ).half_spread_bps
        for found in (before, after)
    ]
    assert halves[1] == pytest.approx(halves[0], rel=0.2)


def test_partial_fills_count_by_their_share() -> None:
    whole, parts = ExposureEstimator(), ExposureEstimator()
    for estimator in (whole, parts):
        estimator.rested(Side.BID, 4.0, 500.0)
        estimator.rested(Side.BID, 8.0, 500.0)
    whole.filled(Side.BID, 4.0, 1.0)
    for _ in range(4):
        parts.filled(Side.BID, 4.0, 0.25)
    assert whole.shrink(Side.BID, PRIOR) == parts.shrink(Side.BID, PRIOR)


def test_sides_are_apart_and_alike() -> None:
    estimator = ExposureEstimator()
    for side in Side:
        estimator.rested(side, 5.0, 100.0)
    estimator.filled(Side.BID, 5.0, 1.0)
    assert (
        estimator.shrink(Side.BID, PRIOR).fills_per_s
        > estimator.shrink(Side.ASK, PRIOR).fills_per_s
    )
    estimator.filled(Side.ASK, 5.0, 1.0)
    assert estimator.shrink(Side.BID, PRIOR) == estimator.shrink(Side.ASK, PRIOR)


def test_what_is_too_deep_to_matter_is_left_out() -> None:
    estimator = ExposureEstimator()
    estimator.rested(Side.BID, 500.0, 1_000.0)
    estimator.filled(Side.BID, 500.0, 1.0)
    assert estimator.shrink(Side.BID, PRIOR) == PRIOR
    assert estimator.fills == 0.0


def test_carried_evidence_weighs_less_with_age() -> None:
    old = ExposureEstimator()
    old.rested(Side.BID, 5.0, 1_000.0)
    for _ in range(8):
        old.filled(Side.BID, 5.0, 1.0)
    fresh = ExposureEstimator()
    fresh.carry(old.carried(), age_s=3_600.0)
    assert fresh.fills == pytest.approx(4.0)


def test_an_order_that_the_mid_has_passed_was_not_reached() -> None:
    estimator = ExposureEstimator()
    estimator.rested(Side.BID, -2.0, 1_000.0)
    estimator.filled(Side.BID, -2.0, 1.0)
    assert estimator.shrink(Side.BID, PRIOR) == PRIOR


def test_fills_nearer_than_orders_were_seen_do_not_explode_kappa() -> None:
    estimator = ExposureEstimator()
    for depth_bps in (5.5, 9.5):
        estimator.rested(Side.BID, depth_bps, 1_000.0)
    for _ in range(50):
        estimator.filled(Side.BID, 0.1, 1.0)
    found = estimator.shrink(Side.BID, PRIOR)
    assert found.kappa_per_bps <= 3.001 * PRIOR.kappa_per_bps
    assert found.fills_per_s <= PRIOR.fills_per_s + 2 * PRIOR.fills_se_per_s


def test_our_fills_are_among_the_publics_so_a_hardly_rises() -> None:
    estimator = ExposureEstimator()
    estimator.rested(Side.BID, 4.5, 100.0)
    for _ in range(500):
        estimator.filled(Side.BID, 4.5, 1.0)
    found = estimator.shrink(Side.BID, PRIOR)
    assert found.fills_per_s == PRIOR.fills_per_s + 2 * PRIOR.fills_se_per_s
