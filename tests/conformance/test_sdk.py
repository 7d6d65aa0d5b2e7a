"""The official SDK against the embedded exchange; nothing of it is changed but its base URL."""

import queue
from typing import Any

import eth_account
import pytest
from hyperliquid.exchange import Exchange
from hyperliquid.utils.types import Cloid

from tests.conformance.conftest import DEXES, FUNDED_USD, Trader
from tests.conformance.venue import VenueProcess

HEARD_S = 10


def status(answer: Any) -> Any:
    assert answer["status"] == "ok", answer
    (found,) = answer["response"]["data"]["statuses"]
    return found


def mid_px(trader: Trader, coin: str) -> float:
    dex = coin.rpartition(":")[0]
    if dex not in trader.dexes:
        pytest.skip(f"{coin}: only the embedded venue is sure to list it")
    return float(trader.info.all_mids(dex)[coin])


def far_px(trader: Trader, coin: str, away: float) -> float:
    return float(f"{mid_px(trader, coin) * (1 + away):.4g}")


def listen(trader: Trader, **subscription: str) -> "queue.Queue[Any]":
    heard: queue.Queue[Any] = queue.Queue()
    trader.info.subscribe(subscription, heard.put)
    return heard


def test_meta_lists_what_the_sdk_numbers(embedded: Trader) -> None:
    trader = embedded
    meta = trader.info.meta()
    assert meta["universe"][0]["name"] == "BTC"
    assert trader.info.name_to_asset("xyz:XYZ100") == 110_000
    assert trader.info.name_to_asset("hyna:BTC") == 130_000
    assert "hyna:BTC" in trader.info.all_mids("hyna")
    book = trader.info.l2_snapshot("hyna:BTC")
    assert float(book["levels"][0][0]["px"]) < float(book["levels"][1][0]["px"])


def test_a_post_only_order_rests_and_is_cancelled_by_oid(trader: Trader) -> None:
    px = far_px(trader, "ETH", -0.02)
    resting = status(trader.exchange.order("ETH", True, 0.1, px, {"limit": {"tif": "Alo"}}))
    oid = resting["resting"]["oid"]
    (row,) = [r for r in trader.info.open_orders(trader.address) if r["oid"] == oid]
    assert (row["coin"], row["side"], float(row["limitPx"])) == ("ETH", "B", px)
    assert trader.info.query_order_by_oid(trader.address, oid)["order"]["status"] == "open"
    assert status(trader.exchange.cancel("ETH", oid)) == "success"
    assert "never placed" in status(trader.exchange.cancel("ETH", oid))["error"]


def test_a_post_only_order_that_would_take_is_refused(trader: Trader) -> None:
    px = far_px(trader, "ETH", 0.02)
    refused = status(trader.exchange.order("ETH", True, 0.1, px, {"limit": {"tif": "Alo"}}))
    assert refused["error"].startswith("Post only order would have immediately matched, bbo was")


def test_a_batch_rests_and_is_cancelled_by_cloid(trader: Trader) -> None:
    cloids = [Cloid.from_int(number) for number in (1, 2, 3)]
    orders = [
        {
            "coin": "SOL",
            "is_buy": True,
            "sz": 1.0,
            "limit_px": far_px(trader, "SOL", -0.02 * number),
            "order_type": {"limit": {"tif": "Alo"}},
            "reduce_only": False,
            "cloid": cloid,
        }
        for number, cloid in enumerate(cloids, 1)
    ]
    answer = trader.exchange.bulk_orders(orders)
    statuses = answer["response"]["data"]["statuses"]
    assert [s["resting"]["cloid"] for s in statuses] == [c.to_raw() for c in cloids]
    cancels = [{"coin": "SOL", "cloid": cloid} for cloid in cloids]
    answer = trader.exchange.bulk_cancel_by_cloid(cancels)
    assert answer["response"]["data"]["statuses"] == ["success"] * 3


