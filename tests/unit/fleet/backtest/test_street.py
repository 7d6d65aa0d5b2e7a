"""Economics where the truth is known: what quoting earns, from whom, and what fitting costs."""

from random import Random

import msgspec
import pytest

from fleet.backtest.street import (
    FEE_BPS,
    Distances,
    Model,
    Outcome,
    fitted,
    fixed,
    optimal,
    play,
    symmetric,
)

MODEL = Model()
CLIP_USD = 500.0
SEEDS = (1, 2, 3)
SECONDS = 12_000  # times three seeds: more than ten thousand fills


def _runs(distances: Distances, model: Model = MODEL) -> list[Outcome]:
    return [play(model, distances, Random(seed), seconds=SECONDS) for seed in SEEDS]


def _pnl(outcomes: list[Outcome]) -> float:
    return sum(outcome.pnl_bps for outcome in outcomes)


@pytest.fixture(scope="module")
def ours() -> list[Outcome]:
    return _runs(optimal(MODEL))


def test_uninformed_flow_pays_at_few_requests_and_far_from_the_limit(ours: list[Outcome]) -> None:
    assert sum(outcome.fills for outcome in ours) > 10_000
    assert min(outcome.pnl_bps for outcome in ours) > 0
    assert max(outcome.limit_share for outcome in ours) < 0.1
    assert max(outcome.requests_a_fill for outcome in ours) / CLIP_USD < 1


def test_the_more_is_informed_the_less_is_left(ours: list[Outcome]) -> None:
    pnls = [_pnl(ours)]
    for share in (0.2, 0.5):
        informed = msgspec.structs.replace(MODEL, informed_share=share)
        pnls.append(_pnl(_runs(optimal(MODEL), informed)))
    assert pnls == sorted(pnls, reverse=True)
    assert pnls[-1] < 0.5 * pnls[0]


def test_fitted_parameters_keep_nine_tenths(ours: list[Outcome]) -> None:
    believed = fitted(MODEL, Random(100))
    assert _pnl(_runs(optimal(believed))) > 0.9 * _pnl(ours)


@pytest.mark.parametrize("rival", ["symmetric", "fixed", "near"])
def test_it_beats_who_has_no_skew_by_more_than_chance(ours: list[Outcome], rival: str) -> None:
    """Mean over deviation of a minute: each of ours is above each of theirs by four errors."""
    flat_bps = optimal(MODEL)[len(optimal(MODEL)) // 2][0]
    rivals = {"symmetric": symmetric(MODEL), "fixed": fixed(flat_bps + 1), "near": fixed(3.0)}
    theirs = _runs(rivals[rival])
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.ratio - 4 * mine.ratio_se > other.ratio + 4 * other.ratio_se


def test_the_rule_is_glft_and_mirrored() -> None:
    distances = optimal(MODEL)
    for (bid, ask), (other_bid, other_ask) in zip(distances, reversed(distances), strict=True):
        assert (bid, ask) == pytest.approx((other_ask, other_bid))
    assert distances[10][0] > FEE_BPS + 1 / (2 * MODEL.kappa_per_bps)
    bids = [bid for bid, _ in distances[:-1]]
    assert bids == sorted(bids)
