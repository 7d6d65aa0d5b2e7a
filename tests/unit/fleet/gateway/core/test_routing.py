"""Who gets which frame, what upstream is asked for, and what a late subscriber finds."""

import msgspec

from fleet.gateway.core.routing import Key, Refused, Routing, ack, subscription_of

BBO: Key = ("bbo", "BTC", False)
TRADES: Key = ("trades", "BTC", False)
FILLS: Key = ("userFills", "BTC", False)


def test_upstream_is_asked_once_and_left_when_the_last_one_goes() -> None:
    routing = Routing()
    assert routing.add(1, BBO) == (True, None)
    assert routing.add(2, BBO) == (False, None)
    assert not routing.remove(1, BBO)
    assert routing.remove(2, BBO)


def test_what_the_gateway_watches_itself_stays() -> None:
    routing = Routing()
    assert routing.own(BBO)
    assert routing.add(1, BBO) == (False, None)
    assert routing.forget(1) == []
    assert routing.upstream() == [{"type": "bbo", "coin": "BTC"}]
    assert routing.disown(BBO)


def test_a_late_subscriber_gets_the_last_full_frame_but_no_old_prints() -> None:
    routing = Routing()
    routing.add(1, BBO)
    routing.add(1, TRADES)
    assert routing.frame(BBO, b"touch") == {1}
    assert routing.frame(TRADES, b"prints") == {1}
    assert routing.add(2, BBO) == (False, b"touch")
    assert routing.add(2, TRADES) == (False, None)
    routing.drop_held()
    assert routing.add(3, BBO) == (False, None)


def test_nothing_is_held_for_nobody() -> None:
    routing = Routing()
    routing.frame(BBO, b"stray")
    assert routing.add(1, BBO) == (True, None)


def test_user_channels_need_no_subscription_of_their_own() -> None:
    routing = Routing()
    assert routing.add(1, FILLS) == (False, None)
    assert routing.subscribers("userFills", "BTC") == {1}
    assert routing.upstream() == []
    assert routing.forget(1) == []
    assert routing.subscribers("userFills", "BTC") == set()


def test_a_market_is_all_that_an_agent_may_see() -> None:
    assert Routing.key_of({"type": "l2Book", "coin": "BTC", "fast": True}, "BTC") == (
        "l2Book", "BTC", True,
    )  # fmt: skip
    assert Routing.key_of({"type": "orderUpdates"}, "BTC") == ("orderUpdates", "BTC", False)
    for stranger in (
        {"type": "bbo", "coin": "ETH"},
        {"type": "allMids"},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": 3},
        {},
    ):
        assert isinstance(Routing.key_of(stranger, "BTC"), Refused)


def test_the_ack_is_the_venues_canonical_form() -> None:
    raw = ack("subscribe", {"type": "l2Book", "coin": "BTC"})
    subscription = msgspec.json.decode(raw)["data"]["subscription"]
    assert subscription == {
        "type": "l2Book", "coin": "BTC", "nSigFigs": None, "mantissa": None, "fast": False,
    }  # fmt: skip


def test_a_fast_book_is_asked_for_as_one() -> None:
    fast = {"type": "l2Book", "coin": "BTC", "fast": True}
    assert subscription_of(("l2Book", "BTC", True)) == fast
