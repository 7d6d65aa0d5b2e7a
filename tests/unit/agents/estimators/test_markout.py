"""Markouts: signed, shrunk, by side and depth; what an outage hid is not known."""

import random

import pytest

from agents.estimators.markout import HORIZONS_S, PENDING_MAX, PRIOR_WEIGHT, MarkoutEstimator
from agents.market.types import Side
from agents.market.units import BPS


def _selected(
    seed: int, *, adverse_bps: float, sigma_bps: float, mirrored: bool = False
) -> MarkoutEstimator:
    """Fills at the mid on both sides; then the mid moves against the maker, and at random."""
    rng = random.Random(seed)
    estimator = MarkoutEstimator()
    mid_px = 100.0
    for second in range(3_000):
        side = rng.choice(list(Side))
        move_bps = -side.sign * adverse_bps + rng.gauss(0.0, sigma_bps)
        if mirrored:
            side, move_bps = side.opposite, -move_bps
        estimator.touched(mid_px, second * 1_000, None)
        estimator.traded(side, mid_px, second * 1_000)
        mid_px *= 1 + move_bps / BPS
    return estimator


def test_incident_57_a_driftless_market_selects_nobody_however_it_moves() -> None:
    """Measured by the size of moves, volatility would be taken for adverse selection."""
    found = _selected(1, adverse_bps=0.0, sigma_bps=5.0).markout(1)
    assert found is not None
    assert abs(found.mean_bps) < 3 * found.se_bps
    assert abs(found.mean_bps) < 0.5


@pytest.mark.parametrize("side", Side)
def test_incident_57_selection_is_negative_and_of_its_size(side: Side) -> None:
    found = _selected(2, adverse_bps=1.5, sigma_bps=1.0).markout(1, side)
    assert found is not None
    assert found.mean_bps == pytest.approx(-1.5, abs=4 * found.se_bps + 0.05)


def test_incident_58_the_mirrored_market_has_the_same_markouts_on_the_other_side() -> None:
    one = _selected(3, adverse_bps=1.0, sigma_bps=1.0)
    other = _selected(3, adverse_bps=1.0, sigma_bps=1.0, mirrored=True)
    for side in Side:
        mine, theirs = one.markout(1, side), other.markout(1, side.opposite)
        assert mine is not None
        assert theirs is not None
        assert mine.mean_bps == pytest.approx(theirs.mean_bps, abs=0.02)


def test_few_fills_are_shrunk_to_nothing() -> None:
    estimator = MarkoutEstimator()
    estimator.touched(100.0, 0, None)
    estimator.traded(Side.BID, 100.0, 0)
    estimator.touched(101.0, 1_000, None)
    found = estimator.markout(1)
    assert found is not None
    assert found.mean_bps == pytest.approx(100.0 / (1 + PRIOR_WEIGHT))


def test_every_horizon_is_reported_by_its_own_mid() -> None:
    estimator = MarkoutEstimator()
    estimator.traded(Side.ASK, 100.0, 0)
    for second in range(62):
        estimator.touched(100.0 - 0.01 * second, second * 1_000, None)
    means = [estimator.markout(horizon_s) for horizon_s in HORIZONS_S]
    told = [found.mean_bps * (1 + PRIOR_WEIGHT) for found in means if found is not None]
    assert told == pytest.approx([1.0, 10.0, 60.0])


def test_depths_are_kept_apart() -> None:
    estimator = MarkoutEstimator()
    estimator.traded(Side.BID, 100.0, 0, depth_bps=1.0)
    estimator.traded(Side.BID, 99.93, 0, depth_bps=7.0)
    estimator.touched(100.0, 1_000, None)
    near, deep = estimator.markout(1, Side.BID, 1.5), estimator.markout(1, Side.BID, 6.0)
    assert near is not None
    assert deep is not None
    assert near.mean_bps == 0.0
    assert deep.mean_bps > 0.0
    assert estimator.markout(1, Side.BID, 20.0) is None
    assert estimator.markout(1, Side.ASK) is None


def test_what_an_outage_hid_is_not_counted() -> None:
    late, told = MarkoutEstimator(), MarkoutEstimator()
    for estimator in (late, told):
        estimator.touched(100.0, 0, None)
        estimator.traded(Side.BID, 100.0, 0)
    late.touched(90.0, 240_000, None)
    told.restart()
    told.touched(90.0, 2_000, None)
    assert late.markout(1) is None
    assert told.markout(1) is None


def test_a_rush_stays_within_bounds() -> None:
    estimator = MarkoutEstimator()
    for index in range(10 * PENDING_MAX):
        estimator.traded(Side.BID, 100.0, index)
    assert all(len(pending) == PENDING_MAX for pending in estimator._pending)


def test_what_was_learned_is_carried() -> None:
    one, other = _selected(4, adverse_bps=1.0, sigma_bps=1.0), MarkoutEstimator()
    other.carry(one.carried())
    assert other.markout(1) == one.markout(1)
