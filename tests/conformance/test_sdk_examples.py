"""The official SDK's examples that concern perps: the same calls in the same order, each.

``LEFT_OUT`` names the others, so that none is forgotten.
"""

import queue
import time
from typing import Any

import eth_account
import pytest
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info
from hyperliquid.utils.constants import MAINNET_API_URL
from hyperliquid.utils.error import ClientError
from hyperliquid.utils.signing import recover_agent_or_user_from_l1_action, sign_l1_action
from hyperliquid.utils.types import Cloid

from tests.conformance.conftest import Trader
from tests.conformance.test_sdk import HEARD_S, far_px, mid_px, status
from tests.conformance.test_sdk_actions import OK

LEFT_OUT = {
    "basic_convert_to_multi_sig_signer, basic_convert_to_multi_sig_user, basic_multi_sig, "
    "multi_sig_*": "accounts of many keys",
    "basic_evm_use_big_blocks, evm_*": "the EVM; test_what_is_out_of_scope_is_no_request",
    "basic_spot_deploy, basic_spot_order, spot_deploy, perp_deploy": "spot, and deploying",
    "basic_staking, c_signer, c_validator, parse_token_delegate_*": "staking and validators",
    "basic_convert_*, setup_testnet_account": "set-up of keys alone",
}
GTC = {"limit": {"tif": "Gtc"}}
IOC = {"limit": {"tif": "Ioc"}}
BUILDER = "0x8c967e73e7b15087c42a10d344cff4c96d877f1d"
NOBODY = "0x" + "0" * 40


def test_basic_order(trader: Trader) -> None:
    px = far_px(trader, "ETH", -0.5)
    resting = status(trader.exchange.order("ETH", True, 0.2, px, GTC))["resting"]
    found = trader.info.query_order_by_oid(trader.address, resting["oid"])
    assert (found["status"], found["order"]["status"]) == ("order", "open")
    assert status(trader.exchange.cancel("ETH", resting["oid"])) == "success"


def test_basic_order_with_cloid(trader: Trader) -> None:
    cloid = Cloid.from_str("0x00000000000000000000000000000e01")
    px = far_px(trader, "ETH", -0.5)
    assert status(trader.exchange.order("ETH", True, 0.2, px, GTC, cloid=cloid))["resting"]
    found = trader.info.query_order_by_cloid(trader.address, cloid)
    assert found["order"]["order"]["cloid"] == cloid.to_raw()
    unknown = trader.info.query_order_by_cloid(trader.address, Cloid.from_int(987_654))
    assert unknown == {"status": "unknownOid"}
    assert status(trader.exchange.cancel_by_cloid("ETH", cloid)) == "success"


def test_basic_market_order(trader: Trader) -> None:
    bought = status(trader.exchange.market_open("ETH", True, 0.05, None, 0.01))["filled"]
    assert float(bought["avgPx"]) > 0
    sold = status(trader.exchange.market_close("ETH", 0.05))["filled"]
    assert sold["totalSz"] == bought["totalSz"] == "0.05"


def test_basic_order_modify(trader: Trader) -> None:
    cloid = Cloid.from_int(0xE02)
    px = far_px(trader, "ETH", -0.5)
    placed = status(trader.exchange.order("ETH", True, 0.2, px, GTC, cloid=cloid))["resting"]
    first = trader.exchange.modify_order(placed["oid"], "ETH", True, 0.1, px, GTC, cloid=cloid)
    assert "resting" in status(first)
    second = trader.exchange.modify_order(cloid, "ETH", True, 0.1, px, GTC, cloid=cloid)
    assert "resting" in status(second)
    assert status(trader.exchange.cancel_by_cloid("ETH", cloid)) == "success"


def test_basic_tpsl(trader: Trader) -> None:
    buy = {"coin": "SOL", "is_buy": True, "sz": 1, "reduce_only": False}
    entry = buy | {"limit_px": far_px(trader, "SOL", 0.02), "order_type": IOC}
    children = []
    for kind, away in (("tp", 0.05), ("sl", -0.05)):
        px = far_px(trader, "SOL", away)
        trigger = {"trigger": {"isMarket": True, "triggerPx": px, "tpsl": kind}}
        child = {"is_buy": False, "limit_px": px, "order_type": trigger, "reduce_only": True}
        children.append(buy | child)
    answer = trader.exchange.bulk_orders([entry, *children], grouping="normalTpsl")
    statuses = answer["response"]["data"]["statuses"]
    assert statuses[0]["filled"]["totalSz"] == "1.0"
    assert statuses[1:] == ["waitingForTrigger"] * 2
    waiting = [
        row
        for row in trader.info.frontend_open_orders(trader.address)
        if row["coin"] == "SOL" and row["isTrigger"]
    ]
    assert {row["orderType"] for row in waiting} == {"Take Profit Market", "Stop Market"}
    for row in waiting:
        assert status(trader.exchange.cancel("SOL", row["oid"])) == "success"
    assert status(trader.exchange.market_close("SOL"))["filled"]["totalSz"] == "1.0"


