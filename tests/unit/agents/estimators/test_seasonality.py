"""Hours of the week in UTC, shrunk to one."""

import pytest

from agents.estimators.seasonality import MS_PER_H, SeasonalityEstimator, hour_of_week

MONDAY_MS = 1_756_684_800_000  # 2025-09-01 00:00 UTC


@pytest.mark.parametrize(("hours", "expected"), [(0, 0), (1, 1), (25, 25), (167, 167), (168, 0)])
def test_monday_midnight_utc_is_hour_nought(hours: int, expected: int) -> None:
    assert hour_of_week(MONDAY_MS + hours * MS_PER_H) == expected


def test_one_busy_hour_moves_little_many_weeks_of_it_much() -> None:
    factors = []
    for weeks in (1, 40):
        estimator = SeasonalityEstimator()
        for hour in range(168 * weeks):
            at_ms = MONDAY_MS + hour * MS_PER_H
            estimator.elapse(at_ms, 3_600.0)
            for _ in range(20 if hour % 168 == 14 else 10):
                estimator.update(at_ms)
        factors.append(estimator.factor(MONDAY_MS + 14 * MS_PER_H))
    assert 1.0 < factors[0] < 1.15
    assert 1.7 < factors[1] < 2.0


def test_a_flat_week_is_one_everywhere() -> None:
    estimator = SeasonalityEstimator()
    for hour in range(168):
        estimator.elapse(MONDAY_MS + hour * MS_PER_H, 3_600.0)
        estimator.update(MONDAY_MS + hour * MS_PER_H)
    assert estimator.factor(MONDAY_MS) == pytest.approx(1.0)


def test_unseen_is_one_and_the_factor_is_bounded() -> None:
    estimator = SeasonalityEstimator()
    assert estimator.factor(0) == 1.0
    estimator.elapse(MONDAY_MS, 3_600.0 * 100)
    estimator.elapse(MONDAY_MS + MS_PER_H, 3_600.0 * 100)
    for _ in range(100_000):
        estimator.update(MONDAY_MS)
    assert estimator.factor(MONDAY_MS) <= 2.0
    assert estimator.factor(MONDAY_MS + MS_PER_H) >= 0.5


def test_what_was_counted_is_carried() -> None:
    one, other = SeasonalityEstimator(), SeasonalityEstimator()
    one.elapse(MONDAY_MS, 3_600.0)
    one.elapse(MONDAY_MS + MS_PER_H, 3_600.0)
    one.update(MONDAY_MS)
    other.carry(one.carried())
    assert other.factor(MONDAY_MS) == one.factor(MONDAY_MS) > 1.0
