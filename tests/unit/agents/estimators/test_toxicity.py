"""Toxicity: nothing at random signs however few the trades, one when all go one way."""

import random

import pytest

from agents.estimators.toxicity import ToxicityEstimator


def _flow(seed: int, per_bucket: int, bought_share: float, *, sign: int = 1) -> ToxicityEstimator:
    rng = random.Random(seed)
    estimator = ToxicityEstimator()
    for bucket in range(400):
        for index in range(per_bucket):
            bought = rng.random() < bought_share
            usd = rng.lognormvariate(7.0, 1.5)
            at_ms = bucket * 30_000 + index * 10
            estimator.update(sign if bought else -sign, usd, at_ms)
    estimator.update(1, 1.0, 400 * 30_000)
    return estimator


@pytest.mark.parametrize("per_bucket", [2, 3, 5, 50])
def test_incident_50_random_signs_are_no_toxicity_however_few(per_bucket: int) -> None:
    found = [_flow(seed, per_bucket, 0.5).toxicity_share or 0.0 for seed in range(30)]
    assert abs(sum(found) / len(found)) < 0.04


def test_incident_50_a_bucket_of_one_trade_says_nothing() -> None:
    assert _flow(1, 1, 1.0).toxicity_share is None


def test_all_one_way_is_toxic_and_rather_one_way_is_rather_toxic() -> None:
    whole = _flow(1, 20, 1.0).toxicity_share or 0.0
    rather = _flow(1, 20, 0.8).toxicity_share or 0.0
    assert whole > 0.9
    assert 0.2 < rather < 0.5  # (2 * 0.8 - 1)^2 = 0.36


def test_incident_58_mirrored_flow_is_as_toxic_the_other_way() -> None:
    one, other = _flow(4, 10, 0.7), _flow(4, 10, 0.7, sign=-1)
    assert one.toxicity_share == pytest.approx(other.toxicity_share, rel=0.02)
    assert one.direction == pytest.approx(-other.direction, rel=0.02)


def test_an_unfinished_bucket_does_not_outlive_a_gap() -> None:
    estimator = ToxicityEstimator()
    for index in range(10):
        estimator.update(1, 100.0, index)
    estimator.restart()
    estimator.update(1, 100.0, 90_000)
    assert estimator.toxicity_share is None
