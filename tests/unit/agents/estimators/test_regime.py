"""The regime: judged against a slow baseline, slow to change, quiet where nothing happens."""

import random

import pytest

from agents.estimators.regime import BASELINE_SEEN_MIN_S, Regime, RegimeEstimator
from agents.market.units import NS_PER_S


def _settled() -> tuple[RegimeEstimator, int]:
    estimator = RegimeEstimator()
    second = 0
    for second in range(600):
        estimator.update(2.0, second * NS_PER_S)
    return estimator, second + 1


def test_unknown_without_a_baseline() -> None:
    estimator = RegimeEstimator()
    for second in range(int(BASELINE_SEEN_MIN_S)):
        assert estimator.update(2.0, second * NS_PER_S) is None
    assert estimator.baseline_bps is None


@pytest.mark.parametrize(
    ("sigma_bps", "regime"),
    [(0.8, Regime.LOW), (2.5, Regime.NORMAL), (3.4, Regime.HIGH), (7.0, Regime.EXTREME)],
)
def test_levels_by_the_ratio_to_the_baseline(sigma_bps: float, regime: Regime) -> None:
    estimator, second = _settled()
    for later in range(40):
        estimator.update(sigma_bps, (second + later) * NS_PER_S)
    assert estimator.regime is regime


def test_up_after_five_seconds_down_after_thirty() -> None:
    estimator, second = _settled()
    history = [
        estimator.update(4.0 if later < 20 else 2.0, (second + later) * NS_PER_S)
        for later in range(60)
    ]
    assert history[4] is Regime.NORMAL
    assert history[5] is Regime.HIGH
    assert history[49] is Regime.HIGH
    assert history[50] is Regime.NORMAL


def test_a_high_regime_is_kept_down_to_its_exit() -> None:
    estimator, second = _settled()
    for later in range(200):
        estimator.update(3.4 if later < 20 else 2.6, (second + later) * NS_PER_S)
    assert estimator.regime is Regime.HIGH  # 2.6 is 1.3 baselines: above 1.2, below 1.5


def test_an_hour_of_trouble_is_not_called_normal() -> None:
    estimator = RegimeEstimator()
    for second in range(0, 4 * 3_600, 10):
        estimator.update(2.0, second * NS_PER_S)
    for second in range(4 * 3_600, 5 * 3_600, 10):
        estimator.update(6.5, second * NS_PER_S)
    assert estimator.regime is Regime.EXTREME


def test_incident_48_a_stationary_day_raises_no_alarm() -> None:
    rng = random.Random(11)
    estimator = RegimeEstimator()
    changes = 0
    before: Regime | None = None
    for second in range(86_400):
        now = estimator.update(2.0 * rng.lognormvariate(0.0, 0.15), second * NS_PER_S)
        changes += before is not None and now is not before
        before = now
    assert changes == 0


def test_a_gap_is_nobodys_time() -> None:
    estimator, second = _settled()
    estimator.restart()
    estimator.update(50.0, (second + 100_000) * NS_PER_S)
    assert estimator.baseline_bps == pytest.approx(2.0)
