"""The official SDK's other actions: modifies, triggers, margin, agents, transfers, refusals."""

import time
from typing import Any

import eth_account
import pytest
from hyperliquid.exchange import Exchange
from hyperliquid.utils.types import Cloid

from tests.conformance.conftest import Trader
from tests.conformance.test_sdk import far_px, mid_px, status

ALO = {"limit": {"tif": "Alo"}}
OK = {"status": "ok", "response": {"type": "default"}}


def rest(trader: Trader, coin: str, sz: float, away: float, cloid: Cloid | None = None) -> int:
    px = far_px(trader, coin, away)
    placed = status(trader.exchange.order(coin, away < 0, sz, px, ALO, cloid=cloid))
    oid = placed["resting"]["oid"]
    assert isinstance(oid, int)
    return oid


def open_rows(trader: Trader, coin: str) -> list[Any]:
    dex = coin.rpartition(":")[0]
    rows = trader.info.frontend_open_orders(trader.address, dex)
    return [row for row in rows if row["coin"] == coin]


def test_a_modify_replaces_the_order_under_its_cloid(trader: Trader) -> None:
    cloid = Cloid.from_int(71)
    oid = rest(trader, "SUI", 20.0, -0.05, cloid)
    px = far_px(trader, "SUI", -0.06)
    changed = status(trader.exchange.modify_order(oid, "SUI", True, 30.0, px, ALO, cloid=cloid))
    (row,) = open_rows(trader, "SUI")
    assert (row["oid"], row["cloid"]) == (changed["resting"]["oid"], cloid.to_raw())
    assert (float(row["limitPx"]), float(row["sz"])) == (px, 30.0)
    assert row["oid"] != oid
    assert trader.info.query_order_by_oid(trader.address, oid)["order"]["status"] == "canceled"
    assert status(trader.exchange.cancel_by_cloid("SUI", cloid)) == "success"


def test_a_batch_of_modifies_answers_one_by_one(trader: Trader) -> None:
    oids = [rest(trader, "XRP", 100.0, away) for away in (-0.05, -0.06)]
    px = far_px(trader, "XRP", -0.07)
    order = {
        "coin": "XRP",
        "is_buy": True,
        "sz": 120.0,
        "limit_px": px,
        "order_type": ALO,
        "reduce_only": False,
    }
    answer = trader.exchange.bulk_modify_orders_new([{"oid": oid, "order": order} for oid in oids])
    statuses = answer["response"]["data"]["statuses"]
    assert all("resting" in each for each in statuses)
    cancels = [{"coin": "XRP", "oid": each["resting"]["oid"]} for each in statuses]
    answer = trader.exchange.bulk_cancel(cancels)
    assert answer["response"]["data"]["statuses"] == ["success"] * 2


def test_a_stop_waits_for_its_trigger(trader: Trader) -> None:
    status(trader.exchange.market_open("DOGE", True, 100))
    trigger_px = far_px(trader, "DOGE", -0.2)
    stop = {"trigger": {"triggerPx": trigger_px, "isMarket": True, "tpsl": "sl"}}
    limit_px = far_px(trader, "DOGE", -0.25)
    placed = trader.exchange.order("DOGE", False, 100, limit_px, stop, reduce_only=True)
    assert placed["status"] == "ok", placed
    (row,) = open_rows(trader, "DOGE")
    assert (row["isTrigger"], row["orderType"], row["reduceOnly"]) == (True, "Stop Market", True)
    assert float(row["triggerPx"]) == trigger_px
    assert status(trader.exchange.cancel("DOGE", row["oid"])) == "success"
    assert status(trader.exchange.market_close("DOGE"))["filled"]["totalSz"] == "100.0"


def test_isolated_margin_is_moved(trader: Trader) -> None:
    assert trader.exchange.update_leverage(3, "LTC", is_cross=False) == OK
    status(trader.exchange.market_open("LTC", True, 5))
    before = _position(trader, "LTC")
    assert trader.exchange.update_isolated_margin(25.0, "LTC") == OK
    after = _position(trader, "LTC")
    assert after["leverage"]["type"] == "isolated"
    moved = float(after["leverage"]["rawUsd"]) - float(before["leverage"]["rawUsd"])
    assert moved == pytest.approx(25.0)
    status(trader.exchange.market_close("LTC"))


