"""Momentum: signed returns, severity within 0 and 1, no belief in trends that are not there."""

import random
from collections.abc import Sequence

import pytest

from agents.estimators.momentum import Momentum, MomentumEstimator
from agents.market.types import Side
from agents.market.units import BPS


def _seen(returns_bps: Sequence[float], sigma_bps: float = 1.0) -> MomentumEstimator:
    """A mid each second."""
    estimator = MomentumEstimator()
    mid_px = 100.0
    for second, r_bps in enumerate(returns_bps):
        mid_px *= 1 + r_bps / BPS
        estimator.touched(mid_px, second * 1_000, sigma_bps)
    return estimator


def _momentum(estimator: MomentumEstimator, sigma_bps: float = 1.0) -> Momentum:
    found = estimator.momentum(sigma_bps)
    assert found is not None
    return found


def test_unknown_before_a_second_and_without_the_longer_horizons() -> None:
    assert MomentumEstimator().momentum(1.0) is None
    returns = _momentum(_seen([0.0, 3.0])).returns_bps
    assert returns[0] == pytest.approx(3.0, rel=1e-3)
    assert returns[1:] == (None, None)


def test_returns_over_each_horizon_are_signed() -> None:
    found = _momentum(_seen([-0.5] * 90))
    assert found.returns_bps == pytest.approx((-0.5, -5.0, -30.0), rel=1e-3)


@pytest.mark.parametrize(("step", "side"), [(-2.0, Side.BID), (2.0, Side.ASK)])
def test_a_falling_knife_runs_into_bids_a_rising_one_into_asks(step: float, side: Side) -> None:
    found = _momentum(_seen([0.0] * 60 + [step] * 10))
    assert found.severity_share > 0.5
    assert found.side is side


def test_quiet_is_no_knife() -> None:
    found = _momentum(_seen([0.3, -0.3] * 40))
    assert (found.severity_share, found.side) == (0.0, None)


def test_incident_58_a_mirrored_path_is_mirrored() -> None:
    rng = random.Random(6)
    path = [rng.gauss(0.2, 1.0) for _ in range(600)] + [1.5] * 12
    up, down = _momentum(_seen(path)), _momentum(_seen([-r for r in path]))
    assert up.severity_share == pytest.approx(down.severity_share, rel=0.02)
    assert (up.side, down.side) == (Side.ASK, Side.BID)
    assert up.continuation_share == pytest.approx(down.continuation_share, abs=0.02)


def test_incident_55_the_chance_is_told_before_its_outcome_counts() -> None:
    estimator = _seen([2.0] * 11)
    assert estimator.continuation_share == 0.5  # asked, not answered
    estimator.touched(105.0, 19_000, 1.0)
    assert estimator.continuation_share == 0.5
    estimator.touched(105.0, 20_500, 1.0)
    assert estimator.continuation_share > 0.5


def test_random_walks_neither_continue_nor_return() -> None:
    rng = random.Random(9)
    found = _seen([rng.gauss(0.0, 1.0) for _ in range(20_000)])
    assert found.continuation_share == pytest.approx(0.5, abs=0.12)


def test_trends_continue() -> None:
    rng = random.Random(9)
    trend = [1.0 if (second // 200) % 2 else -1.0 for second in range(8_000)]
    assert _seen([drift + rng.gauss(0.0, 0.5) for drift in trend]).continuation_share > 0.8


def test_severity_never_leaves_its_bounds() -> None:
    assert _momentum(_seen([0.0] * 60 + [400.0] * 5)).severity_share <= 1.0


def test_a_gap_is_no_move() -> None:
    estimator = _seen([0.0] * 20)
    estimator.restart()
    estimator.touched(150.0, 400_000, 1.0)
    assert estimator.momentum(1.0) is None
