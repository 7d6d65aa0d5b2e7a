"""A and kappa from public bursts: truth recovered, silence harmless, nothing wild decisive."""

import math
import random

import pytest

from agents.estimators.intensity import (
    Intensity,
    IntensityEstimator,
    moment_kappa,
    reach_integral,
)
from agents.market.types import Side
from agents.strategy.glft import glft

PRIOR = Intensity(fills_per_s=0.05, kappa_per_bps=0.15)


def _watched(
    seed: int, *, bid: tuple[float, float], ask: tuple[float, float], seconds: float = 2_000.0
) -> IntensityEstimator:
    """Poisson bursts of exponential reach, a rate and a kappa a side."""
    rng = random.Random(seed)
    estimator = IntensityEstimator(PRIOR)
    arrivals: list[tuple[float, Side, float]] = []
    for side, (rate, kappa) in ((Side.BID, bid), (Side.ASK, ask)):
        at_s = rng.expovariate(rate)
        while at_s < seconds:
            arrivals.append((at_s, side, rng.expovariate(kappa)))
            at_s += rng.expovariate(rate)
    before_s = 0.0
    for at_s, side, reach_bps in sorted(arrivals, key=lambda arrival: arrival[0]):
        estimator.elapse(at_s - before_s)
        estimator.burst(reach_bps, side)
        before_s = at_s
    estimator.elapse(seconds - before_s)
    return estimator


def test_the_prior_before_anything_was_seen() -> None:
    for found in IntensityEstimator(PRIOR).sides():
        assert found.fills_per_s == pytest.approx(0.05)
        assert found.kappa_per_bps == pytest.approx(0.15)
        assert found.kappa_se_per_bps > 0.1


@pytest.mark.parametrize("truth", [(0.05, 0.15), (0.3, 1.5), (0.1, 0.4)])
def test_truth_is_within_two_standard_errors_on_95_of_100_seeds(
    truth: tuple[float, float],
) -> None:
    within = 0
    for seed in range(200):
        found = _watched(seed, bid=truth, ask=truth).sides()[0]
        within += (
            abs(found.fills_per_s - truth[0]) <= 2 * found.fills_se_per_s
            and abs(found.kappa_per_bps - truth[1]) <= 2 * found.kappa_se_per_bps
        )
    assert within >= 0.95 * 200


def test_sides_are_told_apart_and_a_mirrored_market_is_mirrored() -> None:
    rich, poor = (0.8, 1.0), (0.1, 3.0)
    bid, ask = _watched(3, bid=rich, ask=poor).sides()
    assert bid.fills_per_s > 4 * ask.fills_per_s
    assert ask.kappa_per_bps > 1.8 * bid.kappa_per_bps


def test_incident_54_sides_exchanged_exchange_their_beliefs() -> None:
    rng = random.Random(5)
    one, other = IntensityEstimator(PRIOR), IntensityEstimator(PRIOR)
    for _ in range(300):
        side, reach_bps = rng.choice(list(Side)), rng.expovariate(1.0)
        for estimator, hit in ((one, side), (other, side.opposite)):
            estimator.elapse(1.0)
            estimator.burst(reach_bps, hit)
    mine, theirs = one.sides(), other.sides()
    for field in ("fills_per_s", "kappa_per_bps"):
        assert getattr(mine[0], field) == pytest.approx(getattr(theirs[1], field), rel=1e-9)
        assert getattr(mine[1], field) == pytest.approx(getattr(theirs[0], field), rel=1e-9)


def test_incident_51_thinner_at_distance_is_a_positive_kappa_of_its_size() -> None:
    """A regression on cumulative depth had the wrong sign and sat at its clamp whatever came."""
    kappas = [
        _watched(1, bid=(0.5, true), ask=(0.5, true)).sides()[0].kappa_per_bps
        for true in (0.2, 0.5, 1.0, 2.0, 4.0)
    ]
    assert kappas == sorted(kappas)
    for found, true in zip(kappas, (0.2, 0.5, 1.0, 2.0, 4.0), strict=True):
        assert found == pytest.approx(true, rel=0.3)


