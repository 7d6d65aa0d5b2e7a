"""The store: found by either id, counted by side, forgotten whole."""

from decimal import Decimal

from agents.market.types import Cloid, Oid, Side
from agents.orders.lifecycle import State
from agents.orders.store import OrderStore
from agents.orders.tracked import TrackedOrder
from agents.orders.tracker import OrderTracker

S = 1_000_000_000


def _order(number: int, side: Side = Side.BID, state: State = State.OPEN) -> TrackedOrder:
    cloid = Cloid(f"0x{number:032x}")
    return TrackedOrder(
        cloid=cloid, side=side, px=Decimal(10), sz=Decimal(number), near_px=10.0, sent_ns=0,
        state=state, oid=Oid(number),
    )  # fmt: skip


def _store() -> OrderStore:
    """A bid of 1 that rests, a bid of 2 in doubt, an ask of 4."""
    tracker = OrderTracker()
    for order in (_order(1), _order(2, state=State.UNKNOWN), _order(4, Side.ASK)):
        tracker.live[order.cloid] = order
    return tracker


def test_what_is_in_doubt_counts_as_open() -> None:
    store = _store()
    assert store.open_sz(Side.BID) == 3
    assert store.open_sz(Side.ASK) == 4
    assert [order.sz for order in store.side(Side.ASK)] == [4]


def test_counts_by_state() -> None:
    store = _store()
    assert store.count() == 3
    assert store.count(State.UNKNOWN) == 1
    assert store.count(State.OPEN, State.UNKNOWN) == 3
    assert store.count(State.CANCELING) == 0


def test_found_by_cloid_and_nobody_by_an_oid_never_told() -> None:
    store = _store()
    assert store.find(_order(2).cloid, None) is store.live[_order(2).cloid]
    assert store.find(None, Oid(99)) is None
    assert store.find(None, None) is None
    assert not store.unseen_any()
    assert store.unseen_sz(Side.BID) == 0
