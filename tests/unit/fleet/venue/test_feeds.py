"""Every channel of the venue: its ack, what follows, and what it may not be asked for."""

import base64
import json
import zlib
from typing import Any

import pytest

from agents.sim.outputs import UnknownRequest
from tests.unit.fleet.venue.rig import ADDRESS, Client, Rig, order, status

USER = {"user": ADDRESS}


def snapshot(client: Client, **subscription: object) -> Any:
    """The one frame after the ack."""
    client.frames.clear()
    client.subscribe(**subscription)
    ack, found = client.frames
    assert ack["channel"] == "subscriptionResponse"
    assert ack["data"]["subscription"]["type"] == subscription["type"]
    assert found["channel"] == subscription["type"]
    return found["data"]


@pytest.mark.parametrize(
    ("subscription", "keys"),
    [
        ({"type": "assetCtxs"}, {"dex", "ctxs"}),
        ({"type": "allDexsAssetCtxs"}, {"ctxs"}),
        ({"type": "activeAssetData", "coin": "BTC", **USER}, {"user", "coin", "leverage"}),
        ({"type": "spotState", **USER}, {"user", "spotState"}),
        ({"type": "twapStates", **USER}, {"dex", "user", "states"}),
        ({"type": "webData2", **USER}, {"clearinghouseState", "openOrders", "meta", "user"}),
        ({"type": "webData3", **USER}, {"userState", "perpDexStates"}),
        ({"type": "userHistoricalOrders", **USER}, {"isSnapshot", "user", "orderHistory"}),
        ({"type": "userTwapHistory", **USER}, {"isSnapshot", "user", "history"}),
        ({"type": "userTwapSliceFills", **USER}, {"isSnapshot", "user", "twapSliceFills"}),
        (
            {"type": "userNonFundingLedgerUpdates", **USER},
            {"isSnapshot", "user", "nonFundingLedgerUpdates"},
        ),
        ({"type": "userFundings", **USER}, {"isSnapshot", "user", "fundings"}),
    ],
)
async def test_a_channel_shows_its_state_after_the_ack(
    subscription: dict[str, Any], keys: set[str]
) -> None:
    data = snapshot(Rig().client(), **subscription)
    assert keys <= data.keys()


async def test_contexts_are_sorted_by_dex_and_leave_out_the_empty_one() -> None:
    rig = Rig()
    data = snapshot(rig.client(), type="allDexsAssetCtxs")
    names = [name for name, _ in data["ctxs"]]
    assert names == sorted(names)
    assert "flx" not in names
    assert len(data["ctxs"][0][1]) == len(rig.venue.universe.by_dex[""].assets)


async def test_fast_contexts_are_squeezed() -> None:
    data = snapshot(Rig().client(), type="fastAssetCtxs")
    prices = json.loads(zlib.decompress(base64.b64decode(data), wbits=-15))
    assert float(prices["BTC"]["midPx"]) > 0


async def test_candles_follow_the_trades() -> None:
    rig = Rig()
    client = rig.client()
    client.subscribe(type="candle", coin="BTC", interval="1m")
    await rig.act(order(rig.mid_px() * 1.02, tif="Ioc"))
    rig.wait(500)
    candle = client.of("candle")[-1]
    assert (candle["s"], candle["i"]) == ("BTC", "1m")
    assert float(candle["v"]) >= 0.01
    asked = {"coin": "BTC", "interval": "1m", "startTime": 0}
    rows = await rig.venue.info({"type": "candleSnapshot", "req": asked})
    assert isinstance(rows, list)
    assert float(rows[-1]["v"]) >= float(candle["v"])


async def test_a_maker_is_notified_and_its_orders_history_grows() -> None:
    rig = Rig()
    client = rig.client()
    client.subscribe(type="notification", **USER)
    client.subscribe(type="userHistoricalOrders", **USER)
    resting = status(await rig.act(order(rig.mid_px() * 0.98)))["resting"]
    history = client.of("userHistoricalOrders")[-1]["orderHistory"]
    assert [(row["order"]["oid"], row["status"]) for row in history] == [(resting["oid"], "open")]
    assert client.of("notification") == []


