"""The venue at work: actions through the door, feeds in their order, state over a restart."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.exchange.signing import L1Signer
from agents.sim.latency import Latency
from agents.sim.outputs import UnknownRequest
from fleet.venue.state import StateError
from tests.unit.fleet.venue.rig import ADDRESS, INSTANT, Rig, order, status


async def test_an_action_is_answered_and_counted() -> None:
    rig = Rig()
    answer = await rig.act(order(rig.mid_px() * 0.99, tif="Alo"))
    assert "resting" in status(answer)
    answer = await rig.act(order(rig.mid_px() * 1.02, tif="Ioc"))
    assert status(answer)["filled"]["totalSz"] == "0.01"
    assert rig.venue.exchange_requests == 2
    assert rig.venue.info_requests == 0


async def test_both_signing_sources_pass() -> None:
    rig = Rig()
    for mainnet in (True, False):
        answer = await rig.act(order(rig.mid_px() * 0.99, tif="Alo"), mainnet=mainnet)
        assert "resting" in status(answer)


async def test_an_unfunded_key_is_refused_by_its_address() -> None:
    rig = Rig()
    stranger = bytes.fromhex("02" * 32)
    address = L1Signer(stranger, mainnet=True).address
    answer = await rig.act(order(50_000), key=stranger)
    assert answer == {
        "status": "err",
        "response": f"User or API Wallet {address} does not exist.",
    }


async def test_what_is_no_signature_is_refused_at_the_door() -> None:
    rig = Rig()
    body = rig.body(order(50_000))
    body["signature"] = {"r": "0x0", "s": "0x0", "v": 27}
    assert await rig.venue.act(body) == {
        "status": "err",
        "response": "Unable to recover signer.",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "1"},
        {"nonce": -1},
        {"signature": None},
        {"action": {"type": "nonsense"}},
        {"action": {"type": "order", "orders": [{"a": -1}], "grouping": "na"}},
        {"action": []},
        {"vaultAddress": "0x12"},
    ],
)
async def test_a_wrong_shape_is_unknown_before_any_signature(change: dict[str, object]) -> None:
    rig = Rig()
    with pytest.raises(UnknownRequest):
        await rig.venue.act(rig.body(order(50_000)) | change)


async def test_numbers_no_signature_can_hold_are_refused() -> None:
    rig = Rig()
    body = rig.body({"type": "noop"})
    body["action"]["weight"] = 1 << 80
    answer = await rig.venue.act(body)
    assert answer["response"] == "Unable to recover signer."


async def test_fills_and_order_updates_reach_their_listeners_once_a_block() -> None:
    rig = Rig()
    client = rig.client()
    for kind in ("orderUpdates", "userFills", "userEvents"):
        client.subscribe(type=kind, user=ADDRESS.upper().replace("0X", "0x"))
    await rig.act(order(rig.mid_px() * 1.02, tif="Ioc"))
    (snapshot, update) = client.of("userFills")
    assert snapshot == {"isSnapshot": True, "user": ADDRESS, "fills": []}
    assert "isSnapshot" not in update
    assert client.of("user") == [{"fills": update["fills"]}]
    (rows,) = client.of("orderUpdates")
    assert [row["status"] for row in rows][-1] == "filled"


async def test_account_channels_follow_a_change_and_beat_without_one() -> None:
    rig = Rig()
    client = rig.client()
    client.subscribe(type="openOrders", user=ADDRESS)
    client.subscribe(type="allDexsClearinghouseState", user=ADDRESS)
    await rig.act(order(rig.mid_px() * 0.99, tif="Alo"))
    for _ in range(8):
        rig.wait(70)
    assert [len(data["orders"]) for data in client.of("openOrders")] == [0, 1]
    for _ in range(4):
        rig.wait(1_300)
    assert len(client.of("openOrders")) == 3
    states = client.of("allDexsClearinghouseState")
    names = [name for name, _ in states[0]["clearinghouseStates"]]
    assert names == ["", "flx", "hyna", "km", "xyz"]


async def test_market_data_come_with_their_cadence() -> None:
    rig = Rig()
    client = rig.client()
    client.subscribe(type="l2Book", coin="BTC")
    client.subscribe(type="l2Book", coin="BTC", fast=True)
    client.subscribe(type="bbo", coin="BTC")
    client.subscribe(type="activeAssetCtx", coin="BTC")
    client.subscribe(type="allMids")
    for _ in range(150):
        rig.wait(70)
    books = client.of("l2Book")
    fast = [book for book in books if book.get("fast")]
    assert len(books) - len(fast) == 3  # the snapshot, and one each 5 s
    assert 16 <= len(fast) <= 22
    assert all(len(side) <= 5 for book in fast for side in book["levels"])
    assert 9 <= len(client.of("activeAssetCtx")) <= 12
    assert 9 <= len(client.of("allMids")) <= 12
    assert len(client.of("bbo")) > 20
    for bid, ask in (data["bbo"] for data in client.of("bbo")):
        assert float(bid["px"]) < float(ask["px"])


async def test_trades_replay_the_last_ones_to_a_late_subscriber() -> None:
    rig = Rig()
    await rig.act(order(rig.mid_px() * 1.02, tif="Ioc"))
    client = rig.client()
    client.subscribe(type="trades", coin="BTC")
    (backlog,) = client.of("trades")
    assert backlog[-1]["side"] == "B"
    assert len(backlog[-1]["users"]) == 2


async def test_a_client_hears_its_ack_first_and_nothing_after_it_leaves() -> None:
    rig = Rig(msgspec.structs.replace(INSTANT, latency_ms=Latency(ack=0, feed=20, jitter=0.5)))
    client = rig.client()
    client.subscribe(type="bbo", coin="BTC")
    for _ in range(30):
        rig.wait(70)
    await asyncio.sleep(0.3)
    assert client.channels()[:2] == ["subscriptionResponse", "bbo"]
    times = [data["time"] for data in client.of("bbo")]
    assert times == sorted(times)
    client.leave()
    heard = len(client.frames)
    for _ in range(5):
        rig.wait(70)
    await asyncio.sleep(0.3)
    assert len(client.frames) == heard
    assert rig.venue.hub.keys() == ()


async def test_a_restart_knows_accounts_orders_ids_and_prices(tmp_path: Path) -> None:
    options = msgspec.structs.replace(INSTANT, state=str(tmp_path / "venue"))
    first = Rig(options)
    await first.act(order(first.mid_px() * 1.02, tif="Ioc"))
    resting = status(await first.act(order(first.mid_px() * 0.98, tif="Alo")))["resting"]
    user = {"user": ADDRESS}
    asked = ("openOrders", "clearinghouseState", "userFills")
    now_ms = first.venue.now_ms
    before = [first.venue.exchange.info({"type": kind, **user}, now_ms) for kind in asked]
    left_px = first.mid_px()
    await first.venue.close()

    second = Rig(options)
    after = [second.venue.exchange.info({"type": kind, **user}, now_ms) for kind in asked]
    assert second.mid_px() == pytest.approx(left_px, rel=2e-3)
    assert before[0] == after[0]
    assert before[2] == after[2]
    assert isinstance(before[1], dict)
    assert isinstance(after[1], dict)
    sizes = [
        [(row["position"]["coin"], row["position"]["szi"]) for row in state["assetPositions"]]
        for state in (before[1], after[1])
    ]
    assert sizes[0] == sizes[1] == [("BTC", "0.01")]
    again = status(await second.act(order(second.mid_px() * 0.98, tif="Alo")))["resting"]
    assert again["oid"] > resting["oid"]
    cancel = {"type": "cancel", "cancels": [{"a": 0, "o": resting["oid"]}]}
    assert status(await second.act(cancel)) == "success"
    await second.venue.close()


async def test_a_killed_venue_has_forgotten_nothing_it_told(tmp_path: Path) -> None:
    options = msgspec.structs.replace(INSTANT, state=str(tmp_path / "venue"))
    first = Rig(options)
    body = first.body(order(first.mid_px() * 1.02, tif="Ioc"))
    assert "filled" in status(await first.venue.act(body))
    resting = status(await first.act(order(first.mid_px() * 0.98, tif="Alo")))["resting"]
    gone = status(await first.act(order(first.mid_px() * 0.97, tif="Alo")))["resting"]
    cancel = {"type": "cancel", "cancels": [{"a": 0, "o": gone["oid"]}]}
    assert status(await first.act(cancel)) == "success"
    lists = ("userFills", "historicalOrders", "userNonFundingLedgerUpdates")
    fills, history, ledger = (
        first.venue.exchange.info({"type": kind, "user": ADDRESS}, 0) for kind in lists
    )
    shutil.copytree(tmp_path / "venue", tmp_path / "killed")
    await first.venue.close()

    second = Rig(msgspec.structs.replace(options, state=str(tmp_path / "killed")))
    user = {"user": ADDRESS}
    assert second.venue.exchange.info({"type": "userFills", **user}, 0) == fills
    assert second.venue.exchange.info({"type": "historicalOrders", **user}, 0) == history
    assert second.venue.exchange.info({"type": "userNonFundingLedgerUpdates", **user}, 0) == ledger
    asked = {"type": "orderStatus", **user, "oid": gone["oid"]}
    dead: Any = second.venue.exchange.info(asked, 0)
    assert dead["order"]["status"] == "canceled"
    orders = second.venue.exchange.info({"type": "openOrders", **user}, 0)
    assert isinstance(orders, list)
    assert [row["oid"] for row in orders] == [resting["oid"]]
    again = await second.venue.act(body)
    assert str(again["response"]).startswith("Invalid nonce: duplicate nonce")
    await second.venue.close()


async def test_a_state_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    options = msgspec.structs.replace(INSTANT, state=str(tmp_path))
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(StateError, match="move it away"):
        Rig(options)
    (tmp_path / "state.json").write_text('{"schema": 1}')
    with pytest.raises(StateError, match="move it away"):
        Rig(options)


async def test_funding_is_for_addresses_the_state_does_not_know(tmp_path: Path) -> None:
    options = msgspec.structs.replace(INSTANT, state=str(tmp_path))
    await Rig(options).venue.close()
    other = "0x" + "3" * 40
    again = Rig(msgspec.structs.replace(options, fund={**options.fund, other: 5}))
    for user, usd in ((ADDRESS, "100000.0"), (other, "5.0")):
        state = again.venue.exchange.info({"type": "clearinghouseState", "user": user}, 0)
        assert isinstance(state, dict)
        assert state["marginSummary"]["accountValue"] == usd
    await again.venue.close()
