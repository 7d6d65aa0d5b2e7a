"""Hawkes: stationary, its mean is the mean rate, the branching ratio is told and bounded."""

import random

import pytest

from agents.estimators.hawkes import BETA_PER_S, BRANCHING_MAX, HawkesEstimator


def _times(seed: int, *, mean_per_s: float, branching: float, seconds: float) -> list[int]:
    """A Hawkes process as its clusters: each burst brings Poisson(n) more, exponentially later."""
    rng = random.Random(seed)
    waiting = []
    at_s = rng.expovariate(mean_per_s * (1 - branching))
    while at_s < seconds:
        waiting.append(at_s)
        at_s += rng.expovariate(mean_per_s * (1 - branching))
    found = []
    while waiting:
        at_s = waiting.pop()
        if at_s >= seconds:
            continue
        found.append(round(at_s * 1_000))
        due = rng.expovariate(1.0)
        while due < branching:  # unit-rate arrivals within n: a Poisson number of children
            waiting.append(at_s + rng.expovariate(BETA_PER_S))
            due += rng.expovariate(1.0)
    return sorted(found)


def _watched(times: list[int]) -> HawkesEstimator:
    estimator = HawkesEstimator()
    for at_ms in times:
        estimator.update(at_ms)
    return estimator


@pytest.mark.parametrize("branching", [0.0, 0.4, 0.7])
def test_the_branching_ratio_is_told(branching: float) -> None:
    found = [
        _watched(_times(seed, mean_per_s=1.0, branching=branching, seconds=7_200.0)).branching_share
        for seed in range(6)
    ]
    assert sum(found) / len(found) == pytest.approx(branching, abs=0.12)


def test_it_is_stationary_its_mean_intensity_is_the_mean_rate() -> None:
    times = _times(3, mean_per_s=1.0, branching=0.6, seconds=7_200.0)
    estimator = HawkesEstimator()
    read, index = [], 0
    for second in range(7_200):
        while index < len(times) and times[index] < second * 1_000:
            estimator.update(times[index])
            index += 1
        estimator.elapse(second * 1_000)
        found = estimator.excitement(second * 1_000)
        if found is not None:
            read.append(found.per_s)
    assert sum(read) / len(read) == pytest.approx(len(times) / 7_200, rel=0.1)


def test_whatever_comes_the_ratio_stays_below_one() -> None:
    estimator = HawkesEstimator()
    for minute in range(600):
        for index in range(2_000 if minute % 100 == 0 else 1):
            estimator.update(minute * 60_000 + index)
    assert estimator.branching_share <= BRANCHING_MAX
    found = estimator.excitement(600 * 60_000)
    assert found is not None
    assert found.branching_share < 1.0


def test_a_burst_excites_and_fades() -> None:
    estimator = _watched(_times(5, mean_per_s=0.5, branching=0.3, seconds=3_600.0))
    for index in range(20):
        estimator.update(3_600_000 + index)
    now, later = estimator.excitement(3_600_020), estimator.excitement(3_620_000)
    assert now is not None
    assert later is not None
    assert now.ratio > 4.0
    assert later.ratio < 1.0


def test_unknown_before_ten_windows_and_silence_is_watched_too() -> None:
    estimator = HawkesEstimator()
    estimator.update(0)
    assert estimator.excitement(0) is None
    estimator.elapse(240_000)
    found = estimator.excitement(240_000)
    assert found is not None
    assert found.per_s < 0.01
