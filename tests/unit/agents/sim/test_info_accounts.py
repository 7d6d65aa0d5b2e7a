"""What an account is told of itself, and the identities of the venue's sums."""

from decimal import Decimal
from typing import Any

import pytest

from agents.market.types import Side
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, SOL, Desk, cloid, order

STATE_KEYS = [
    "marginSummary", "crossMarginSummary", "crossMaintenanceMarginUsed", "withdrawable",
    "assetPositions", "time",
]  # fmt: skip
POSITION_KEYS = [
    "coin", "szi", "leverage", "entryPx", "positionValue", "unrealizedPnl", "returnOnEquity",
    "liquidationPx", "marginUsed", "maxLeverage", "cumFunding",
]  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    return Desk()


def long_and_isolated_short(desk: Desk) -> Any:
    desk.act(ALICE, {"type": "updateLeverage", "asset": SOL, "isCross": False, "leverage": 10})
    desk.flow("BTC", Side.ASK, "84010", "1")
    desk.flow("BTC", Side.BID, "84000", "1")
    desk.flow("SOL", Side.BID, "119", "90")
    desk.flow("SOL", Side.ASK, "119.02", "90")
    desk.place(ALICE, order(BTC, "B", "84010", "0.5", tif="Ioc"))
    desk.place(ALICE, order(SOL, "A", "119", "20", tif="Ioc"))
    return desk.state(ALICE)


def test_state_of_a_stranger_is_zero(desk: Desk) -> None:
    state = desk.state("0x" + "77" * 20)
    assert list(state) == STATE_KEYS
    assert set(state["marginSummary"].values()) == {"0.0"}
    assert state["assetPositions"] == []
    assert len(desk.exchange.floor.accounts) == 2


def test_identities_of_the_clearing_state(desk: Desk) -> None:
    state = long_and_isolated_short(desk)
    assert list(state) == STATE_KEYS
    btc, sol = (row["position"] for row in state["assetPositions"])
    assert list(btc) == list(sol) == POSITION_KEYS
    cross, whole = state["crossMarginSummary"], state["marginSummary"]

    def d(text: Any) -> Decimal:
        return Decimal(text)

    assert d(cross["accountValue"]) == d(cross["totalRawUsd"]) + d("0.5") * d("84005")
    raw = d(sol["leverage"]["rawUsd"])
    assert d(whole["accountValue"]) == d(cross["accountValue"]) + raw - d(sol["positionValue"])
    assert d(sol["marginUsed"]) == raw - d(sol["positionValue"])
    assert d(btc["marginUsed"]) == d(btc["positionValue"]) / 20
    assert d(state["crossMaintenanceMarginUsed"]) == d(btc["positionValue"]) / 80
    kept = max(d(cross["totalMarginUsed"]), d("0.1") * d(cross["totalNtlPos"]))
    assert d(state["withdrawable"]) == d(cross["accountValue"]) - kept
    assert d(sol["szi"]) == -20
    stake = d("20") * d(sol["entryPx"]) / 10
    assert abs(d(sol["returnOnEquity"]) - d(sol["unrealizedPnl"]) / stake) < d("1e-9")
    liquidation = -raw / (d(sol["szi"]) * (1 + d(1) / 40))
    assert abs(d(sol["liquidationPx"]) - liquidation) < d("1e-9")
    assert btc["liquidationPx"] is None  # a million covers half a bitcoin at any price


def test_margin_held_for_orders_is_not_withdrawable(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "B", "80000", "1"))
    assert desk.state(ALICE)["withdrawable"] == "996000.0"
    assert desk.state(ALICE)["marginSummary"]["totalMarginUsed"] == "0.0"


def test_open_orders_are_of_one_dex(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "B", "80000", "1"), order(110_002, "B", "180", "1"))
    assert [row["coin"] for row in desk.ask("openOrders", user=ALICE)] == ["BTC"]
    shown = desk.ask("frontendOpenOrders", user=ALICE, dex="xyz")
    assert [row["coin"] for row in shown] == ["xyz:NVDA"]
    assert desk.ask("openOrders", user=ALICE, dex="nope") is None


def test_order_status_freezes_the_size_at_the_last_change(desk: Desk) -> None:
    oid = desk.place(ALICE, order(BTC, "B", "83000", "0.1", cloid=cloid(1)))[0]["resting"]["oid"]
    desk.flow("BTC", Side.ASK, "83000", "0.04", tif="Ioc")
    desk.block()
    status = desk.ask("orderStatus", user=ALICE, oid=cloid(1))
    assert status["status"] == "order"
    assert status["order"]["order"]["sz"] == "0.1"
    assert status["order"]["status"] == "open"
    assert desk.ask("openOrders", user=ALICE)[0]["sz"] == "0.06"
    desk.act(ALICE, {"type": "cancel", "cancels": [{"a": BTC, "o": oid}]})
    dead = desk.ask("orderStatus", user=ALICE, oid=oid)["order"]
    assert (dead["status"], dead["order"]["sz"]) == ("canceled", "0.06")
    assert desk.ask("orderStatus", user=BOB, oid=oid) == {"status": "unknownOid"}
    history = desk.ask("historicalOrders", user=ALICE)
    assert [(row["order"]["oid"], row["status"]) for row in history] == [
        (oid, "canceled"), (oid, "open"),
    ]  # fmt: skip


def test_fills_newest_first_or_by_time(desk: Desk) -> None:
    for px in ("83000", "82000", "81000"):
        desk.place(ALICE, order(BTC, "B", px, "0.1"))
        desk.flow("BTC", Side.ASK, px, "0.1", tif="Ioc")
        desk.block()
    newest = desk.ask("userFills", user=ALICE)
    assert [fill["px"] for fill in newest] == ["81000.0", "82000.0", "83000.0"]
    since = newest[1]["time"]
    by_time = desk.ask("userFillsByTime", user=ALICE, startTime=since)
    assert [fill["px"] for fill in by_time] == ["82000.0", "81000.0"]
    until = desk.ask("userFillsByTime", user=ALICE, startTime=0, endTime=since, reversed=True)
    assert [fill["px"] for fill in until] == ["82000.0", "83000.0"]


def test_rates_and_limits(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "A", "84000", "0.1"))
    desk.place(BOB, order(BTC, "B", "84000", "0.1", tif="Ioc"))
    limit = desk.ask("userRateLimit", user=ALICE)
    assert limit == {
        "cumVlm": "8400.0", "nRequestsUsed": 1, "nRequestsCap": 18400, "nRequestsSurplus": 0,
    }  # fmt: skip
    fees = desk.ask("userFees", user=ALICE)
    assert (fees["userCrossRate"], fees["userAddRate"]) == ("0.00045", "0.00015")


def test_active_asset_data(desk: Desk) -> None:
    long_and_isolated_short(desk)
    row = desk.ask("activeAssetData", user=ALICE, coin="BTC")
    assert list(row) == ["user", "coin", "leverage", "maxTradeSzs", "availableToTrade", "markPx"]
    buy, sell = (Decimal(text) for text in row["availableToTrade"])
    assert sell - buy == Decimal("0.5") * 84005 / 20 * 2
