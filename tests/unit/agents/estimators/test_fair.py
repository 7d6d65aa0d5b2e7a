"""The fair price: learns what the touch says, 0 where it says nothing, bounded, mirrored."""

import random

import pytest

from agents.estimators.fair import FairEstimator, FlowSignal, bounded_px, lean_bps
from agents.market.types import Level
from agents.market.units import BPS


def _taught(seed: int, *, beta: float, seconds: int = 3_000, sign: int = 1) -> FairEstimator:
    """A mid that moves by ``beta`` of the lean over each second, and at random besides."""
    rng = random.Random(seed)
    estimator = FairEstimator()
    mid_px = 100.0
    for second in range(1, seconds):
        lean = sign * rng.uniform(-1.0, 1.0)
        estimator.touched(mid_px, lean, second * 1_000)
        mid_px *= 1 + (beta * lean + sign * rng.gauss(0.0, 1.0)) / BPS
    return estimator


def test_the_lean_points_to_the_heavier_side() -> None:
    assert lean_bps(Level(99.99, 9.0), Level(100.01, 1.0)) == pytest.approx(0.8)
    assert lean_bps(Level(99.99, 5.0), Level(100.01, 5.0)) == 0.0


def test_nothing_shown_leans_nowhere() -> None:
    assert lean_bps(Level(99.0, 0.0), Level(101.0, 0.0)) == 0.0


@pytest.mark.parametrize("beta", [0.4, 1.0, 2.0])
def test_it_learns_what_the_lean_is_worth(beta: float) -> None:
    found = [_taught(seed, beta=beta).beta_lean for seed in range(6)]
    assert sum(found) / len(found) == pytest.approx(beta, rel=0.06)


def test_without_a_signal_the_coefficients_are_nothing() -> None:
    found = [_taught(seed, beta=0.0).beta_lean for seed in range(12)]
    assert abs(sum(found) / len(found)) < 0.03
    assert max(map(abs, found)) < 0.15


def test_it_starts_at_the_mid() -> None:
    assert FairEstimator().away_bps(5.0, 1_000) == 0.0


def test_incident_54_mirrored_markets_mirror() -> None:
    one, other = _taught(3, beta=0.7), _taught(3, beta=0.7, sign=-1)
    assert one.beta_lean == pytest.approx(other.beta_lean, rel=1e-3)
    assert one.away_bps(0.5, 1) == pytest.approx(-other.away_bps(-0.5, 1), rel=1e-3)


def test_incident_55_a_prediction_is_made_before_its_outcome_is_learned() -> None:
    estimator = FairEstimator()
    estimator.touched(100.0, 1.0, 1_000)
    before = estimator.away_bps(1.0, 1_999)
    assert before == 0.0
    estimator.touched(101.0, 1.0, 1_999)
    assert estimator.away_bps(1.0, 1_999) == before  # its second is not over
    estimator.touched(101.0, 1.0, 2_000)
    assert estimator.away_bps(1.0, 2_000) > 0.0


def test_the_outcome_is_the_mid_of_its_time_not_a_later_one() -> None:
    estimator = FairEstimator()
    estimator.touched(100.0, 1.0, 1_000)
    estimator.touched(100.0, 0.0, 1_400)
    estimator.touched(150.0, 0.0, 2_300)  # at 2 000 the mid was still 100
    assert estimator.beta_lean == 0.0


def test_what_a_gap_hid_is_not_learned() -> None:
    late, told = FairEstimator(), FairEstimator()
    for estimator in (late, told):
        estimator.touched(100.0, 1.0, 1_000)
    late.touched(110.0, 0.0, 60_000)
    told.restart()
    told.touched(110.0, 0.0, 2_000)
    assert late.beta_lean == told.beta_lean == 0.0


@pytest.mark.parametrize("away_bps", [float("nan"), float("inf"), -1e9, 200.0, 0.0])
@pytest.mark.parametrize("half_px", [0.001, 0.1, 5.0, 40.0])
def test_incident_49_it_stays_near_the_mid_whatever_comes(away_bps: float, half_px: float) -> None:
    bid, ask = Level(100.0 - half_px, 1.0), Level(100.0 + half_px, 3.0)
    assert abs(bounded_px(bid, ask, away_bps) - 100.0) <= min(half_px, 0.05) + 1e-12


def test_flow_is_signed_and_fades() -> None:
    flow = FlowSignal(2.0)
    assert flow.at(1_000) == 0.0
    for index in range(10):
        flow.update(1, 10_000.0, 1_000 + index)
    now, later = flow.at(1_010), flow.at(11_010)
    assert 0.8 < now < 1.0
    assert 0.0 < later < now / 2
    mirrored = FlowSignal(2.0)
    for index in range(10):
        mirrored.update(-1, 10_000.0, 1_000 + index)
    assert mirrored.at(1_010) == -now
