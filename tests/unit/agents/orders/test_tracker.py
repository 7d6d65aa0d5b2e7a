"""The tracker: known before sent, dead only on proof, whatever comes first."""

import pytest

from agents.commands import NewOrder
from agents.events import OrderResult
from agents.market.types import Cloid, Oid, Side
from agents.orders.lifecycle import State
from agents.orders.tracker import ANSWER_MAX_NS, OrderTracker
from tests.unit.agents.orders.told import (
    CLOID,
    OID,
    RESTS,
    D,
    S,
    a_fill,
    an_update,
    the_order,
    tracking,
)


def test_incident_13_known_before_it_is_sent() -> None:
    tracker = tracking(acked=False)
    assert the_order(tracker).state is State.SENT
    assert tracker.open_sz(Side.BID) == 5


@pytest.mark.parametrize(
    ("result", "state", "open_sz"),
    [
        (RESTS, State.OPEN, 5),
        (OrderResult("refused", text="no"), State.REJECTED, 0),
        (OrderResult("filled", oid=OID, filled_sz=D(5)), State.FILLED, 0),
        (OrderResult("filled", oid=OID, filled_sz=D(2)), State.UNKNOWN, 3),  # ask what rests
    ],
)
def test_incident_3_answers(result: OrderResult, state: State, open_sz: int) -> None:
    tracker = tracking(acked=False)
    answered = tracker.place_answered(1, [result], S)
    assert the_order(tracker).state is state
    assert tracker.open_sz(Side.BID) == open_sz
    assert (answered[0].refusal is not None) == (result.kind == "refused")


def test_an_answer_too_short_leaves_the_rest_unknown() -> None:
    tracker = OrderTracker()
    cloids = [Cloid(f"0x{n:032x}") for n in range(3)]
    tracker.register(1, [NewOrder(cloid=c, side=Side.ASK, px=D(1), sz=D(9)) for c in cloids], 0)
    tracker.place_answered(1, [RESTS], S)
    assert [tracker.live[c].state for c in cloids] == [State.OPEN, State.UNKNOWN, State.UNKNOWN]


def test_an_answer_to_nothing_is_passed_over() -> None:
    tracker = tracking()
    assert tracker.place_answered(99, [RESTS], S) == []
    tracker.cancel_answered(99, [None], S)
    assert tracker.not_sent(99, S) is None
    assert the_order(tracker).state is State.OPEN


def test_turned_away_by_the_gateway_means_never_sent() -> None:
    tracker = tracking(acked=False)
    request = tracker.not_sent(1, S)
    assert request is not None
    assert the_order(tracker).state is State.REJECTED


def test_a_lost_answer_is_open_until_the_venue_was_asked() -> None:
    tracker = tracking(acked=False)
    tracker.outcome_unknown(1, S)
    assert the_order(tracker).state is State.UNKNOWN
    assert tracker.open_sz(Side.BID) == 5
    assert tracker.asks(S, at_most=5) == [CLOID]
    assert tracker.asks(S, at_most=5) == []
    assert tracker.asks(2 * S, at_most=5) == [CLOID]
    assert tracker.asks(3 * S, at_most=5) == []  # ever more slowly
    assert tracker.asks(4 * S, at_most=5) == [CLOID]


def test_no_answer_at_all_becomes_unknown_and_a_late_one_still_counts() -> None:
    tracker = tracking(acked=False)
    tracker.expire(ANSWER_MAX_NS)
    assert the_order(tracker).state is State.SENT
    tracker.expire(ANSWER_MAX_NS + 1)
    assert the_order(tracker).state is State.UNKNOWN
    tracker.place_answered(1, [RESTS], ANSWER_MAX_NS + 2)
    assert the_order(tracker).state is State.OPEN


# ── cancels ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("error", "state"), [(None, State.CANCELED), ("never placed or filled", State.UNKNOWN)]
)
def test_cancel_answers(error: str | None, state: State) -> None:
    tracker = tracking()
    tracker.cancel_sent(2, [CLOID], S)
    assert tracker.open_sz(Side.BID) == 5  # it rests until we know
    tracker.cancel_answered(2, [error], 2 * S)
    assert the_order(tracker).state is state


def test_a_cancel_turned_away_leaves_the_order_open() -> None:
    tracker = tracking()
    tracker.cancel_sent(2, [CLOID], S)
    tracker.not_sent(2, S)
    assert the_order(tracker).state is State.OPEN


def test_a_cancel_without_an_answer_is_asked_about() -> None:
    tracker = tracking()
    tracker.cancel_sent(2, [CLOID], S)
    tracker.expire(S + ANSWER_MAX_NS + 1)
    assert the_order(tracker).state is State.UNKNOWN


def test_fills_that_beat_the_cancel_make_it_filled() -> None:
    tracker = tracking()
    tracker.cancel_sent(2, [CLOID], S)
    tracker.cancel_answered(2, [None], 2 * S)
    tracker.apply_fill(a_fill("5"), 3 * S)
    assert the_order(tracker).state is State.FILLED


# ── fills ───────────────────────────────────────────────────────────────────────────────────


def test_incident_8_fills_before_the_ack() -> None:
    tracker = tracking(acked=False)
    assert tracker.apply_fill(a_fill("2"), S) is the_order(tracker)
    assert tracker.open_sz(Side.BID) == 3
    tracker.place_answered(1, [RESTS], S)
    tracker.apply_fill(a_fill("3", tid=2, cloid=None), S)  # by oid
    assert the_order(tracker).state is State.FILLED


def test_a_fill_that_only_an_answer_told_of_is_unseen_until_it_comes() -> None:
    tracker = tracking()
    tracker.apply_update(an_update("filled", "0"), S)
    assert the_order(tracker).state is State.FILLED
    assert tracker.unseen_sz(Side.BID) == 5
    assert tracker.unseen_sz(Side.ASK) == 0
    tracker.apply_fill(a_fill("2"), S)
    assert tracker.unseen_sz(Side.BID) == 3
    assert tracker.unseen_any()
    tracker.apply_fill(a_fill("3", tid=2), S)
    assert not tracker.unseen_any()


def test_a_cancel_row_tells_what_had_traded() -> None:
    tracker = tracking()
    tracker.apply_update(an_update("canceled", "4"), S)
    assert the_order(tracker).state is State.CANCELED
    assert tracker.unseen_sz(Side.BID) == 1


def test_a_fill_of_nobody_we_know() -> None:
    assert tracking().apply_fill(a_fill("1", cloid=Cloid("0x9"), oid=Oid(9)), S) is None


# ── order updates ───────────────────────────────────────────────────────────────────────────


def test_a_late_echo_of_the_start_does_not_revive_a_doubt() -> None:
    tracker = tracking()
    tracker.cancel_sent(2, [CLOID], S)
    tracker.outcome_unknown(2, 2 * S)
    assert not tracker.apply_update(an_update("open"), 3 * S)
    assert the_order(tracker).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("open", State.OPEN),
        ("badAloPxRejected", State.REJECTED),
        ("marginCanceled", State.CANCELED),
        ("filled", State.FILLED),
    ],
)
def test_updates_before_the_ack(status: str, state: State) -> None:
    tracker = tracking(acked=False)
    assert tracker.apply_update(an_update(status), S)
    assert the_order(tracker).state is state


def test_a_word_nobody_knows_is_asked_about() -> None:
    tracker = tracking()
    tracker.apply_update(an_update("transmogrified"), S)
    assert the_order(tracker).state is State.UNKNOWN
