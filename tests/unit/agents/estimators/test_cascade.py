"""Cascades: silent in a stationary day, reached by one-sided floods, told by side."""

import random

import pytest

from agents.estimators.cascade import CascadeEstimator
from agents.market.types import Side


def _calm(seed: int, seconds: int) -> tuple[CascadeEstimator, int]:
    """Counts how often severity showed in so much stationary flow."""
    rng = random.Random(seed)
    estimator = CascadeEstimator()
    alarms, at_s = 0, 0.0
    while at_s < seconds:
        at_s += rng.expovariate(1.0)
        estimator.update(rng.choice((1, -1)), rng.lognormvariate(7.0, 1.2), round(at_s * 1_000))
        found = estimator.cascade(round(at_s * 1_000))
        alarms += found is not None and found.severity_share > 0
    return estimator, alarms


def test_incident_48_a_stationary_day_of_flow_raises_no_alarm() -> None:
    assert _calm(1, 86_400)[1] == 0


@pytest.mark.parametrize(("sign", "side"), [(1, Side.ASK), (-1, Side.BID)])
def test_a_flood_of_one_side_reaches_full_severity_and_fades(sign: int, side: Side) -> None:
    estimator, _ = _calm(2, 3_600)
    for index in range(100):
        estimator.update(sign, 40_000.0, 3_601_000 + 20 * index)
    found = estimator.cascade(3_603_000)
    assert found is not None
    assert found.severity_share == 1.0
    assert found.side is side
    later = estimator.cascade(3_663_000)
    assert later is not None
    assert later.severity_share == 0.0
    assert later.side is None


def test_a_flood_of_both_sides_is_busy_not_forced() -> None:
    estimator, _ = _calm(2, 3_600)
    for index in range(100):
        estimator.update(1 if index % 2 else -1, 20_000.0, 3_601_000 + 20 * index)
    found = estimator.cascade(3_603_000)
    assert found is not None
    assert found.severity_share == 0.0


def test_unknown_before_two_minutes() -> None:
    estimator = CascadeEstimator()
    estimator.update(1, 1e9, 0)
    assert estimator.cascade(0) is None