def test_depths_count_alike_so_that_a_crowd_at_the_touch_does_not_decide_kappa() -> None:
    """Nine bursts of ten at the touch, the tenth with kappa 1: quotes live in the tenth."""
    rng = random.Random(8)
    estimator = IntensityEstimator(PRIOR)
    reaches = []
    for _ in range(4_000):
        estimator.elapse(0.5)
        reach_bps = 0.05 if rng.random() < 0.9 else rng.expovariate(1.0)
        reaches.append(reach_bps)
        estimator.burst(reach_bps, rng.choice(list(Side)))
    found = estimator.sides()[0]
    assert 1 / (sum(reaches) / len(reaches)) > 5
    assert 0.7 < found.kappa_per_bps < 1.6
    assert 0.05 < found.fills_per_s < 0.25  # a tenth of one burst a second and side


def test_silence_lowers_a_within_its_bound_and_leaves_kappa() -> None:
    estimator = IntensityEstimator(PRIOR)
    estimator.elapse(10.0)
    assert 0.025 < estimator.sides()[0].fills_per_s < 0.05
    for _ in range(3_600):
        estimator.elapse(1.0)
    found = estimator.sides()[0]
    assert found.fills_per_s == pytest.approx(0.05 / 3)
    assert found.kappa_per_bps == pytest.approx(0.15)


def test_an_hour_without_trades_changes_the_half_spread_by_less_than_a_fifth() -> None:
    estimator = IntensityEstimator(PRIOR)

    def half_bps() -> float:
        found = estimator.sides()[0]
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


def test_trades_teach_a_level_that_silence_could_not() -> None:
    rare = (0.003, 0.15)
    found = _watched(4, bid=rare, ask=rare, seconds=20_000.0).sides()[0]
    assert found.fills_per_s < 0.01


def test_a_reach_within_the_mid_counts_as_none() -> None:
    one, other = IntensityEstimator(PRIOR), IntensityEstimator(PRIOR)
    one.burst(-3.0, Side.BID)
    other.burst(0.0, Side.BID)
    assert one.sides() == other.sides()


def test_one_wild_reach_does_not_decide() -> None:
    rng = random.Random(2)
    estimator = IntensityEstimator(PRIOR)
    for _ in range(300):
        estimator.elapse(1.0)
        estimator.burst(rng.expovariate(1.0), Side.BID)
    calm = estimator.sides()[0].kappa_per_bps
    estimator.burst(10_000.0, Side.BID)
    assert estimator.sides()[0].kappa_per_bps > 0.6 * calm


def test_old_evidence_fades_by_the_clock_not_by_calls() -> None:
    finely, coarsely = IntensityEstimator(PRIOR), IntensityEstimator(PRIOR)
    for estimator in (finely, coarsely):
        for _ in range(50):
            estimator.elapse(1.0)
            estimator.burst(1.0, Side.BID)
    for _ in range(6_000):
        finely.elapse(0.1)
    coarsely.elapse(600.0)
    assert finely.sides()[0].bursts == pytest.approx(coarsely.sides()[0].bursts, rel=1e-6)


def test_days_of_watching_neither_overflow_nor_drift() -> None:
    estimator = IntensityEstimator(PRIOR)
    for index in range(40_000):
        estimator.elapse(10.0)
        if index % 2:
            estimator.burst(1.0, Side.BID)
            estimator.burst(2.0, Side.ASK)
    bid, ask = estimator.sides()
    assert math.isfinite(bid.fills_per_s)
    assert bid.bursts == pytest.approx(ask.bursts)
    assert bid.bursts == pytest.approx(600 / math.log(2) / 20, rel=0.02)


@pytest.mark.parametrize("kappa", [0.05, 0.5, 5.0])
@pytest.mark.parametrize("depth_bps", [8.0, 64.0])
def test_the_cut_exponentials_mean_gives_its_kappa_back(kappa: float, depth_bps: float) -> None:
    x = kappa * depth_bps
    mean_bps = 1 / kappa - depth_bps * math.exp(-x) / (1 - math.exp(-x))
    assert moment_kappa(mean_bps, depth_bps) == pytest.approx(kappa, rel=1e-6)
    assert reach_integral(kappa, depth_bps) == pytest.approx((1 - math.exp(-x)) / kappa)


def test_carried_sums_weigh_less_with_age() -> None:
    old = _watched(9, bid=(0.5, 1.0), ask=(0.5, 1.0))
    fresh = IntensityEstimator(PRIOR)
    fresh.carry(old.carried(), age_s=600.0)
    assert fresh.sides()[0].bursts == pytest.approx(old.sides()[0].bursts / 2)
    assert fresh.sides()[0].kappa_per_bps == pytest.approx(old.sides()[0].kappa_per_bps, rel=0.1)
