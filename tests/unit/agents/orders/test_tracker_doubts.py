"""What resolves a doubt about an order: lists and answers, of after the doubt alone."""

from typing import Any

import msgspec
import pytest

from agents.market.types import Cloid, Oid, Side
from agents.orders.lifecycle import State
from agents.orders.tracker import ABSENCE_PROOF_NS, KEPT_NS, OrderTracker
from tests.unit.agents.orders.told import (
    CLOID,
    OID,
    D,
    S,
    a_row,
    a_status,
    an_update,
    snapshot,
    the_order,
    tracking,
)

# ── snapshots ───────────────────────────────────────────────────────────────────────────────


def test_incident_7_a_snapshot_asked_for_before_the_ack_proves_nothing() -> None:
    tracker = tracking()  # acked at 1 s
    snapshot(tracker, requested_ns=S - 1, now_ns=2 * S)
    assert the_order(tracker).state is State.OPEN


def test_incident_10_an_empty_snapshot_only_raises_a_doubt() -> None:
    tracker = tracking()
    snapshot(tracker, requested_ns=S + 1, now_ns=2 * S)
    assert the_order(tracker).state is State.UNKNOWN
    assert tracker.open_sz(Side.BID) == 5


def test_a_snapshot_resolves_only_doubts_older_than_itself() -> None:
    tracker = tracking()
    tracker.cancel_sent(2, [CLOID], S)
    tracker.outcome_unknown(2, 3 * S)
    snapshot(tracker, a_row(), requested_ns=2 * S, now_ns=4 * S)
    assert the_order(tracker).state is State.UNKNOWN
    snapshot(tracker, a_row("3"), requested_ns=4 * S, now_ns=5 * S)
    assert the_order(tracker).state is State.OPEN
    assert tracker.unseen_sz(Side.BID) == 2


def test_incident_5_an_order_nobody_knows_is_an_orphan_once_listed_twice() -> None:
    tracker = OrderTracker()
    snapshot(tracker, a_row("4"), requested_ns=S, now_ns=2 * S)
    assert not tracker.live
    snapshot(tracker, a_row("4"), requested_ns=2 * S - 1, now_ns=3 * S)
    assert not tracker.live  # asked for before the first was heard: the same moment
    snapshot(tracker, a_row("4"), requested_ns=2 * S + 1, now_ns=3 * S)
    order = the_order(tracker)
    assert (order.state, order.ours, order.remaining_sz) == (State.OPEN, False, D(4))
    assert tracker.find(None, OID) is order


def test_an_order_believed_gone_that_still_rests_comes_back() -> None:
    tracker = tracking()
    tracker.apply_update(an_update("canceled"), 2 * S)
    snapshot(tracker, a_row(), requested_ns=2 * S, now_ns=3 * S)
    assert the_order(tracker).state is State.CANCELED  # the snapshot may be the older one
    snapshot(tracker, a_row(), requested_ns=6 * S, now_ns=7 * S)
    assert the_order(tracker).state is State.CANCELED
    snapshot(tracker, a_row(), requested_ns=8 * S, now_ns=9 * S)
    assert the_order(tracker).state is State.OPEN


def test_incident_5_a_list_from_before_the_last_ack_makes_no_orphan() -> None:
    stranger = Cloid("0x" + "b" * 32)
    row = msgspec.structs.replace(a_row(), cloid=stranger, oid=Oid(78))
    tracker = tracking()  # acked at 1 s
    snapshot(tracker, row, requested_ns=S - 1, now_ns=2 * S)
    snapshot(tracker, row, requested_ns=2 * S + 1, now_ns=3 * S)
    assert stranger not in tracker.live
    assert tracker.sightings
    snapshot(tracker, requested_ns=3 * S + 1, now_ns=4 * S)
    assert not tracker.sightings  # it was gone in between
    snapshot(tracker, row, requested_ns=4 * S + 1, now_ns=5 * S)
    assert stranger not in tracker.live


def test_incident_10_an_empty_list_ends_nothing_however_often_it_comes() -> None:
    """Count 0 while acked orders are held is a query gone wrong, until each was asked about."""
    tracker = tracking()
    for second in range(2, 60):
        snapshot(tracker, requested_ns=second * S, now_ns=second * S + 1)
        tracker.expire(second * S + 2)
    assert tracker.open_sz(Side.BID) == 5
    assert tracker.asks(60 * S, at_most=5) == [CLOID]
    tracker.apply_status(a_status("open", 61 * S, oid=OID, remaining_sz=D(5)), 62 * S)
    assert the_order(tracker).state is State.OPEN


def test_incident_7_a_stale_local_goes_only_when_the_venue_said_so_of_the_order_itself() -> None:
    tracker = tracking()
    snapshot(tracker, requested_ns=2 * S, now_ns=3 * S)
    tracker.apply_status(a_status(None, 3 * S), 3 * S)
    assert the_order(tracker).state is State.UNKNOWN  # its placement may still arrive
    late_ns = ABSENCE_PROOF_NS + S
    tracker.apply_status(a_status(None, late_ns), late_ns)
    assert (
        the_order(tracker).state is State.UNKNOWN
    )  # acked once: a single "unknown" contradicts that
    tracker.apply_status(a_status(None, late_ns + S), late_ns + S)
    assert the_order(tracker).state is State.CANCELED


# ── answers to questions ────────────────────────────────────────────────────────────────────


def _doubted() -> OrderTracker:
    tracker = tracking(acked=False)
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
    tracker.apply_status(a_status(status, 2 * S, oid=OID, **fields), 3 * S)
    assert the_order(tracker).state is state


def test_that_it_rested_before_the_doubt_says_nothing() -> None:
    tracker = _doubted()
    assert not tracker.apply_status(a_status("open", S - 1), 2 * S)
    assert the_order(tracker).state is State.UNKNOWN


def test_not_known_is_proof_only_once_it_can_no_longer_arrive() -> None:
    tracker = _doubted()
    assert not tracker.apply_status(a_status(None, ABSENCE_PROOF_NS - 1), 9 * S)
    assert the_order(tracker).state is State.UNKNOWN
    assert tracker.apply_status(a_status(None, ABSENCE_PROOF_NS), 9 * S)
    assert the_order(tracker).state is State.CANCELED


def test_an_order_once_acked_needs_two_denials() -> None:
    tracker = tracking()
    snapshot(tracker, requested_ns=20 * S, now_ns=20 * S)
    assert not tracker.apply_status(a_status(None, 21 * S), 21 * S)
    assert tracker.apply_status(a_status(None, 22 * S), 22 * S)
    assert tracker.open_sz(Side.BID) == 0


def test_a_status_of_an_order_that_ended_is_an_echo() -> None:
    tracker = tracking()
    tracker.apply_update(an_update("canceled"), 2 * S)
    assert not tracker.apply_status(a_status("open", 9 * S), 9 * S)


# ── memory ──────────────────────────────────────────────────────────────────────────────────


def test_an_order_that_ended_is_kept_a_minute_for_its_echoes() -> None:
    tracker = tracking()
    tracker.apply_update(an_update("canceled"), S)
    tracker.expire(S + KEPT_NS)
    assert tracker.find(None, OID) is not None
    tracker.expire(S + KEPT_NS + 1)
    assert tracker.find(CLOID, OID) is None
    assert tracker.find(None, OID) is None
    assert not tracker.ended
