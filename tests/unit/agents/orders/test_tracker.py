"""The tracker: known before sent, dead only on proof, whatever comes first."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agents.commands import NewOrder
from agents.events import LiveOrder, OpenOrders, OrderResult, OrderStatus, OrderUpdate
from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid
from agents.market.units import s_to_ns
from agents.orders.lifecycle import State
from agents.orders.tracked import TrackedOrder
from agents.orders.tracker import ABSENCE_PROOF_NS, ANSWER_MAX_NS, KEPT_NS, OrderTracker

D = Decimal
CLOID = Cloid("0x" + "a" * 32)
OID = Oid(77)
S = s_to_ns(1.0)
RESTS = OrderResult("resting", oid=OID)


def _tracker(*, acked: bool = True, sz: str = "5", cloid: Cloid = CLOID) -> OrderTracker:
    tracker = OrderTracker()
    new = NewOrder(cloid=cloid, side=Side.BID, px=D(10), sz=D(sz))
    tracker.register(1, [new], 0)
    if acked:
        tracker.place_answered(1, [RESTS], S)
    return tracker


def _order(tracker: OrderTracker) -> TrackedOrder:
    order = tracker.find(CLOID, None)
    assert order is not None
    return order


def _fill(sz: str, *, tid: int = 1, cloid: Cloid | None = CLOID, oid: Oid = OID) -> Fill:
    return Fill(
        coin=Coin("SOL"),
        side=Side.BID,
        px=D(10),
        sz=D(sz),
        time_ms=5,
        tid=Tid(tid),
        oid=oid,
        cloid=cloid,
        fee=D(0),
        fee_token="USDC",
        crossed=False,
        start_position_sz=D(0),
        closed_pnl=D(0),
    )


def _update(status: str, remaining: str = "5", *, cloid: Cloid | None = CLOID) -> OrderUpdate:
    return OrderUpdate(
        oid=OID,
        cloid=cloid,
        side=Side.BID,
        px=D(10),
        remaining_sz=D(remaining),
        orig_sz=D(5),
        status=status,
        status_ms=1,
    )


def _row(remaining: str = "5") -> LiveOrder:
    return LiveOrder(
        oid=OID,
        cloid=CLOID,
        side=Side.BID,
        px=D(10),
        remaining_sz=D(remaining),
        orig_sz=D(5),
        placed_ms=0,
    )


def _snapshot(tracker: OrderTracker, *rows: LiveOrder, requested_ns: int, now_ns: int) -> None:
    tracker.apply_snapshot(OpenOrders(9, requested_ns, rows), rows, now_ns)


def _status(status: str | None, requested_ns: int, **fields: Any) -> OrderStatus:
    return OrderStatus(cloid=CLOID, requested_ns=requested_ns, status=status, **fields)


# ── what a placement is answered ────────────────────────────────────────────────────────────


def test_incident_13_known_before_it_is_sent() -> None:
    tracker = _tracker(acked=False)
    assert _order(tracker).state is State.SENT
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
    tracker = _tracker(acked=False)
    answered = tracker.place_answered(1, [result], S)
    assert _order(tracker).state is state
    assert tracker.open_sz(Side.BID) == open_sz
    assert (answered[0].refusal is not None) == (result.kind == "refused")


def test_an_answer_too_short_leaves_the_rest_unknown() -> None:
    tracker = OrderTracker()
    cloids = [Cloid(f"0x{n:032x}") for n in range(3)]
    tracker.register(1, [NewOrder(cloid=c, side=Side.ASK, px=D(1), sz=D(9)) for c in cloids], 0)
    tracker.place_answered(1, [RESTS], S)
    assert [tracker.live[c].state for c in cloids] == [State.OPEN, State.UNKNOWN, State.UNKNOWN]


def test_an_answer_to_nothing_is_passed_over() -> None:
    tracker = _tracker()
    assert tracker.place_answered(99, [RESTS], S) == []
    tracker.cancel_answered(99, [None], S)
    assert tracker.not_sent(99, S) is None
    assert _order(tracker).state is State.OPEN


def test_turned_away_by_the_gateway_means_never_sent() -> None:
    tracker = _tracker(acked=False)
    request = tracker.not_sent(1, S)
    assert request is not None
    assert _order(tracker).state is State.REJECTED


def test_a_lost_answer_is_open_until_the_venue_was_asked() -> None:
    tracker = _tracker(acked=False)
    tracker.outcome_unknown(1, S)
    assert _order(tracker).state is State.UNKNOWN
    assert tracker.open_sz(Side.BID) == 5
    assert tracker.asks(S, at_most=5) == [CLOID]
    assert tracker.asks(S, at_most=5) == []
    assert tracker.asks(2 * S, at_most=5) == [CLOID]
    assert tracker.asks(3 * S, at_most=5) == []  # ever more slowly
    assert tracker.asks(4 * S, at_most=5) == [CLOID]


def test_no_answer_at_all_becomes_unknown_and_a_late_one_still_counts() -> None:
    tracker = _tracker(acked=False)
    tracker.expire(ANSWER_MAX_NS)
    assert _order(tracker).state is State.SENT
    tracker.expire(ANSWER_MAX_NS + 1)
    assert _order(tracker).state is State.UNKNOWN
    tracker.place_answered(1, [RESTS], ANSWER_MAX_NS + 2)
    assert _order(tracker).state is State.OPEN


# ── cancels ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("error", "state"), [(None, State.CANCELED), ("never placed or filled", State.UNKNOWN)]
)
def test_cancel_answers(error: str | None, state: State) -> None:
    tracker = _tracker()
    tracker.cancel_sent(2, [CLOID], S)
    assert tracker.open_sz(Side.BID) == 5  # it rests until we know
    tracker.cancel_answered(2, [error], 2 * S)
    assert _order(tracker).state is state


def test_a_cancel_turned_away_leaves_the_order_open() -> None:
    tracker = _tracker()
    tracker.cancel_sent(2, [CLOID], S)
    tracker.not_sent(2, S)
    assert _order(tracker).state is State.OPEN


def test_a_cancel_without_an_answer_is_asked_about() -> None:
    tracker = _tracker()
    tracker.cancel_sent(2, [CLOID], S)
    tracker.expire(S + ANSWER_MAX_NS + 1)
    assert _order(tracker).state is State.UNKNOWN


def test_fills_that_beat_the_cancel_make_it_filled() -> None:
    tracker = _tracker()
    tracker.cancel_sent(2, [CLOID], S)
    tracker.cancel_answered(2, [None], 2 * S)
    tracker.apply_fill(_fill("5"), 3 * S)
    assert _order(tracker).state is State.FILLED


# ── fills ───────────────────────────────────────────────────────────────────────────────────


def test_incident_8_fills_before_the_ack() -> None:
    tracker = _tracker(acked=False)
    assert tracker.apply_fill(_fill("2"), S) is _order(tracker)
    assert tracker.open_sz(Side.BID) == 3
    tracker.place_answered(1, [RESTS], S)
    tracker.apply_fill(_fill("3", tid=2, cloid=None), S)  # by oid
    assert _order(tracker).state is State.FILLED


def test_a_fill_that_only_an_answer_told_of_is_unseen_until_it_comes() -> None:
    tracker = _tracker()
    tracker.apply_update(_update("filled", "0"), S)
    assert _order(tracker).state is State.FILLED
    assert tracker.unseen_sz(Side.BID) == 5
    assert tracker.unseen_sz(Side.ASK) == 0
    tracker.apply_fill(_fill("2"), S)
    assert tracker.unseen_sz(Side.BID) == 3
    assert tracker.unseen_any()
    tracker.apply_fill(_fill("3", tid=2), S)
    assert not tracker.unseen_any()


def test_a_cancel_row_tells_what_had_traded() -> None:
    tracker = _tracker()
    tracker.apply_update(_update("canceled", "4"), S)
    assert _order(tracker).state is State.CANCELED
    assert tracker.unseen_sz(Side.BID) == 1


def test_a_fill_of_nobody_we_know() -> None:
    assert _tracker().apply_fill(_fill("1", cloid=Cloid("0x9"), oid=Oid(9)), S) is None


# ── order updates ───────────────────────────────────────────────────────────────────────────


def test_a_late_echo_of_the_start_does_not_revive_a_doubt() -> None:
    tracker = _tracker()
    tracker.cancel_sent(2, [CLOID], S)
    tracker.outcome_unknown(2, 2 * S)
    assert not tracker.apply_update(_update("open"), 3 * S)
    assert _order(tracker).state is State.UNKNOWN


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
    tracker = _tracker(acked=False)
    assert tracker.apply_update(_update(status), S)
    assert _order(tracker).state is state


def test_a_word_nobody_knows_is_asked_about() -> None:
    tracker = _tracker()
    tracker.apply_update(_update("transmogrified"), S)
    assert _order(tracker).state is State.UNKNOWN


# ── snapshots ───────────────────────────────────────────────────────────────────────────────


def test_incident_7_a_snapshot_asked_for_before_the_ack_proves_nothing() -> None:
    tracker = _tracker()  # acked at 1 s
    _snapshot(tracker, requested_ns=S - 1, now_ns=2 * S)
    assert _order(tracker).state is State.OPEN


def test_incident_10_an_empty_snapshot_only_raises_a_doubt() -> None:
    tracker = _tracker()
    _snapshot(tracker, requested_ns=S + 1, now_ns=2 * S)
    assert _order(tracker).state is State.UNKNOWN
    assert tracker.open_sz(Side.BID) == 5


def test_a_snapshot_resolves_only_doubts_older_than_itself() -> None:
    tracker = _tracker()
    tracker.cancel_sent(2, [CLOID], S)
    tracker.outcome_unknown(2, 3 * S)
    _snapshot(tracker, _row(), requested_ns=2 * S, now_ns=4 * S)
    assert _order(tracker).state is State.UNKNOWN
    _snapshot(tracker, _row("3"), requested_ns=4 * S, now_ns=5 * S)
    assert _order(tracker).state is State.OPEN
    assert tracker.unseen_sz(Side.BID) == 2


def test_incident_5_an_order_nobody_knows_is_an_orphan_once_listed_twice() -> None:
    tracker = OrderTracker()
    _snapshot(tracker, _row("4"), requested_ns=S, now_ns=2 * S)
    assert not tracker.live
    _snapshot(tracker, _row("4"), requested_ns=2 * S - 1, now_ns=3 * S)
    assert not tracker.live  # asked for before the first was heard: the same moment
    _snapshot(tracker, _row("4"), requested_ns=2 * S + 1, now_ns=3 * S)
    order = _order(tracker)
    assert (order.state, order.ours, order.remaining_sz) == (State.OPEN, False, D(4))
    assert tracker.find(None, OID) is order


def test_an_order_believed_gone_that_still_rests_comes_back() -> None:
    tracker = _tracker()
    tracker.apply_update(_update("canceled"), 2 * S)
    _snapshot(tracker, _row(), requested_ns=2 * S, now_ns=3 * S)
    assert _order(tracker).state is State.CANCELED  # the snapshot may be the older one
    _snapshot(tracker, _row(), requested_ns=6 * S, now_ns=7 * S)
    assert _order(tracker).state is State.CANCELED
    _snapshot(tracker, _row(), requested_ns=8 * S, now_ns=9 * S)
    assert _order(tracker).state is State.OPEN


def test_incident_5_a_list_from_before_the_last_ack_makes_no_orphan() -> None:
    stranger = Cloid("0x" + "b" * 32)
    row = msgspec.structs.replace(_row(), cloid=stranger, oid=Oid(78))
    tracker = _tracker()  # acked at 1 s
    _snapshot(tracker, row, requested_ns=S - 1, now_ns=2 * S)
    _snapshot(tracker, row, requested_ns=2 * S + 1, now_ns=3 * S)
    assert stranger not in tracker.live
    assert tracker.sightings
    _snapshot(tracker, requested_ns=3 * S + 1, now_ns=4 * S)
    assert not tracker.sightings  # it was gone in between
    _snapshot(tracker, row, requested_ns=4 * S + 1, now_ns=5 * S)
    assert stranger not in tracker.live


def test_incident_10_an_empty_list_ends_nothing_however_often_it_comes() -> None:
    """Count 0 while acked orders are held is a query gone wrong, until each was asked about."""
    tracker = _tracker()
    for second in range(2, 60):
        _snapshot(tracker, requested_ns=second * S, now_ns=second * S + 1)
        tracker.expire(second * S + 2)
    assert tracker.open_sz(Side.BID) == 5
    assert tracker.asks(60 * S, at_most=5) == [CLOID]
    tracker.apply_status(_status("open", 61 * S, oid=OID, remaining_sz=D(5)), 62 * S)
    assert _order(tracker).state is State.OPEN


def test_incident_7_a_stale_local_goes_only_when_the_venue_said_so_of_the_order_itself() -> None:
    tracker = _tracker()
    _snapshot(tracker, requested_ns=2 * S, now_ns=3 * S)
    tracker.apply_status(_status(None, 3 * S), 3 * S)
    assert _order(tracker).state is State.UNKNOWN  # its placement may still arrive
    late_ns = ABSENCE_PROOF_NS + S
    tracker.apply_status(_status(None, late_ns), late_ns)
    assert _order(tracker).state is State.UNKNOWN  # acked once: a single "unknown" contradicts that
    tracker.apply_status(_status(None, late_ns + S), late_ns + S)
    assert _order(tracker).state is State.CANCELED


# ── answers to questions ────────────────────────────────────────────────────────────────────


def _doubted() -> OrderTracker:
    tracker = _tracker(acked=False)
    tracker.outcome_unknown(1, S)
    return tracker


@pytest.mark.parametrize(
    ("status", "fields", "state"),
    [
        ("open", {"remaining_sz": D(4)}, State.OPEN),
        ("filled", {}, State.FILLED),
        ("canceled", {"remaining_sz": D(5)}, State.CANCELED),
        ("perpMarginRejected", {}, State.REJECTED),
        ("whatever", {}, State.UNKNOWN),
    ],
)
def test_status(status: str, fields: dict[str, Any], state: State) -> None:
    tracker = _doubted()
    tracker.apply_status(_status(status, 2 * S, oid=OID, **fields), 3 * S)
    assert _order(tracker).state is state


def test_that_it_rested_before_the_doubt_says_nothing() -> None:
    tracker = _doubted()
    assert not tracker.apply_status(_status("open", S - 1), 2 * S)
    assert _order(tracker).state is State.UNKNOWN


def test_not_known_is_proof_only_once_it_can_no_longer_arrive() -> None:
    tracker = _doubted()
    assert not tracker.apply_status(_status(None, ABSENCE_PROOF_NS - 1), 9 * S)
    assert _order(tracker).state is State.UNKNOWN
    assert tracker.apply_status(_status(None, ABSENCE_PROOF_NS), 9 * S)
    assert _order(tracker).state is State.CANCELED


def test_an_order_once_acked_needs_two_denials() -> None:
    tracker = _tracker()
    _snapshot(tracker, requested_ns=20 * S, now_ns=20 * S)
    assert not tracker.apply_status(_status(None, 21 * S), 21 * S)
    assert tracker.apply_status(_status(None, 22 * S), 22 * S)
    assert tracker.open_sz(Side.BID) == 0


def test_a_status_of_an_order_that_ended_is_an_echo() -> None:
    tracker = _tracker()
    tracker.apply_update(_update("canceled"), 2 * S)
    assert not tracker.apply_status(_status("open", 9 * S), 9 * S)


# ── memory ──────────────────────────────────────────────────────────────────────────────────


def test_an_order_that_ended_is_kept_a_minute_for_its_echoes() -> None:
    tracker = _tracker()
    tracker.apply_update(_update("canceled"), S)
    tracker.expire(S + KEPT_NS)
    assert tracker.find(None, OID) is not None
    tracker.expire(S + KEPT_NS + 1)
    assert tracker.find(CLOID, OID) is None
    assert tracker.find(None, OID) is None
    assert not tracker.ended


# ── one order in the place of another ───────────────────────────────────────────────────────

NEW = Cloid("0x" + "d" * 32)


def _replacing() -> OrderTracker:
    """An order that rests, and another on its way into its place under request 2."""
    tracker = _tracker()
    new = NewOrder(cloid=NEW, side=Side.BID, px=D(11), sz=D(5), replaces=CLOID)
    tracker.register(2, [new], 2 * S)
    assert tracker.open_sz(Side.BID) == 10  # either may fill until the answer comes
    return tracker


def test_incident_2_a_taken_replacement_ends_the_old_order() -> None:
    tracker = _replacing()
    (answered,) = tracker.place_answered(2, [OrderResult("resting", oid=Oid(78))], 3 * S)
    assert answered.refusal is None
    assert _order(tracker).state is State.CANCELED
    assert tracker.live[NEW].state is State.OPEN
    assert tracker.find(None, Oid(78)) is tracker.live[NEW]
    tracker.apply_fill(_fill("2"), 4 * S)  # a late fill of the old one counts once, by its id
    assert _order(tracker).filled_sz == 2


def test_incident_2_a_refused_replacement_says_nothing_of_the_old_order() -> None:
    tracker = _replacing()
    refused = OrderResult("refused", text="Cannot modify canceled or filled order")
    tracker.place_answered(2, [refused], 3 * S)
    assert NEW not in tracker.live
    assert _order(tracker).state is State.UNKNOWN
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
    assert _order(tracker).state is State.OPEN
    assert NEW not in tracker.live


def test_a_replacement_refused_once_its_place_was_free_ends_the_old_order() -> None:
    tracker = _replacing()
    text = "Error placing new order during modify: Post only order would have immediately matched"
    (answered,) = tracker.place_answered(2, [OrderResult("refused", text=text)], 3 * S)
    assert answered.refusal == text
    assert _order(tracker).state is State.CANCELED
    assert not tracker.live


def test_a_replacement_for_which_no_requests_are_left_changes_nothing() -> None:
    """The allowance of cancels is larger: the old order can be cancelled at once, unasked."""
    tracker = _replacing()
    text = "Too many cumulative requests sent (11 > 10) for cumulative volume traded $1."
    tracker.place_answered(2, [OrderResult("refused", text=text)], 3 * S)
    assert list(tracker.live) == [CLOID]
    assert _order(tracker).state is State.OPEN
    assert not tracker.asks(3 * S, at_most=5)
