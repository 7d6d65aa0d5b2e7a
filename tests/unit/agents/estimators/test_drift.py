"""What the sizes foretell: learned, bounded, mirrored, and nothing of it over a gap."""

import math
import random

import pytest

from agents.estimators.drift import BETA_MAX, BETA_PRIOR, ROOT_HORIZON, DriftEstimator

STEP_MS = 250


def _taught(
    beta: float, *, sign: float = 1.0, seed: int = 5, seconds: int = 3_000
) -> DriftEstimator:
    """A market whose mid drifts by ``beta`` deviations over three seconds at a full imbalance."""
    chance = random.Random(seed)
    estimator = DriftEstimator()
    log_px, x = 0.0, 0.0
    step_s = STEP_MS / 1_000
    for step in range(int(seconds / step_s)):
        x = 0.98 * x + 0.2 * chance.gauss(0.0, 1.0) * math.sqrt(1 - 0.98**2) * 5
        lean = max(min(x, 1.0), -1.0)
        estimator.touched(
            math.exp(sign * log_px / 1e4), 1 + sign * lean, 1 - sign * lean, step * STEP_MS + 1, 1.0
        )
        log_px += beta * lean * ROOT_HORIZON * step_s / 3 + chance.gauss(0.0, math.sqrt(step_s))
    return estimator


def test_it_starts_at_its_prior_and_says_nothing_of_an_even_book() -> None:
    estimator = DriftEstimator()
    assert estimator.beta == BETA_PRIOR
    assert estimator.drift_bps(2.0) == 0.0
    estimator.touched(100.0, 3.0, 1.0, 1, 2.0)
    assert estimator.drift_bps(2.0) == pytest.approx(BETA_PRIOR * 0.5 * 2.0 * ROOT_HORIZON)


def test_a_signal_without_worth_is_unlearned_and_a_strong_one_learned() -> None:
    assert _taught(0.0).beta < 0.1
    assert 0.3 < _taught(0.6).beta <= BETA_MAX
    assert _taught(-0.5).beta == 0.0


def test_a_mirrored_market_drifts_the_other_way() -> None:
    one, other = _taught(0.5), _taught(0.5, sign=-1.0)
    assert one.drift_bps(1.0) == pytest.approx(-other.drift_bps(1.0))


def test_the_book_behind_the_touch_counts_half() -> None:
    estimator = DriftEstimator()
    estimator.rests(1_000.0, 3_000.0)
    estimator.touched(100.0, 3.0, 1.0, 1, 1.0)
    assert estimator.drift_bps(1.0) == 0.0


def test_nothing_foretold_is_judged_after_a_gap() -> None:
    estimator = DriftEstimator()
    estimator.touched(100.0, 1.0, 0.0, 1, 1.0)
    estimator.restart()
    estimator.touched(110.0, 1.0, 1.0, 3_001, 1.0)
    assert estimator.beta == BETA_PRIOR


def test_what_comes_too_late_is_no_answer() -> None:
    estimator = DriftEstimator()
    estimator.touched(100.0, 1.0, 0.0, 1, 1.0)
    estimator.touched(110.0, 1.0, 1.0, 9_000, 1.0)
    assert estimator.beta == BETA_PRIOR
