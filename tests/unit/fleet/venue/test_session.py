"""What a WebSocket client hears: acks, complaints in the venue's words, answers under its id."""

import asyncio

import msgspec
import pytest

from fleet.venue.limits import MESSAGES_MAX, NEW_CONNECTIONS_MAX
from fleet.venue.refusals import TurnedAway
from fleet.venue.session import TOO_MANY
from tests.unit.fleet.venue.rig import INSTANT, Rig, order, status


async def test_a_subscription_is_acknowledged_once() -> None:
    client = Rig().client()
    client.subscribe(type="bbo", coin="BTC")
    client.subscribe(type="bbo", coin="BTC")
    client.say({"method": "unsubscribe", "subscription": {"type": "bbo", "coin": "BTC"}})
    client.say({"method": "unsubscribe", "subscription": {"type": "bbo", "coin": "BTC"}})
    echo = {"type": "bbo", "coin": "BTC"}
    assert client.of("subscriptionResponse") == [
        {"method": "subscribe", "subscription": echo},
        {"method": "unsubscribe", "subscription": echo},
    ]
    assert client.of("error") == [
        'Already subscribed: {"type":"bbo","coin":"BTC"}',
        'Already unsubscribed: {"type":"bbo","coin":"BTC"}',
    ]


async def test_what_cannot_be_served_is_told_in_the_venues_words() -> None:
    client = Rig().client()
    client.subscribe(type="bbo", coin="NOPE")
    client.raw("no json")
    client.raw('{"method":"dance"}')
    client.raw("[" * 5_000)
    client.subscribe(type="nonsense")
    errors = client.of("error")
    assert errors[0] == 'Invalid subscription {"type":"bbo","coin":"NOPE"}'
    assert errors[1] == "Error parsing JSON into valid websocket request: no json"
    assert len(errors) == 5
    assert all(text.startswith("Error parsing JSON") for text in errors[1:])


async def test_ping_is_answered() -> None:
    client = Rig().client()
    client.say({"method": "ping"})
    assert client.frames == [{"channel": "pong"}]


async def test_posts_are_answered_under_their_id() -> None:
    rig = Rig()
    client = rig.client()
    book = {"type": "info", "payload": {"type": "l2Book", "coin": "ETH"}}
    client.say({"method": "post", "id": 3, "request": book})
    body = rig.body(order(rig.mid_px() * 0.99, tif="Alo"))
    client.say({"method": "post", "id": 4, "request": {"type": "action", "payload": body}})
    for _ in range(5):
        await asyncio.sleep(0)
    info, action = client.of("post")
    assert info["id"] == 3
    assert info["response"]["payload"]["type"] == "l2Book"
    assert info["response"]["payload"]["data"]["coin"] == "ETH"
    assert action["id"] == 4
    assert "resting" in status(action["response"]["payload"])
    assert (rig.venue.exchange_requests, rig.venue.info_requests) == (1, 1)


async def test_a_post_that_cannot_be_read_gets_an_error_and_no_answer() -> None:
    client = Rig().client()
    bogus = {"type": "info", "payload": {"type": "bogus"}}
    client.say({"method": "post", "id": 1, "request": bogus})
    client.say({"method": "post", "id": 1, "request": {"type": ["info"], "payload": {}}})
    client.say({"method": "post", "id": 2, "request": {"type": "action", "payload": {}}})
    client.say({"method": "post", "id": "x", "request": bogus})
    for _ in range(5):
        await asyncio.sleep(0)
    assert client.of("post") == []
    assert len(client.of("error")) == 4


async def test_an_address_may_say_only_so_much_a_minute() -> None:
    rig = Rig(msgspec.structs.replace(INSTANT, limits="on"))
    one, other = rig.client(), rig.client()
    for _ in range(MESSAGES_MAX // 2):
        one.say({"method": "ping"})
        other.say({"method": "ping"})
    assert one.of("error") == []
    one.say({"method": "ping"})
    assert one.of("error") == [TOO_MANY]
    assert one.channels().count("pong") == MESSAGES_MAX // 2
    rig.wait(60_000)
    one.say({"method": "ping"})
    assert one.frames[-1] == {"channel": "pong"}


def test_an_address_may_come_only_so_often_a_minute() -> None:
    rig = Rig(msgspec.structs.replace(INSTANT, limits="on"))
    for _ in range(NEW_CONNECTIONS_MAX):
        rig.venue.welcome("127.0.0.1")
    with pytest.raises(TurnedAway):
        rig.venue.welcome("127.0.0.1")
    rig.venue.welcome("127.0.0.2")
    rig.wait(60_000)
    rig.venue.welcome("127.0.0.1")
