"""Subscriptions: the canonical echo, one key a feed, and the venue's two refusals."""

import pytest

from agents.sim.universe import default_universe
from fleet.venue.subscriptions import Invalid, Json, Key, NotARequest, parse

UNIVERSE = default_universe()
USER = "0x" + "aB" * 20


@pytest.mark.parametrize(
    ("asked", "echo", "key"),
    [
        (
            {"type": "l2Book", "coin": "BTC"},
            {"type": "l2Book", "coin": "BTC", "nSigFigs": None, "mantissa": None, "fast": False},
            Key("l2Book", coin="BTC"),
        ),
        (
            {"type": "l2Book", "coin": "hyna:BTC", "nSigFigs": 5, "mantissa": 2, "fast": True},
            {"type": "l2Book", "coin": "hyna:BTC", "nSigFigs": 5, "mantissa": 2, "fast": True},
            Key("l2Book", coin="hyna:BTC", figures=5, mantissa=2, fast=True),
        ),
        ({"type": "bbo", "coin": "ETH"}, {"type": "bbo", "coin": "ETH"}, Key("bbo", coin="ETH")),
        (
            {"type": "userFills", "user": USER},
            {"type": "userFills", "user": USER.lower(), "aggregateByTime": False},
            Key("userFills", user=USER.lower()),
        ),
        (
            {"type": "user", "user": USER},
            {"type": "userEvents", "user": USER.lower()},
            Key("userEvents", user=USER.lower()),
        ),
        (
            {"type": "openOrders", "user": USER},
            {"type": "openOrders", "user": USER.lower(), "dex": ""},
            Key("openOrders", user=USER.lower()),
        ),
        (
            {"type": "clearinghouseState", "user": USER, "dex": "xyz"},
            {"type": "clearinghouseState", "user": USER.lower(), "dex": "xyz"},
            Key("clearinghouseState", user=USER.lower(), dex="xyz"),
        ),
        ({"type": "allMids"}, {"type": "allMids"}, Key("allMids")),
        (
            {"type": "allMids", "dex": "xyz"},
            {"type": "allMids", "dex": "xyz"},
            Key("allMids", dex="xyz"),
        ),
    ],
)
def test_the_echo_is_canonical(asked: Json, echo: Json, key: Key) -> None:
    assert parse(asked, UNIVERSE) == (key, echo)


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "bbo", "coin": "NOPE"},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": 9},
        {"type": "l2Book", "coin": "BTC", "mantissa": 2},
        {"type": "openOrders", "user": USER, "dex": "nope"},
        {"type": "allMids", "dex": "nope"},
    ],
)
def test_what_does_not_exist_is_invalid(asked: Json) -> None:
    with pytest.raises(Invalid):
        parse(asked, UNIVERSE)


@pytest.mark.parametrize(
    "asked",
    [
        None,
        [],
        {},
        {"type": "nonsense"},
        {"type": 5},
        {"type": ["bbo"]},
        {"type": "bbo"},
        {"type": "bbo", "coin": 5},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": [1]},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": True},
        {"type": "userFills", "user": "0x12"},
        {"type": "openOrders", "user": USER, "dex": 5},
    ],
)
def test_what_has_another_shape_is_no_request(asked: object) -> None:
    with pytest.raises((NotARequest, Invalid)):
        parse(asked, UNIVERSE)
