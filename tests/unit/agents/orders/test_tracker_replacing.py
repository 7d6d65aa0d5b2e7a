"""One order in the place of another: two legs, and which of them lives."""

from agents.commands import NewOrder
from agents.events import OrderResult
from agents.market.types import Cloid, Oid, Side
from agents.orders.lifecycle import State
from agents.orders.tracker import ANSWER_MAX_NS, OrderTracker
from tests.unit.agents.orders.told import CLOID, D, S, a_fill, the_order, tracking

NEW = Cloid("0x" + "d" * 32)


def _replacing() -> OrderTracker:
    """An order that rests, and another on its way into its place under request 2."""
    tracker = tracking()
    new = NewOrder(cloid=NEW, side=Side.BID, px=D(11), sz=D(5), replaces=CLOID)
    tracker.register(2, [new], 2 * S)
    assert tracker.open_sz(Side.BID) == 10  # either may fill until the answer comes
    return tracker


def test_incident_2_a_taken_replacement_ends_the_old_order() -> None:
    tracker = _replacing()
    (answered,) = tracker.place_answered(2, [OrderResult("resting", oid=Oid(78))], 3 * S)
    assert answered.refusal is None
    assert the_order(tracker).state is State.CANCELED
    assert tracker.live[NEW].state is State.OPEN
    assert tracker.find(None, Oid(78)) is tracker.live[NEW]
    tracker.apply_fill(a_fill("2"), 4 * S)  # a late fill of the old one counts once, by its id
    assert the_order(tracker).filled_sz == 2


def test_incident_2_a_refused_replacement_says_nothing_of_the_old_order() -> None:
    tracker = _replacing()
    refused = OrderResult("refused", text="Cannot modify canceled or filled order")
    tracker.place_answered(2, [refused], 3 * S)
    assert NEW not in tracker.live
    assert the_order(tracker).state is State.UNKNOWN
    assert tracker.asks(3 * S, at_most=5) == [CLOID]


def test_incident_2_a_lost_answer_leaves_both_legs_in_doubt() -> None:
    for lose in ("unknown", "late", "short"):
        tracker = _replacing()
        if lose == "unknown":
            tracker.outcome_unknown(2, 3 * S)
        elif lose == "late":
            tracker.expire(2 * S + ANSWER_MAX_NS + 1)
        else:
            tracker.place_answered(2, [], 3 * S)
        assert {order.state for order in tracker.live.values()} == {State.UNKNOWN}
        assert tracker.open_sz(Side.BID) == 10


def test_a_replacement_that_was_never_sent_leaves_the_old_order_as_it_was() -> None:
    tracker = _replacing()
    request = tracker.not_sent(2, 3 * S)
    assert request is not None
    assert request.kind == "place"
    assert the_order(tracker).state is State.OPEN
    assert NEW not in tracker.live


def test_a_replacement_refused_once_its_place_was_free_ends_the_old_order() -> None:
    tracker = _replacing()
    text = "Error placing new order during modify: Post only order would have immediately matched"
    (answered,) = tracker.place_answered(2, [OrderResult("refused", text=text)], 3 * S)
    assert answered.refusal == text
    assert the_order(tracker).state is State.CANCELED
    assert not tracker.live


def test_a_replacement_for_which_no_requests_are_left_changes_nothing() -> None:
    """The allowance of cancels is larger: the old order can be cancelled at once, unasked."""
    tracker = _replacing()
    text = "Too many cumulative requests sent (11 > 10) for cumulative volume traded $1."
    tracker.place_answered(2, [OrderResult("refused", text=text)], 3 * S)
    assert list(tracker.live) == [CLOID]
    assert the_order(tracker).state is State.OPEN
    assert not tracker.asks(3 * S, at_most=5)
