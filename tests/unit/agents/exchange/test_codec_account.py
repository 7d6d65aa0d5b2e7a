"""User frames become our orders, fills, funding and states, exact to the digit."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agents.events import LiveOrder, OrderUpdate
from agents.exchange import codec
from agents.exchange.errors import MalformedFrame
from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid

ORDER: dict[str, Any] = {
    "coin": "hyna:BTC",
    "side": "A",
    "limitPx": "31175.0",
    "sz": "0.0296",
    "oid": 5,
    "timestamp": 11,
    "origSz": "0.032",
}
FILL: dict[str, Any] = {
    "coin": "BTC",
    "px": "86006.0",
    "sz": "0.07905",
    "side": "B",
    "time": 12,
    "startPosition": "-0.14136",
    "dir": "Close Short",
    "closedPnl": "-2.600745",
    "hash": "0x0",
    "oid": 6,
    "crossed": False,
    "fee": "-0.067987",
    "tid": 7,
    "feeToken": "USDE",
    "twapId": None,
}
ZERO = {"accountValue": "0.0", "totalNtlPos": "0.0", "totalRawUsd": "0.0", "totalMarginUsed": "0.0"}
STATE: dict[str, Any] = {
    "marginSummary": ZERO | {"accountValue": "12.5"},
    "crossMarginSummary": ZERO,
    "crossMaintenanceMarginUsed": "0.0",
    "withdrawable": "12.5",
    "assetPositions": [],
    "time": 13,
}


def _decode(channel: str, data: object) -> codec.Frame:
    return codec.decode_frame(msgspec.json.encode({"channel": channel, "data": data}))


def test_order_updates_keep_order_and_coin() -> None:
    rows = [
        {"order": ORDER, "status": "open", "statusTimestamp": 11},
        {
            "order": ORDER | {"sz": "0.0", "cloid": "0xab"},
            "status": "filled",
            "statusTimestamp": 14,
        },
    ]
    frame = _decode("orderUpdates", rows)
    assert isinstance(frame, codec.UserOrderUpdates)
    assert [coin for coin, _ in frame.rows] == ["hyna:BTC", "hyna:BTC"]
    assert frame.rows[1][1] == OrderUpdate(
        oid=Oid(5),
        cloid=Cloid("0xab"),
        side=Side.ASK,
        px=Decimal("31175.0"),
        remaining_sz=Decimal("0.0"),
        orig_sz=Decimal("0.032"),
        status="filled",
        status_ms=14,
    )


def test_fills_are_exact_and_their_fee_is_signed_as_paid() -> None:
    expected = Fill(
        coin=Coin("BTC"),
        side=Side.BID,
        px=Decimal("86006.0"),
        sz=Decimal("0.07905"),
        time_ms=12,
        tid=Tid(7),
        oid=Oid(6),
        cloid=None,
        fee=Decimal("-0.067987"),
        fee_token="USDE",
        crossed=False,
        start_position_sz=Decimal("-0.14136"),
        closed_pnl=Decimal("-2.600745"),
    )
    snapshot = _decode("userFills", {"isSnapshot": True, "user": "0xa", "fills": [FILL]})
    assert snapshot == codec.UserFills(True, "0xa", (expected,))
    by_gateway = _decode("userFills", {"fills": [FILL]})
    assert by_gateway == codec.UserFills(False, None, (expected,))
    assert _decode("user", {"fills": [FILL]}) == by_gateway


def test_the_side_that_took_in_a_liquidations_trade_was_liquidated() -> None:
    told = {"liquidation": {"liquidatedUser": "0xb", "markPx": "80.4", "method": "market"}}
    for crossed in (True, False):
        row = FILL | told | {"crossed": crossed}
        frame = _decode("userFills", {"fills": [row]})
        assert isinstance(frame, codec.UserFills)
        assert [fill.liquidated for fill in frame.fills] == [crossed]


def test_user_events_are_typed_where_we_act_on_them() -> None:
    funding = {
        "time": 15,
        "coin": "BTC",
        "usdc": "-0.601087",
        "szi": "0.5",
        "fundingRate": "0.0000125",
        "nSamples": None,
    }
    row = codec.FundingRow(
        Coin("BTC"), 15, Decimal("-0.601087"), Decimal("0.5"), Decimal("0.0000125")
    )
    assert _decode("user", {"funding": funding}) == codec.FundingRows(False, (row,))
    assert _decode("userFundings", {"isSnapshot": True, "fundings": [funding]}) == (
        codec.FundingRows(True, (row,))
    )
    assert _decode("user", {"nonUserCancel": [{"coin": "PNUT", "oid": 3}]}) == (
        codec.NonUserCancels(((Coin("PNUT"), Oid(3)),))
    )
    assert _decode("user", {"twapHistory": []}) == codec.Unread("user")


def test_open_orders_name_their_dex() -> None:
    order = ORDER | {"reduceOnly": True, "tif": "Alo", "children": [], "cloid": None}
    frame = _decode("openOrders", {"dex": "hyna", "user": "0xa", "orders": [order]})
    assert isinstance(frame, codec.OpenOrdersFrame)
    assert frame.dex == "hyna"
    assert frame.orders == (
        (
            Coin("hyna:BTC"),
            LiveOrder(
                oid=Oid(5),
                cloid=None,
                side=Side.ASK,
                px=Decimal("31175.0"),
                remaining_sz=Decimal("0.0296"),
                orig_sz=Decimal("0.032"),
                placed_ms=11,
                reduce_only=True,
            ),
        ),
    )


def test_account_states_come_alone_or_all_of_one_moment() -> None:
    one = _decode("clearinghouseState", {"dex": "xyz", "user": "0xa", "clearinghouseState": STATE})
    assert isinstance(one, codec.AccountFrame)
    assert one.state.margin_summary.account_value == Decimal("12.5")
    every = _decode(
        "allDexsClearinghouseState",
        {"user": "0xa", "clearinghouseStates": [["", STATE], ["xyz", STATE]]},
    )
    assert isinstance(every, codec.AllAccountsFrame)
    assert [(dex, state.time) for dex, state in every.states] == [("", 13), ("xyz", 13)]


@pytest.mark.parametrize("bad", ["NaN", "sNaN", "Infinity", "1e999999999", "1e-99999", "", None])
def test_no_unusable_number_enters_what_is_ours(bad: str | None) -> None:
    for channel, data in (
        ("userFills", {"fills": [FILL | {"px": bad}]}),
        ("orderUpdates", [{"order": ORDER | {"sz": bad}, "status": "open", "statusTimestamp": 1}]),
        ("openOrders", {"orders": [ORDER | {"limitPx": bad}]}),
        ("clearinghouseState", {"clearinghouseState": STATE | {"withdrawable": bad}}),
    ):
        with pytest.raises(MalformedFrame):
            _decode(channel, data)
