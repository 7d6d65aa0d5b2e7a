"""Depth near the touch: what is within ten bps, smoothed by the clock."""

import pytest

from agents.estimators.depth import DepthEstimator, near_usd
from agents.market.types import Level


def test_only_what_is_near_counts() -> None:
    bids = [Level(99.99, 10.0), Level(99.91, 5.0), Level(99.5, 1_000.0)]
    assert near_usd(bids, 100.0) == pytest.approx(99.99 * 10 + 99.91 * 5)


def test_unknown_before_a_book() -> None:
    assert DepthEstimator().depth_usd is None


def test_it_follows_in_half_a_minute_however_many_books_come() -> None:
    fine, coarse = DepthEstimator(), DepthEstimator()
    for estimator in (fine, coarse):
        estimator.update(1_000.0, 1_000.0, 0)
    for at_ms in range(2_000, 30_001, 100):
        fine.update(4_000.0, 1_000.0, at_ms)
    coarse.update(4_000.0, 1_000.0, 30_000)
    assert coarse.depth_usd == pytest.approx((2_000.0, 1_000.0))
    assert fine.depth_usd == pytest.approx((2_000.0, 1_000.0))


def test_an_empty_side_is_small_not_minus_infinity() -> None:
    estimator = DepthEstimator()
    estimator.update(0.0, 500.0, 0)
    assert estimator.depth_usd == pytest.approx((1.0, 500.0))


def test_its_usual_is_the_thinner_sides_mean_of_hours() -> None:
    estimator = DepthEstimator()
    assert estimator.depth_ratio == 1.0
    for at_ms in range(0, 600_000, 2_000):
        estimator.update(4_000.0, 1_000.0, at_ms)
    assert estimator.depth_ratio == pytest.approx(1.0)
    for at_ms in range(600_000, 720_000, 2_000):
        estimator.update(4_000.0, 250.0, at_ms)
    assert 0.25 < estimator.depth_ratio < 0.4, "a quarter, and the usual has hardly moved"
    mirrored = DepthEstimator()
    mirrored.update(1_000.0, 4_000.0, 0)
    assert mirrored.depth_ratio == 1.0