def test_a_bracket_waits_for_its_entry_and_goes_with_it(trader: Trader) -> None:
    buy = {"coin": "SOL", "is_buy": True, "sz": 1, "reduce_only": False, "order_type": GTC}
    entry = buy | {"limit_px": far_px(trader, "SOL", -0.2)}
    px = far_px(trader, "SOL", -0.3)
    stop = {"trigger": {"isMarket": True, "triggerPx": px, "tpsl": "sl"}}
    child = buy | {"is_buy": False, "limit_px": px, "order_type": stop, "reduce_only": True}
    answer = trader.exchange.bulk_orders([entry, child], grouping="normalTpsl")
    resting, waiting = answer["response"]["data"]["statuses"]
    assert waiting == "waitingForFill"
    assert status(trader.exchange.cancel("SOL", resting["resting"]["oid"])) == "success"
    left = trader.info.frontend_open_orders(trader.address)
    assert [row for row in left if row["coin"] == "SOL"] == []


def test_basic_leverage_adjustment(trader: Trader) -> None:
    assert trader.exchange.update_leverage(21, "ETH") == OK
    assert trader.exchange.update_leverage(21, "ETH", is_cross=False) == OK
    status(trader.exchange.market_open("ETH", True, 0.05))
    assert trader.exchange.update_isolated_margin(1, "ETH") == OK
    rows = trader.info.user_state(trader.address)["assetPositions"]
    (found,) = [row["position"] for row in rows if row["position"]["coin"] == "ETH"]
    assert (found["leverage"]["type"], found["leverage"]["value"]) == ("isolated", 21)
    status(trader.exchange.market_close("ETH"))
    assert trader.exchange.update_leverage(20, "ETH") == OK


def test_cancel_open_orders(trader: Trader) -> None:
    for away in (-0.3, -0.4):
        status(trader.exchange.order("ETH", True, 0.2, far_px(trader, "ETH", away), GTC))
    for row in trader.info.open_orders(trader.address):
        assert status(trader.exchange.cancel(row["coin"], row["oid"])) == "success"
    assert trader.info.open_orders(trader.address) == []


def test_rounding(trader: Trader) -> None:
    decimals = {row["name"]: row["szDecimals"] for row in trader.info.meta()["universe"]}
    px = mid_px(trader, "SOL") * 0.5
    px = round(float(f"{px:.5g}"), 6 - decimals["SOL"])
    resting = status(trader.exchange.order("SOL", True, 12.34, px, GTC))["resting"]
    assert status(trader.exchange.cancel("SOL", resting["oid"])) == "success"


def test_basic_agent(trader: Trader) -> None:
    approved, key = trader.exchange.approve_agent()
    assert approved == OK
    wallet = eth_account.Account.from_key(key)
    agent = Exchange(wallet, trader.url, account_address=trader.address)
    oid = status(agent.order("ETH", True, 0.2, far_px(trader, "ETH", -0.5), GTC))["resting"]["oid"]
    assert status(agent.cancel("ETH", oid)) == "success"
    named, second = trader.exchange.approve_agent("persist")
    assert named == OK
    extra = Exchange(
        eth_account.Account.from_key(second), trader.url, account_address=trader.address
    )
    oid = status(extra.order("ETH", True, 0.2, far_px(trader, "ETH", -0.5), GTC))["resting"]["oid"]
    assert status(extra.cancel("ETH", oid)) == "success"
    assert "persist" in {row["name"] for row in trader.info.extra_agents(trader.address)}


def test_basic_builder_fee(trader: Trader) -> None:
    assert trader.exchange.approve_builder_fee(BUILDER, "0.001%") == OK
    fee = {"b": BUILDER, "f": 1}
    filled = status(trader.exchange.market_open("ETH", True, 0.05, None, 0.01, builder=fee))
    rows = trader.info.user_fills(trader.address)
    paid = [row for row in rows if row["oid"] == filled["filled"]["oid"]]
    assert all(float(row["builderFee"]) > 0 for row in paid)
    status(trader.exchange.market_close("ETH"))


