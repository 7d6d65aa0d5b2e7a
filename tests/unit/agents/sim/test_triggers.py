"""Trigger orders: taken beside the book, fired by the mark, tied to parents and siblings."""

from decimal import Decimal
from typing import Any

import pytest

from agents.market.types import Side
from agents.sim.outputs import NonUserCancel
from tests.unit.agents.sim.desk import ALICE, BTC, Desk, order, orders


def trigger(side: str, px: str, at: str, tpsl: str, sz: str = "0.1", **more: Any) -> dict[str, Any]:
    row = order(BTC, side, px, sz, reduce_only=True)
    market = more.pop("market", True)
    return row | {"t": {"trigger": {"isMarket": market, "triggerPx": at, "tpsl": tpsl}}} | more


def grouped(grouping: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"type": "order", "orders": list(rows), "grouping": grouping}


@pytest.fixture
def desk() -> Desk:
    """Alice is long 0.1 at 84000; the market is 83990 to 84010."""
    desk = Desk()
    desk.flow("BTC", Side.ASK, "84000", "0.1")
    desk.place(ALICE, order(BTC, "B", "84000", "0.1", tif="Ioc"))
    desk.flow("BTC", Side.BID, "83990", "5")
    desk.flow("BTC", Side.ASK, "84010", "5")
    desk.block()
    return desk


def move(desk: Desk, bid: str, ask: str) -> None:
    """The flow's market moves to this touch."""
    desk.exchange.begin(desk.now_ms + 70)
    market = desk.exchange.floor.markets
    bids, asks = market[next(iter(market))].levels()
    for side, levels in ((Side.ASK, bids), (Side.BID, asks)):
        for level in levels:
            desk.flow("BTC", side, str(level.px), str(level.sz), tif="Ioc", owner="mover")
    desk.flow("BTC", Side.BID, bid, "5")
    desk.flow("BTC", Side.ASK, ask, "5")
    desk.block()


def test_a_stop_fires_where_the_mark_falls_to_it(desk: Desk) -> None:
    placed = desk.place(ALICE, trigger("A", "78000", "83000", "sl"))
    assert placed == [{"resting": {"oid": desk.open_oids(ALICE)[0]}}]
    (oid,) = desk.open_oids(ALICE)
    (row,) = desk.ask("frontendOpenOrders", user=ALICE)
    assert (row["triggerCondition"], row["triggerPx"]) == ("Price below 83000", "83000.0")
    assert (row["isTrigger"], row["orderType"], row["tif"]) == (True, "Stop Market", None)
    assert desk.ask("openOrders", user=ALICE)[0]["reduceOnly"] is True
    assert desk.exchange.l2(desk.exchange.universe.coins()[0])["levels"] == [
        [{"px": "83990.0", "sz": "5.0", "n": 1}], [{"px": "84010.0", "sz": "5.0", "n": 1}],
    ]  # fmt: skip
    move(desk, "82990", "83000")
    desk.block()
    assert desk.szi(ALICE, "BTC") == "0.0"
    assert desk.ask("userFills", user=ALICE)[0]["px"] == "82990.0"
    history = desk.ask("historicalOrders", user=ALICE)
    assert [row["status"] for row in history if row["order"]["oid"] == oid] == [
        "filled", "triggered", "open",
    ]  # fmt: skip


def test_a_limit_take_profit_rests_once_it_has_fired(desk: Desk) -> None:
    desk.place(ALICE, trigger("A", "85010", "85000", "tp", market=False))
    (oid,) = desk.open_oids(ALICE)
    move(desk, "84999", "85005")
    desk.block()
    (row,) = desk.ask("frontendOpenOrders", user=ALICE)
    assert (row["oid"], row["limitPx"], row["tif"]) == (oid, "85010.0", "Gtc")


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (
            orders(trigger("A", "78000", "83000", "sl") | {"r": False}),
            "Trigger order is not reduce only.",
        ),
        (orders(trigger("A", "78000", "85000", "sl")), "Invalid TP/SL price. asset=0"),
        (orders(trigger("A", "78000", "83000", "tp")), "Invalid TP/SL price. asset=0"),
        (
            orders(trigger("A", "78000", "83000", "sl", sz="400")),
            "Order value too large. Max is $30000000.",
        ),
        (grouped("normalTpsl", order(BTC, "B", "84000", "0.1")), "Unexpected number of trigger"),
        (
            grouped(
                "normalTpsl",
                order(BTC, "B", "83000", "0.1"),
                trigger("B", "85000", "85000", "tp"),
            ),
            "Trigger order has unexpected side.",
        ),
        (grouped("positionTpsl", order(BTC, "B", "84000", "0.1")), "Unexpected number of trigger"),
    ],
)
def test_refusals(desk: Desk, action: dict[str, Any], text: str) -> None:
    (status,) = desk.statuses(desk.act(ALICE, action))
    assert status["error"].startswith(text)


