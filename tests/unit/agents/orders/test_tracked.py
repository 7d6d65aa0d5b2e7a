"""One order: what is accounted, what is unseen, what may still trade."""

from decimal import Decimal

import pytest

from agents.market.types import Cloid, Side
from agents.orders.lifecycle import Signal, State
from agents.orders.tracked import TrackedOrder

D = Decimal


def _order(**fields: object) -> TrackedOrder:
    order = TrackedOrder(
        cloid=Cloid("0x1"), side=Side.BID, px=D(10), sz=D(5), near_px=10.0, sent_ns=100
    )
    for name, value in fields.items():
        setattr(order, name, value)
    return order


@pytest.mark.parametrize(
    ("filled", "told", "accounted", "unseen", "remaining"),
    [(0, 0, 0, 0, 5), (2, 0, 2, 0, 3), (0, 2, 2, 2, 3), (2, 3, 3, 1, 2), (6, 5, 6, 0, 0)],
)
def test_the_greater_of_both_channels_counts(
    filled: int, told: int, accounted: int, unseen: int, remaining: int
) -> None:
    order = _order(filled_sz=D(filled), told_sz=D(told))
    assert order.accounted_sz == accounted
    assert order.unseen_sz == unseen
    assert order.remaining_sz == remaining


def test_unknown_counts_as_open_and_ended_does_not() -> None:
    order = _order()
    order.take(Signal.TIMEOUT, 200)
    assert (order.state, order.open_sz, order.doubt_ns) == (State.UNKNOWN, D(5), 200)
    order.take(Signal.MISSING, 300)
    assert (order.state, order.open_sz, order.ended_ns) == (State.CANCELED, D(0), 300)


def test_times_of_ack_are_kept() -> None:
    order = _order()
    assert order.take(Signal.ACK, 200)
    assert not order.take(Signal.ACK, 300)
    assert order.acked_ns == 200
    order.take(Signal.DOUBT, 400)
    order.take(Signal.SEEN, 500)
    assert order.acked_ns == 500