def test_basic_ws(trader: Trader) -> None:
    """Every subscription of the example; those with a snapshot are heard."""
    heard: queue.Queue[Any] = queue.Queue()
    info = Info(trader.url)
    wanted: list[dict[str, str]] = [
        {"type": "allMids"},
        {"type": "l2Book", "coin": "ETH"},
        {"type": "trades", "coin": "PURR/USDC"},
        {"type": "userEvents", "user": trader.address},
        {"type": "userFills", "user": trader.address},
        {"type": "candle", "coin": "ETH", "interval": "1m"},
        {"type": "orderUpdates", "user": trader.address},
        {"type": "userFundings", "user": trader.address},
        {"type": "userNonFundingLedgerUpdates", "user": trader.address},
        {"type": "webData2", "user": trader.address},
        {"type": "bbo", "coin": "ETH"},
        {"type": "activeAssetCtx", "coin": "BTC"},
        {"type": "activeAssetCtx", "coin": "@1"},
        {"type": "activeAssetData", "user": trader.address, "coin": "BTC"},
    ]
    try:
        numbers = [info.subscribe(subscription, heard.put) for subscription in wanted]
        # The SDK itself passes an empty list of trades over.
        silent = {"userEvents", "orderUpdates", "trades"}
        expected = {each["type"] for each in wanted} - silent | {"activeSpotAssetCtx"}
        until_s = time.monotonic() + HEARD_S
        while expected and time.monotonic() < until_s:
            expected.discard(heard.get(timeout=HEARD_S)["channel"])
        assert expected == set()
        for subscription, number in zip(wanted, numbers, strict=True):
            assert info.unsubscribe(subscription, number)
    finally:
        info.disconnect_websocket()


def test_basic_schedule_cancel_and_set_referrer(trader: Trader) -> None:
    for time_ms in (int(time.time() * 1000) + 10_000, None):
        refused = trader.exchange.schedule_cancel(time_ms)
        assert refused["status"] == "ok" or "until enough volume traded" in refused["response"]
    assert trader.exchange.set_referrer("NO SUCH CODE")["status"] == "err"


def test_basic_sub_account_and_vault(embedded: Trader) -> None:
    """Trade enough to be allowed a sub-account, move money there and trade in its name."""
    name = "example123"
    while embedded.exchange.create_sub_account(name)["status"] == "err":
        status(embedded.exchange.market_open("BTC", True, 0.3))
        status(embedded.exchange.market_close("BTC"))
    subs = embedded.info.query_sub_accounts(embedded.address)
    (sub,) = [row["subAccountUser"] for row in subs if row["name"] == name]
    assert embedded.exchange.sub_account_transfer(sub, True, 1_000 * 10**6) == OK
    theirs = Exchange(embedded.exchange.wallet, embedded.url, vault_address=sub)
    oid = status(theirs.order("ETH", True, 0.2, far_px(embedded, "ETH", -0.5), GTC))["resting"][
        "oid"
    ]
    assert [row["oid"] for row in embedded.info.open_orders(sub)] == [oid]
    assert status(theirs.cancel("ETH", oid)) == "success"
    assert theirs.agent_set_abstraction("u") == OK
    assert embedded.exchange.user_set_abstraction(sub, "disabled") == OK
    assert embedded.info.query_user_abstraction_state(sub) == "disabled"
    for enabled in (True, False):
        assert embedded.exchange.user_dex_abstraction(sub, enabled) == OK
        assert embedded.info.query_user_dex_abstraction_state(sub) in {enabled, None}
    assert embedded.exchange.sub_account_transfer(sub, False, 1_000 * 10**6) == OK


def test_basic_vault_of_nobody(trader: Trader) -> None:
    vault = "0x1719884eb866cb12b2287399b15f7db5e7d775ea"
    theirs = Exchange(trader.exchange.wallet, trader.url, vault_address=vault)
    refused = theirs.order("ETH", True, 0.2, far_px(trader, "ETH", -0.5), GTC)
    assert refused["response"].startswith("Vault not registered: 0x")
    assert trader.exchange.vault_usd_transfer(vault, True, 5_000_000)["status"] == "err"


