"""Cancels, modifies and the scheduled cancel, with the venue's texts."""

from decimal import Decimal

import pytest

from agents.market.types import Side
from agents.sim.outputs import NonUserCancel
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, SOL, Desk, cloid, order

DEAD = "Order was never placed, already canceled, or filled. asset={}"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_cancel_by_oid_and_by_cloid(desk: Desk) -> None:
    statuses = desk.place(
        ALICE, order(BTC, "B", "83000", "0.1"), order(BTC, "B", "83001", "0.2", cloid=cloid(0xAB))
    )
    oid = statuses[0]["resting"]["oid"]
    payload = desk.act(ALICE, {"type": "cancel", "cancels": [{"a": BTC, "o": oid}]})
    assert payload == {
        "status": "ok", "response": {"type": "cancel", "data": {"statuses": ["success"]}},
    }  # fmt: skip
    assert desk.order_rows(ALICE) == [(oid, "canceled", "0.1")]
    upper = cloid(0xAB).replace("ab", "AB")
    by_cloid = {"type": "cancelByCloid", "cancels": [{"asset": BTC, "cloid": upper}]}
    assert desk.statuses(desk.act(ALICE, by_cloid)) == ["success"]
    assert desk.statuses(desk.act(ALICE, by_cloid)) == [{"error": DEAD.format(BTC)}]
    assert not desk.open_oids(ALICE)


def test_a_cancel_needs_owner_and_asset(desk: Desk) -> None:
    oid = desk.place(ALICE, order(BTC, "B", "83000", "0.1"))[0]["resting"]["oid"]
    cancel = {"type": "cancel", "cancels": [{"a": BTC, "o": oid}]}
    assert desk.statuses(desk.act(BOB, cancel)) == [{"error": DEAD.format(BTC)}]
    other = {"type": "cancel", "cancels": [{"a": SOL, "o": oid}]}
    assert desk.statuses(desk.act(ALICE, other)) == [{"error": DEAD.format(SOL)}]
    assert desk.open_oids(ALICE) == [oid]


def test_the_remainder_of_a_partly_filled_order_is_cancelled(desk: Desk) -> None:
    oid = desk.place(ALICE, order(BTC, "B", "83000", "0.1"))[0]["resting"]["oid"]
    desk.flow("BTC", Side.ASK, "83000", "0.03", tif="Ioc")
    desk.act(ALICE, {"type": "cancel", "cancels": [{"a": BTC, "o": oid}]})
    assert desk.order_rows(ALICE) == [(oid, "canceled", "0.07")]
    assert desk.state(ALICE)["crossMarginSummary"]["totalMarginUsed"] != "0.0"


def test_modify_gives_a_new_oid_and_answers_default(desk: Desk) -> None:
    old = desk.place(ALICE, order(BTC, "B", "83000", "0.1"))[0]["resting"]["oid"]
    new = order(BTC, "B", "83100", "0.2", cloid=cloid(1))
    payload = desk.act(ALICE, {"type": "modify", "oid": old, "order": new})
    assert payload == {"status": "ok", "response": {"type": "default"}}
    (oid,) = desk.open_oids(ALICE)
    assert oid > old
    assert desk.order_rows(ALICE) == [(old, "canceled", "0.1"), (oid, "open", "0.2")]
    gone = desk.act(ALICE, {"type": "modify", "oid": old, "order": new})
    assert gone == {"status": "err", "response": "Cannot modify canceled or filled order"}
    again = desk.act(ALICE, {"type": "batchModify", "modifies": [{"oid": cloid(1), "order": new}]})
    assert desk.statuses(again)[0]["resting"]["cloid"] == cloid(1)


def test_a_modify_whose_new_order_would_match_has_cancelled_the_old(desk: Desk) -> None:
    old = desk.place(ALICE, order(BTC, "B", "83000", "0.1"))[0]["resting"]["oid"]
    desk.place(BOB, order(BTC, "A", "84000", "0.1"))
    gtc = order(BTC, "B", "84000", "0.1", tif="Gtc")
    payload = desk.act(ALICE, {"type": "modify", "oid": old, "order": gtc})
    assert payload["response"].startswith(
        "Error placing new order during modify: "
        "Post only order would have immediately matched, bbo was 0@84000"
    )
    assert not desk.open_oids(ALICE)


def test_a_malformed_new_order_leaves_the_old_one(desk: Desk) -> None:
    old = desk.place(ALICE, order(BTC, "B", "83000", "0.1"))[0]["resting"]["oid"]
    off_grid = order(BTC, "B", "83000.5", "0.1")
    payload = desk.act(
        ALICE, {"type": "batchModify", "modifies": [{"oid": old, "order": off_grid}]}
    )
    assert desk.statuses(payload) == [{"error": "Attempted to modify to invalid new order"}]
    assert desk.open_oids(ALICE) == [old]


def test_scheduled_cancel_needs_volume(desk: Desk) -> None:
    desk.exchange.floor.accounts[ALICE].volume_usd = Decimal("12066.7512")
    text = (
        "Cannot set scheduled cancel time until enough volume traded. "
        "Required: $1000000. Traded: $12066.75."
    )
    for action in (
        {"type": "scheduleCancel", "time": desk.now_ms + 9_000},
        {"type": "scheduleCancel"},
    ):
        assert desk.act(ALICE, action) == {"status": "err", "response": text}


def test_scheduled_cancel_takes_every_order_of_the_account(desk: Desk) -> None:
    desk.exchange.floor.accounts[ALICE].volume_usd = Decimal(1_000_000)
    oids = [
        status["resting"]["oid"]
        for status in desk.place(
            ALICE, order(BTC, "B", "83000", "0.1"), order(SOL, "A", "120", "1")
        )
    ]
    foreign = desk.place(BOB, order(BTC, "B", "83000", "0.1"))[0]["resting"]["oid"]
    assert desk.act(ALICE, {"type": "scheduleCancel", "time": desk.now_ms})["status"] == "err"
    desk.act(ALICE, {"type": "scheduleCancel", "time": desk.now_ms + 6_000})
    desk.now_ms += 5_000
    desk.block()
    assert desk.open_oids(ALICE)
    desk.now_ms += 1_000
    desk.block()
    assert sorted(row[0] for row in desk.order_rows(ALICE)) == oids
    assert {row[1] for row in desk.order_rows(ALICE)} == {"scheduledCancel"}
    assert sum(isinstance(o, NonUserCancel) for o in desk.outputs) == 2
    assert desk.open_oids(BOB) == [foreign]
