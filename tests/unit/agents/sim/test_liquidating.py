"""Liquidation: by market, by the backstop, by deleveraging; the rows it leaves."""

from decimal import Decimal

import pytest

from agents.market.types import Coin, Side
from agents.sim.market import RestingOrder
from agents.sim.outputs import LiquidationRow
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, CRCL, Desk, order

VAULT = "0x4" + "0" * 39


def leveraged(desk: Desk, sz: str = "1") -> None:
    """Alice is long at 84000 with nearly all she has, against Bob."""
    action = {"type": "updateLeverage", "asset": BTC, "isCross": True, "leverage": 40}
    desk.act(ALICE, action)
    desk.place(BOB, order(BTC, "A", "84000", sz))
    assert "filled" in desk.place(ALICE, order(BTC, "B", "84000", sz, tif="Ioc"))[0]


def crash(desk: Desk, px: str, depth: str = "100") -> None:
    bid = Decimal(px) - 1
    desk.flow("BTC", Side.BID, str(bid), depth)
    desk.flow("BTC", Side.ASK, str(Decimal(px) + 1), depth)
    desk.exchange.set_oracle(Coin("BTC"), Decimal(px))
    desk.block()


@pytest.fixture
def desk() -> Desk:
    desk = Desk(usd=3_000)
    desk.exchange.fund(BOB, Decimal(1_000_000))
    leveraged(desk)
    return desk


def test_below_maintenance_the_position_goes_into_the_book(desk: Desk) -> None:
    resting = desk.place(ALICE, order(BTC, "B", "20000", "0.001"))[0]["resting"]["oid"]
    crash(desk, "82000")
    assert desk.szi(ALICE, "BTC") == "0.0"
    (fill,) = desk.fills(ALICE)
    assert fill["liquidation"]["method"] == "market"
    assert fill["liquidation"]["liquidatedUser"] == ALICE
    assert fill["crossed"] is True
    assert (resting, "liquidatedCanceled", "0.001") in desk.order_rows(ALICE)
    (event,) = [o for o in desk.outputs if isinstance(o, LiquidationRow)]
    assert event.user == ALICE
    assert Decimal(desk.state(ALICE)["marginSummary"]["accountValue"]) > 0


def test_a_large_position_goes_a_fifth_first_then_whole() -> None:
    desk = Desk(usd=9_000)
    desk.exchange.fund(BOB, Decimal(1_000_000))
    leveraged(desk, "4")
    crash(desk, "82600")
    assert desk.szi(ALICE, "BTC") == "3.2"
    crash(desk, "82500")
    assert desk.szi(ALICE, "BTC") == "0.0"


def test_far_below_the_backstop_takes_position_and_margin(desk: Desk) -> None:
    crash(desk, "81600")
    assert desk.szi(ALICE, "BTC") == "0.0"
    assert desk.szi(VAULT, "BTC") == "1.0"
    assert desk.fills(ALICE)[0]["liquidation"]["method"] == "backstop"
    assert desk.state(ALICE)["marginSummary"]["accountValue"] == "0.0"


def test_below_zero_the_other_side_is_deleveraged(desk: Desk) -> None:
    crash(desk, "83500")
    crash(desk, "78000")
    assert desk.szi(ALICE, "BTC") == desk.szi(BOB, "BTC") == "0.0"
    assert {fill["dir"] for fill in desk.fills(BOB)} == {"Auto-Deleveraging"}
    assert Decimal(desk.state(ALICE)["marginSummary"]["accountValue"]) >= 0


def test_an_isolated_position_costs_its_own_margin_only() -> None:
    desk = Desk(usd=10_000)
    desk.flow("xyz:CRCL", Side.ASK, "86.4", "100")
    desk.place(ALICE, order(CRCL, "B", "86.4", "100", tif="Ioc"))
    before = Decimal(desk.state(ALICE, "xyz")["crossMarginSummary"]["accountValue"])
    desk.flow("xyz:CRCL", Side.BID, "60", "1000")
    desk.flow("xyz:CRCL", Side.ASK, "60.01", "1000")
    desk.block()
    state = desk.state(ALICE, "xyz")
    assert state["assetPositions"] == []
    assert Decimal(state["crossMarginSummary"]["accountValue"]) == before


def test_a_resting_order_without_margin_is_cancelled_where_it_would_match() -> None:
    desk = Desk(usd=3_000)
    desk.exchange.fund(BOB, Decimal(1_000_000))
    desk.act(ALICE, {"type": "updateLeverage", "asset": BTC, "isCross": True, "leverage": 40})
    oid = desk.place(ALICE, order(BTC, "B", "84000", "1"))[0]["resting"]["oid"]
    clearing = desk.exchange.floor.account(ALICE).clearing("")
    clearing.raw_usd -= Decimal(2_000)  # as a loss elsewhere would
    answer = desk.place(BOB, order(BTC, "A", "84000", "1", tif="Ioc"))
    assert "could not immediately match" in answer[0]["error"]
    assert (oid, "marginCanceled", "1.0") in desk.order_rows(ALICE)


def test_what_an_empty_book_left_is_liquidated_once_there_are_orders(desk: Desk) -> None:
    desk.exchange.set_oracle(Coin("BTC"), Decimal(82_000))
    desk.exchange.floor.tallies[Coin("BTC")].mark_px = Decimal(82_000)
    desk.block()
    assert desk.szi(ALICE, "BTC") == "1.0"  # nobody buys
    desk.exchange.floor.markets[Coin("BTC")].place(_bid("81999", "5"), desk.now_ms)
    desk.block()  # the mark has not moved, nor has the money
    assert desk.szi(ALICE, "BTC") == "0.0"


def test_money_that_goes_is_seen_though_no_mark_moves(desk: Desk) -> None:
    desk.flow("BTC", Side.BID, "83999", "5")
    desk.flow("BTC", Side.ASK, "84001", "5")
    desk.block()
    assert desk.szi(ALICE, "BTC") == "1.0"
    alice = desk.exchange.floor.account(ALICE)
    alice.clearing("").raw_usd -= Decimal(2_100)
    desk.exchange.floor.tell_change(alice, "", orders=False, money=True)
    desk.block()
    assert desk.szi(ALICE, "BTC") == "0.0"


def _bid(px: str, sz: str) -> RestingOrder:
    return RestingOrder(
        oid=1,
        owner="flow",
        side=Side.BID,
        px=Decimal(px),
        sz=Decimal(sz),
        orig_sz=Decimal(sz),
        placed_ms=0,
        tif="Alo",
    )