def test_basic_transfer_withdraw_and_spot_to_perp(embedded: Trader) -> None:
    exchange, mine = embedded.exchange, embedded.address
    assert exchange.usd_class_transfer(23.45, to_perp=False) == OK
    assert exchange.usd_class_transfer(1.23, to_perp=True) == OK
    assert exchange.usd_transfer(1, NOBODY) == OK
    assert exchange.spot_transfer(1, NOBODY, "USDC:0x6d1e7cde53ba9467b783cb7c530ce054") == OK
    assert exchange.withdraw_from_bridge(2, mine) == OK
    for source, target in (("", "xyz"), ("xyz", ""), ("spot", "xyz"), ("xyz", "spot")):
        assert exchange.send_asset(mine, source, target, "USDC", 1.0) == OK


def test_basic_order_with_builder_deployed_dex(trader: Trader) -> None:
    px = far_px(trader, "xyz:TSLA", -0.3)
    oid = status(trader.exchange.order("xyz:TSLA", True, 1.0, px, GTC))["resting"]["oid"]
    assert oid in {row["oid"] for row in trader.info.open_orders(trader.address, "xyz")}
    found = trader.info.query_order_by_oid(trader.address, oid)
    assert found["order"]["order"]["coin"] == "xyz:TSLA"
    assert status(trader.exchange.cancel("xyz:TSLA", oid)) == "success"


def test_basic_adding(trader: Trader) -> None:
    """The market maker of the examples: quotes off the book, and hears of its own orders."""
    heard: queue.Queue[Any] = queue.Queue()
    info = Info(trader.url)
    try:
        info.subscribe({"type": "l2Book", "coin": "ETH"}, heard.put)
        info.subscribe({"type": "userEvents", "user": trader.address}, heard.put)
        bid = float(heard.get(timeout=HEARD_S)["data"]["levels"][0][0]["px"])
        px = float(f"{bid * 0.97:.5g}")
        answer = trader.exchange.order("ETH", True, 0.1, px, {"limit": {"tif": "Alo"}})
        oid = status(answer)["resting"]["oid"]
        assert trader.info.open_orders(trader.address)[0]["oid"] == oid
        assert status(trader.exchange.cancel("ETH", oid)) == "success"
    finally:
        info.disconnect_websocket()


def test_priority_fees(trader: Trader) -> None:
    """The example's order is refused, as its price is far too low."""
    order = {"coin": "ETH", "is_buy": True, "sz": 1.0, "order_type": IOC, "reduce_only": False}
    order["limit_px"] = far_px(trader, "ETH", -0.5)
    (found,) = trader.exchange.bulk_orders([order], grouping={"p": 12345})["response"]["data"][
        "statuses"
    ]
    assert "error" in found


def test_user_abstraction(embedded: Trader) -> None:
    """Mode and back, by an account of its own: others trade meanwhile."""
    wallet = eth_account.Account.create()
    mine = Exchange(wallet, embedded.url)
    assert embedded.exchange.usd_transfer(10, wallet.address) == OK
    assert mine.agent_set_abstraction("u") == OK
    assert embedded.info.query_user_abstraction_state(wallet.address) == "unifiedAccount"
    assert mine.user_set_abstraction(wallet.address, "disabled") == OK
    assert mine.agent_enable_dex_abstraction() == OK
    assert mine.user_dex_abstraction(wallet.address, False) == OK
    assert embedded.info.query_user_dex_abstraction_state(wallet.address) in {False, None}


def test_basic_recover_user(trader: Trader) -> None:
    """A signature that nobody here made is nobody's, whoever the SDK takes it for."""
    action = {"type": "cancel", "cancels": [{"a": 87, "o": 28800768235}]}
    stranger, nonce = eth_account.Account.create(), int(time.time() * 1000)
    mainnet = trader.exchange.base_url == MAINNET_API_URL
    signature = sign_l1_action(stranger, action, None, nonce, None, mainnet)
    theirs = recover_agent_or_user_from_l1_action(action, signature, None, nonce, None, mainnet)
    body = {"action": action, "nonce": nonce, "signature": signature}
    refused = trader.exchange.post("/exchange", body)["response"]
    assert theirs == stranger.address
    assert refused.startswith("User or API Wallet 0x")


@pytest.mark.parametrize("call", ["use_big_blocks", "c_signer_unjail_self", "token_delegate"])
def test_what_is_out_of_scope_is_no_request(embedded: Trader, call: str) -> None:
    arguments = {"use_big_blocks": (True,), "token_delegate": (NOBODY, 1, False)}
    with pytest.raises(ClientError) as refused:
        getattr(embedded.exchange, call)(*arguments.get(call, ()))
    assert refused.value.status_code == 422