def test_children_wait_for_their_parent_and_one_ends_the_other(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "A", "83990", "0.1", tif="Ioc"))
    rows = (
        order(BTC, "B", "83985", "0.1", tif="Gtc"),
        trigger("A", "86000", "85000", "tp"),
        trigger("A", "78000", "83000", "sl"),
    )
    statuses = desk.statuses(desk.act(ALICE, grouped("normalTpsl", *rows)))
    assert statuses[1:] == ["waitingForFill"] * 2
    (parent,) = desk.ask("frontendOpenOrders", user=ALICE)
    assert [child["triggerPx"] for child in parent["children"]] == ["85000.0", "83000.0"]
    desk.flow("BTC", Side.ASK, "83985", "5.5", tif="Ioc")
    desk.block()
    assert len(desk.ask("frontendOpenOrders", user=ALICE)) == 2
    move(desk, "82990", "83000")
    desk.block()
    assert desk.szi(ALICE, "BTC") == "0.0"
    assert desk.open_oids(ALICE) == []
    seen = {row["status"] for row in desk.ask("historicalOrders", user=ALICE)}
    assert "siblingFilledCanceled" in seen


def test_children_go_with_a_cancelled_parent(desk: Desk) -> None:
    rows = order(BTC, "B", "83000", "0.1"), trigger("A", "78000", "80000", "sl")
    statuses = desk.statuses(desk.act(ALICE, grouped("normalTpsl", *rows)))
    oid = statuses[0]["resting"]["oid"]
    desk.act(ALICE, {"type": "cancel", "cancels": [{"a": BTC, "o": oid}]})
    assert desk.open_oids(ALICE) == []


def test_children_of_a_filled_parent_are_armed_at_once(desk: Desk) -> None:
    rows = order(BTC, "B", "84010", "0.1", tif="Ioc"), trigger("A", "78000", "80000", "sl")
    statuses = desk.statuses(desk.act(ALICE, grouped("normalTpsl", *rows)))
    assert "filled" in statuses[0]
    assert statuses[1] == "waitingForTrigger"


def test_a_trigger_goes_with_the_position(desk: Desk) -> None:
    action = grouped("positionTpsl", trigger("A", "78000", "83000", "sl", "0"))
    assert desk.statuses(desk.act(ALICE, action)) == ["waitingForTrigger"]
    (oid,) = desk.open_oids(ALICE)
    desk.place(ALICE, order(BTC, "A", "83990", "0.1", tif="Ioc"))
    assert desk.open_oids(ALICE) == []
    assert (oid, "reduceOnlyCanceled", "0.0") in desk.order_rows(ALICE)
    assert any(isinstance(o, NonUserCancel) and o.oid == oid for o in desk.outputs)


def test_a_trigger_is_cancelled_but_not_fast_and_outlives_a_restart(desk: Desk) -> None:
    desk.place(ALICE, trigger("A", "78000", "83000", "sl"))
    (oid,) = desk.open_oids(ALICE)
    state = desk.exchange.snapshot()
    desk.exchange = type(desk.exchange)(desk.exchange.universe)
    desk.exchange.restore(state)
    cancel = {"type": "cancel", "cancels": [{"a": BTC, "o": oid}]}
    (refused,) = desk.statuses(desk.act(ALICE, cancel | {"f": True}))
    assert "Fast cancel" in refused["error"]
    assert desk.statuses(desk.act(ALICE, cancel)) == ["success"]
    assert desk.exchange.snapshot()["accounts"] is not None
    assert desk.open_oids(ALICE) == []


def test_builders_are_paid_what_was_approved(desk: Desk) -> None:
    builder = "0x" + "bb" * 20
    action = orders(order(BTC, "B", "84010", "0.1", tif="Ioc"))
    paid = action | {"builder": {"b": builder, "f": 10}}
    assert desk.statuses(desk.act(ALICE, paid)) == [{"error": "Builder fee has not been approved."}]
    free = action | {"builder": {"b": builder, "f": 0}}
    assert "filled" in desk.statuses(desk.act(ALICE, free))[0]
    approve = {"type": "approveBuilderFee", "signatureChainId": "0x1"}
    approve |= {"hyperliquidChain": "Testnet", "maxFeeRate": "0.01%", "builder": builder}
    answer = desk.act(ALICE, approve | {"nonce": desk.nonce + 1})
    assert answer["status"] == "ok"
    assert desk.ask("maxBuilderFee", user=ALICE, builder=builder) == 10
    desk.act(ALICE, paid)
    (fill,) = desk.fills(ALICE)
    assert Decimal(fill["builderFee"]) == Decimal("0.8401")
    assert Decimal(fill["fee"]) == Decimal("0.8401") + Decimal("3.78045")
