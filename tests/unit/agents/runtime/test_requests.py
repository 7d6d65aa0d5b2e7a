"""Requests under way: every answer, refusal, loss and silence becomes one event, once."""

from decimal import Decimal

import msgspec
import pytest

from agents.commands import AskOpenOrders, AskOrder, Cancel, NewOrder, Place
from agents.events import (
    CancelAnswered,
    Event,
    Fills,
    OpenOrders,
    OrderStatus,
    OutcomeUnknown,
    PlaceAnswered,
    RequestRefused,
)
from agents.exchange.codec import PostFrame
from agents.market.types import Cloid, Coin, Side
from agents.runtime.requests import UNANSWERED_NS, AskFills, Requests

C1, C2 = Cloid("0x" + "01" * 16), Cloid("0x" + "02" * 16)
ORDER = NewOrder(C1, Side.BID, Decimal(100), Decimal(1))
PLACE = Place(11, (ORDER, NewOrder(C2, Side.BID, Decimal(99), Decimal(1))))
T0 = 1_000


def answered(
    requests: Requests, post_id: int, payload: object, kind: str = "action"
) -> Event | None:
    raw = msgspec.Raw(msgspec.json.encode(payload))
    return requests.answered(PostFrame(post_id, kind, raw))


def ok(*statuses: object) -> object:
    return {"status": "ok", "response": {"type": "order", "data": {"statuses": statuses}}}


@pytest.fixture
def requests() -> Requests:
    return Requests(Coin("BTC"))


def test_a_placement_is_answered_order_by_order(requests: Requests) -> None:
    post_id = requests.register(PLACE, T0)
    event = answered(requests, post_id, ok({"resting": {"oid": 5}}, {"error": "Post only"}))
    assert isinstance(event, PlaceAnswered)
    assert (event.request_id, [r.kind for r in event.results]) == (11, ["resting", "refused"])
    assert len(requests) == 0


def test_an_answer_that_comes_twice_counts_once(requests: Requests) -> None:
    post_id = requests.register(Cancel(12, (C1,)), T0)
    event = answered(requests, post_id, ok("success"))
    assert event == CancelAnswered(12, (None,))
    assert answered(requests, post_id, ok("success")) is None


def test_silence_becomes_an_unknown_outcome_and_a_late_answer_nothing(requests: Requests) -> None:
    post_id = requests.register(PLACE, T0)
    assert requests.overdue(T0 + UNANSWERED_NS - 1) == []
    assert requests.overdue(T0 + UNANSWERED_NS) == [OutcomeUnknown(11)]
    assert requests.overdue(T0 + 2 * UNANSWERED_NS) == []
    assert answered(requests, post_id, ok({"resting": {"oid": 5}})) is None


def test_refused_is_not_sent_and_lost_is_perhaps(requests: Requests) -> None:
    first, second = requests.register(PLACE, T0), requests.register(Cancel(12, (C1,)), T0)
    assert requests.refused(first, "fenced", "halted") == RequestRefused(11, "fenced", "halted")
    assert requests.lost(second) == OutcomeUnknown(12)
    assert requests.refused(99, "fenced", "") is None


@pytest.mark.parametrize("payload", [{"odd": 1}, ok(), [], None])
def test_an_answer_that_cannot_be_read_is_an_unknown_outcome(
    requests: Requests, payload: object
) -> None:
    assert answered(requests, requests.register(PLACE, T0), payload) == OutcomeUnknown(11)


def test_an_error_of_the_venue_asks_whether_it_happened(requests: Requests) -> None:
    post_id = requests.register(PLACE, T0)
    event = answered(requests, post_id, "429 Too Many Requests", kind="error")
    assert isinstance(event, RequestRefused | OutcomeUnknown)
    assert event.request_id == 11


def test_open_orders_are_this_markets_as_of_the_asking(requests: Requests) -> None:
    row = {
        "coin": "BTC", "side": "B", "limitPx": "100.0", "sz": "0.5", "origSz": "1.0", "oid": 5,
        "timestamp": 7, "cloid": C1, "reduceOnly": False, "isTrigger": False, "triggerPx": "0.0",
        "triggerCondition": "N/A", "isPositionTpsl": False, "orderType": "Limit", "tif": "Alo",
        "children": [],
    }  # fmt: skip
    rows = [row, {**row, "coin": "ETH", "oid": 6}]
    post_id = requests.register(AskOpenOrders(13), T0)
    event = answered(requests, post_id, {"type": "frontendOpenOrders", "data": rows}, kind="info")
    assert isinstance(event, OpenOrders)
    assert (event.request_id, event.requested_ns) == (13, T0)
    assert [(o.oid, o.remaining_sz, o.cloid) for o in event.orders] == [(5, Decimal("0.5"), C1)]


def test_an_order_nobody_knows_has_no_status(requests: Requests) -> None:
    post_id = requests.register(AskOrder(C1), T0)
    payload = {"type": "orderStatus", "data": {"status": "unknownOid"}}
    event = answered(requests, post_id, payload, kind="info")
    assert event == OrderStatus(C1, T0, status=None)


def test_a_question_that_was_turned_away_says_nothing(requests: Requests) -> None:
    assert requests.refused(requests.register(AskOrder(C1), T0), "budget", "") is None
    requests.register(AskOrder(C1), T0)
    assert requests.overdue(T0 + UNANSWERED_NS) == []
    assert len(requests) == 0


def test_fills_of_other_markets_are_left_out_of_what_was_missed(requests: Requests) -> None:
    row = {
        "coin": "BTC", "px": "100", "sz": "1", "side": "B", "time": 5, "tid": 7, "oid": 9,
        "startPosition": "0", "dir": "Open Long", "closedPnl": "0", "hash": "0x0",
        "crossed": False, "fee": "0.01", "feeToken": "USDC", "cloid": C1,
    }  # fmt: skip
    post_id = requests.register(AskFills(3), T0)
    data = [row, {**row, "coin": "ETH", "tid": 8}]
    event = answered(requests, post_id, {"type": "userFillsByTime", "data": data}, "info")
    assert isinstance(event, Fills)
    assert event.is_snapshot
    assert [fill.tid for fill in event.fills] == [7]


def test_a_broken_connection_loses_all_that_was_under_way(requests: Requests) -> None:
    requests.register(PLACE, T0)
    requests.register(AskOrder(C1), T0)
    requests.register(AskFills(3), T0)
    assert requests.all_lost() == [OutcomeUnknown(11)]
    assert len(requests) == 0
