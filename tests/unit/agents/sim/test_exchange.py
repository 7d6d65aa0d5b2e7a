"""Blocks: classes, order of outputs, quiet blocks, determinism."""

import json
from decimal import Decimal

import msgspec
import pytest

from agents.market.types import Coin, Side
from agents.sim.exchange import Exchange
from agents.sim.outputs import (
    AccountChanged,
    Answered,
    FillRow,
    OrderRow,
    Printed,
    TouchChanged,
    UnknownRequest,
)
from agents.sim.universe import default_universe
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, Desk, order, orders


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_cancels_win_over_takers_and_makers_over_cancels(desk: Desk) -> None:
    oid = desk.place(ALICE, order(BTC, "A", "84000", "0.1"))[0]["resting"]["oid"]
    taker = desk.submit(BOB, orders(order(BTC, "B", "84001", "0.1", tif="Ioc")))
    cancel = desk.submit(ALICE, {"type": "cancel", "cancels": [{"a": BTC, "o": oid}]})
    maker = desk.submit(ALICE, orders(order(BTC, "A", "84001", "0.1")))
    desk.block()
    answered = [o.ticket for o in desk.outputs if isinstance(o, Answered)]
    assert answered == [maker, cancel, taker]
    assert [fill["px"] for fill in desk.fills(BOB)] == ["84001.0"]


def test_outputs_come_in_the_venues_order(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "A", "84000", "0.1"))
    desk.place(BOB, order(BTC, "B", "84000", "0.1", tif="Gtc"))
    kinds = [type(output) for output in desk.outputs]
    expected = [Answered, Printed, TouchChanged, OrderRow, FillRow, AccountChanged]
    assert [kind for i, kind in enumerate(kinds) if kind not in kinds[:i]] == expected


def test_the_touch_changes_only_with_the_best(desk: Desk) -> None:
    def touched() -> bool:
        return TouchChanged(Coin("BTC")) in desk.outputs

    desk.place(ALICE, order(BTC, "B", "83000", "0.1"))
    assert touched()
    desk.place(ALICE, order(BTC, "B", "82999", "0.1"))
    assert not touched()
    desk.flow("BTC", Side.BID, "83000", "1")
    desk.block()
    assert touched()


def test_flow_orders_can_be_taken_out_once(desk: Desk) -> None:
    placement = desk.flow("BTC", Side.BID, "83000", "1")
    assert placement.resting
    oid = desk.exchange.floor.last_oid
    assert desk.exchange.cancel_flow(Coin("BTC"), oid)
    assert not desk.exchange.cancel_flow(Coin("BTC"), oid)


def test_a_quiet_block_says_nothing(desk: Desk) -> None:
    assert desk.block() == ()
    desk.exchange.begin(desk.now_ms + 70)
    assert desk.block() == ()


def test_unknown_actions_are_refused_at_once(desk: Desk) -> None:
    with pytest.raises(UnknownRequest):
        desk.exchange.submit(1, ALICE, {"type": "perpDexClassTransfer"}, desk.now_ms)
    with pytest.raises(UnknownRequest):
        desk.exchange.submit(1, ALICE, {"type": "noop"}, desk.now_ms, vault="0x12")
    assert desk.block() == ()


def test_funding_reaches_every_dex_in_its_token() -> None:
    exchange = Exchange(default_universe())
    exchange.fund(ALICE.upper().replace("0X", "0x"), Decimal("12.5"))
    outputs = exchange.block(1)
    assert [o.dex for o in outputs if isinstance(o, AccountChanged)] == [
        "", "xyz", "flx", "hyna", "km",
    ]  # fmt: skip
    state = exchange.info({"type": "clearinghouseState", "user": ALICE, "dex": "hyna"}, 5)
    assert isinstance(state, dict)
    assert state["withdrawable"] == "12.5"


def test_equal_input_equal_bytes() -> None:
    def run() -> bytes:
        desk, said = Desk(), []
        for i in range(40):
            side = "B" if i % 3 else "A"
            who = (ALICE, BOB)[i % 2]
            desk.place(who, order(BTC, side, str(84000 + i % 5), "0.01", tif="Gtc"))
            said.append(desk.outputs)
        return msgspec.json.encode([said, desk.exchange.snapshot()])

    assert run() == run()
    assert b'"filled"' in run()


def test_recent_trades_are_kept_oldest_first(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "A", "84000", "0.1"), order(BTC, "A", "84001", "0.1"))
    desk.place(BOB, order(BTC, "B", "84001", "0.2", tif="Ioc"))
    trades = desk.exchange.recent_trades(Coin("BTC"))
    assert [trade.px for trade in trades] == ["84000.0", "84001.0"]
    row = json.loads(msgspec.json.encode(trades[0]))
    assert list(row) == ["coin", "side", "px", "sz", "time", "hash", "tid", "users"]
