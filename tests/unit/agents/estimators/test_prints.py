"""Prints to bursts: each id once, no replay, and the mid that stood before the block."""

import pytest

from agents.estimators.prints import TIDS_KEPT, Prints
from agents.market.types import Coin, Side, Tid, Trade

COIN = Coin("BTC")


def _trade(tid: int, px: float, *, at_ms: int = 2_000, side: Side = Side.BID) -> Trade:
    return Trade(coin=COIN, side=side, px=px, sz=2.0, time_ms=at_ms, tid=Tid(tid))


def _live(*mids: tuple[int, float]) -> Prints:
    prints = Prints()
    for venue_ms, mid_px in mids or ((1_000, 100.0),):
        prints.touched(mid_px, venue_ms)
    assert prints.bursts([]) == []
    return prints


def test_the_first_frame_is_a_replay_and_its_ids_are_known() -> None:
    prints = Prints()
    prints.touched(100.0, 1_000)
    assert prints.bursts([_trade(1, 100.1)]) == []
    assert prints.bursts([_trade(1, 100.1)]) == []
    assert len(prints.bursts([_trade(2, 100.1)])) == 1


def test_one_aggressor_in_one_block_is_one_burst_to_its_furthest_print() -> None:
    found = _live().bursts([_trade(1, 100.01), _trade(2, 100.05), _trade(3, 100.03)])
    (burst,) = found
    assert burst.reach_bps == pytest.approx(5.0)
    assert burst.usd == pytest.approx(2 * (100.01 + 100.05 + 100.03))


def test_sides_and_blocks_are_bursts_of_their_own() -> None:
    found = _live().bursts(
        [_trade(1, 100.02), _trade(2, 99.97, side=Side.ASK), _trade(3, 100.02, at_ms=2_100)]
    )
    assert [burst.side for burst in found] == [Side.BID, Side.ASK, Side.BID]
    assert [burst.reach_bps for burst in found] == pytest.approx([2.0, 3.0, 2.0])


def test_the_mid_is_the_one_before_the_block_though_the_touch_came_first() -> None:
    prints = _live((1_900, 100.0), (2_000, 100.5))
    (burst,) = prints.bursts([_trade(1, 100.1, at_ms=2_000)])
    assert burst.mid_px == 100.0
    assert burst.reach_bps == pytest.approx(10.0)


def test_a_print_within_the_mid_reaches_backwards() -> None:
    (burst,) = _live().bursts([_trade(1, 99.99)])
    assert burst.reach_bps == pytest.approx(-1.0)


def test_old_prints_are_no_flow() -> None:
    prints = _live((60_000, 100.0))
    assert prints.bursts([_trade(1, 100.1, at_ms=50_000)]) == []


def test_after_a_gap_the_next_frame_is_a_replay_again() -> None:
    prints = _live()
    prints.gap()
    prints.touched(100.0, 1_000)
    assert prints.bursts([_trade(1, 100.1)]) == []
    assert len(prints.bursts([_trade(2, 100.1)])) == 1


def test_ids_are_remembered_within_bounds() -> None:
    prints = _live()
    for start in range(0, 3 * TIDS_KEPT, 512):
        prints.bursts([_trade(start + index, 100.1) for index in range(512)])
    assert len(prints._tids) == TIDS_KEPT


@pytest.mark.parametrize("px", [float("nan"), float("inf"), 0.0, -1.0])
def test_what_is_no_price_stops_here(px: float) -> None:
    assert _live().bursts([_trade(1, px)]) == []