async def test_an_unknown_interval_is_no_request_and_an_unknown_coin_is_invalid() -> None:
    client = Rig().client()
    client.subscribe(type="candle", coin="BTC", interval="7m")
    client.subscribe(type="candle", coin="NONE", interval="1m")
    first, second = client.of("error")
    assert first.startswith("Error parsing JSON into valid websocket request: ")
    assert second.startswith("Invalid subscription ")


async def test_a_connection_tracks_ten_users_and_a_thousand_feeds() -> None:
    client = Rig().client()
    for number in range(11):
        client.subscribe(type="orderUpdates", user=f"0x{number:040x}")
    assert client.of("error") == ["Cannot track more than 10 total users."]
    client.frames.clear()
    coins = ("BTC", "ETH", "SOL")
    for number in range(10_000):
        client.subscribe(
            type="l2Book", coin=coins[number % 3], nSigFigs=2 + number % 4, fast=number % 2 == 0
        )
    assert len(client.of("subscriptionResponse")) <= 1_000
    hub = client.venue.hub
    assert len(hub.keys()) <= 1_000
    client.frames.clear()
    client.say({"method": "ping"})
    assert client.channels() == ["pong"]


class Quiet(Client):
    """Keeps the bytes as they came."""

    def __init__(self, rig: Rig) -> None:
        self.sent: list[bytes] = []
        super().__init__(rig.venue)

    def send(self, frame: bytes) -> None:
        self.sent.append(frame)


async def test_a_book_is_encoded_once_for_forty_listeners() -> None:
    rig = Rig()
    listeners = [Quiet(rig) for _ in range(40)]
    for each in listeners:
        each.subscribe(type="l2Book", coin="BTC", fast=True)
    rig.wait(70)
    for each in listeners:
        each.sent.clear()
    rig.wait(600)
    assert {len(each.sent) for each in listeners} == {1}
    assert len({id(each.sent[0]) for each in listeners}) == 1


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "\x00",
        "[]",
        "7",
        '{"method":"subscribe"}',
        '{"method":"subscribe","subscription":[]}',
        '{"method":"subscribe","subscription":{"type":["l2Book"]}}',
        '{"method":"subscribe","subscription":{"type":"l2Book","coin":{}}}',
        '{"method":"post","id":"x","request":{}}',
        '{"method":"post","id":1,"request":{"type":"nonsense","payload":{}}}',
        "[" * 100_000,
        '{"method":' * 10_000,
    ],
)
async def test_garbage_gets_an_error_frame_and_the_talk_goes_on(raw: str) -> None:
    client = Rig().client()
    client.raw(raw)
    assert client.of("error")[0].startswith("Error parsing JSON into valid websocket request: ")
    client.say({"method": "ping"})
    assert client.channels()[-1] == "pong"


async def test_a_hundred_posts_may_wait_and_no_more() -> None:
    client = Rig().client()
    request = {"type": "info", "payload": {"type": "meta"}}
    for number in range(101):
        client.say({"method": "post", "id": number, "request": request})
    assert client.of("error") == ["too many pending post requests id=100"]


@pytest.mark.parametrize("kind", ["l2Book", "bbo", "trades", "activeAssetCtx", "candle"])
async def test_a_delisted_coin_shows_an_empty_market(kind: str) -> None:
    client = Rig().client()
    client.subscribe(type=kind, coin="MATIC", interval="1m")
    assert client.channels()[0] == "subscriptionResponse"
    client.say({"method": "ping"})
    assert client.channels()[-1] == "pong"


async def test_the_page_of_an_account_is_answered_as_its_channel_shows_it() -> None:
    rig = Rig()
    asked: dict[str, object] = {"type": "webData2", "user": ADDRESS.upper().replace("X", "x")}
    page: Any = await rig.venue.info(asked)
    assert page["clearinghouseState"]["withdrawable"] != "0.0"
    assert page["meta"]["universe"][0]["name"] == "BTC"
    for user in (None, "0x12"):
        with pytest.raises(UnknownRequest):
            await rig.venue.info({"type": "webData2", "user": user})