def test_an_immediate_order_fills_and_its_fill_is_told(trader: Trader) -> None:
    heard = listen(trader, type="userFills", user=trader.address)
    assert heard.get(timeout=HEARD_S)["data"]["isSnapshot"] is True
    px = far_px(trader, "BTC", 0.02)
    filled = status(trader.exchange.order("BTC", True, 0.01, px, {"limit": {"tif": "Ioc"}}))
    assert filled["filled"]["totalSz"] == "0.01"
    fills = heard.get(timeout=HEARD_S)["data"]["fills"]
    assert {fill["oid"] for fill in fills} == {filled["filled"]["oid"]}
    assert all(fill["crossed"] and fill["feeToken"] == "USDC" for fill in fills)
    state = trader.info.user_state(trader.address)
    (position,) = [
        row["position"] for row in state["assetPositions"] if row["position"]["coin"] == "BTC"
    ]
    assert float(position["szi"]) == pytest.approx(0.01)
    equity = float(state["marginSummary"]["accountValue"])
    assert equity == pytest.approx(FUNDED_USD, abs=50)


def test_a_good_till_cancelled_order_is_told_as_it_opens_and_goes(trader: Trader) -> None:
    heard = listen(trader, type="orderUpdates", user=trader.address)
    px = far_px(trader, "LINK", -0.03)
    resting = status(trader.exchange.order("LINK", True, 5, px, {"limit": {"tif": "Gtc"}}))
    oid = resting["resting"]["oid"]
    status(trader.exchange.cancel("LINK", oid))
    seen: list[str] = []
    while seen[-1:] != ["canceled"]:
        rows = heard.get(timeout=HEARD_S)["data"]
        seen += [row["status"] for row in rows if row["order"]["oid"] == oid]
    assert seen == ["open", "canceled"]


def test_an_order_on_a_builder_deployed_dex_pays_in_its_token(trader: Trader) -> None:
    px = far_px(trader, "hyna:BTC", -0.02)
    filled = status(trader.exchange.order("hyna:BTC", False, 0.01, px, {"limit": {"tif": "Ioc"}}))
    oid = filled["filled"]["oid"]
    fills = [fill for fill in trader.info.user_fills(trader.address) if fill["oid"] == oid]
    assert {(fill["coin"], fill["feeToken"]) for fill in fills} == {("hyna:BTC", "USDE")}
    state = trader.info.user_state(trader.address, "hyna")
    assert [row["position"]["szi"] for row in state["assetPositions"]] == ["-0.01"]


def test_leverage_is_updated(trader: Trader) -> None:
    assert trader.exchange.update_leverage(5, "AVAX") == {
        "status": "ok",
        "response": {"type": "default"},
    }
    refused = trader.exchange.update_leverage(500, "AVAX")
    assert refused["status"] == "err"


def test_market_data_arrive(trader: Trader) -> None:
    book = listen(trader, type="l2Book", coin="BTC").get(timeout=HEARD_S)["data"]
    assert len(book["levels"][0]) > 5
    bbo = listen(trader, type="bbo", coin="BTC")
    assert bbo.get(timeout=HEARD_S)["data"]["bbo"][0] is not None
    assert bbo.get(timeout=HEARD_S)["data"]["coin"] == "BTC"
    trades = listen(trader, type="trades", coin="BTC")
    trades.get(timeout=HEARD_S)  # the replay of earlier ones
    rows = trades.get(timeout=HEARD_S)["data"]
    assert {row["side"] for row in rows} <= {"A", "B"}


def test_a_key_without_funds_is_turned_away(venue: VenueProcess) -> None:
    wallet = eth_account.Account.from_key("0x" + "7" * 64)
    stranger = Exchange(wallet, venue.url, perp_dexs=DEXES)
    answer = stranger.order("BTC", True, 0.01, 50_000, {"limit": {"tif": "Gtc"}})
    assert answer["status"] == "err"
    assert "does not exist" in answer["response"]
    assert len(answer["response"].split("0x")[1].split()[0]) == 40