def _position(trader: Trader, coin: str) -> Any:
    rows = trader.info.user_state(trader.address)["assetPositions"]
    (found,) = [row["position"] for row in rows if row["position"]["coin"] == coin]
    return found


def test_an_agent_trades_for_its_master_and_moves_no_money(trader: Trader) -> None:
    approved, key = trader.exchange.approve_agent("fleet")
    assert approved == OK
    wallet = eth_account.Account.from_key(key)
    agents = trader.info.extra_agents(trader.address)
    assert wallet.address.lower() in {row["address"].lower() for row in agents}
    agent = Exchange(wallet, trader.url, perp_dexs=trader.dexes, account_address=trader.address)
    px = far_px(trader, "AAVE", -0.05)
    oid = status(agent.order("AAVE", True, 1.0, px, ALO))["resting"]["oid"]
    assert [row["oid"] for row in open_rows(trader, "AAVE")] == [oid]
    refused = agent.usd_transfer(1.0, "0x" + "9" * 40)
    assert refused["status"] == "err"
    assert refused["response"].startswith("Must deposit before performing actions. User: 0x")
    assert status(agent.cancel("AAVE", oid)) == "success"


def test_collateral_moves_between_dexes_and_comes_back(trader: Trader) -> None:
    def usd(dex: str) -> float:
        state = trader.info.user_state(trader.address, dex)
        return float(state["marginSummary"]["accountValue"])

    before = usd("xyz")
    assert trader.exchange.send_asset(trader.address, "", "xyz", "USDC", 250.0) == OK
    assert usd("xyz") - before == pytest.approx(250.0, abs=1.0)
    assert trader.exchange.send_asset(trader.address, "xyz", "", "USDC", 250.0) == OK
    assert usd("xyz") == pytest.approx(before, abs=1.0)


def test_the_dead_mans_switch_asks_for_volume_first(trader: Trader) -> None:
    refused = trader.exchange.schedule_cancel(int(time.time() * 1000) + 10_000)
    assert refused["status"] == "err"
    text = "Cannot set scheduled cancel time until enough volume traded. Required: $1000000."
    assert refused["response"].startswith(text)


def test_a_noop_spends_its_nonce(trader: Trader) -> None:
    nonce = int(time.time() * 1000)
    assert trader.exchange.noop(nonce) == OK
    assert "Invalid nonce: duplicate nonce" in trader.exchange.noop(nonce)["response"]


def test_a_builder_deployed_market_rests_modifies_and_cancels(trader: Trader) -> None:
    oid = rest(trader, "hyna:BTC", 0.01, -0.05)
    px = far_px(trader, "hyna:BTC", -0.06)
    changed = status(trader.exchange.modify_order(oid, "hyna:BTC", True, 0.01, px, ALO))
    (row,) = open_rows(trader, "hyna:BTC")
    assert row["oid"] == changed["resting"]["oid"]
    assert status(trader.exchange.cancel("hyna:BTC", row["oid"])) == "success"
    assert trader.exchange.update_leverage(2, "hyna:BTC") == OK


def test_an_expired_action_is_refused(trader: Trader) -> None:
    trader.exchange.set_expires_after(int(time.time() * 1000) - 1_000)
    try:
        answer = trader.exchange.order("ETH", True, 0.1, far_px(trader, "ETH", -0.05), ALO)
    finally:
        trader.exchange.set_expires_after(None)
    assert answer["status"] == "err"
    assert "expired" in answer["response"]


def test_every_info_call_that_concerns_perps_answers(trader: Trader) -> None:
    info, user = trader.info, trader.address
    start_ms = int(time.time() * 1000) - 3_600_000
    answers = [
        info.meta_and_asset_ctxs(),
        info.spot_meta_and_asset_ctxs(),
        info.perp_dexs(),
        info.spot_user_state(user),
        info.user_fees(user),
        info.user_role(user),
        info.user_rate_limit(user),
        info.funding_history("BTC", start_ms),
        info.user_funding_history(user, start_ms),
        info.user_fills_by_time(user, start_ms),
        info.historical_orders(user),
        info.user_non_funding_ledger_updates(user, start_ms),
        info.candles_snapshot("BTC", "1m", start_ms, start_ms + 7_200_000),
        info.query_user_abstraction_state(user),
        info.query_sub_accounts(user) or [],
    ]
    assert all(answer is not None for answer in answers)
    assert info.user_role(user) == {"role": "user"}
    assert mid_px(trader, "BTC") > 0
