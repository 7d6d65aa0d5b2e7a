"""The ancestor's words for an order, from its state and what of it traded."""

from decimal import Decimal

import pytest

from agents.market.types import Cloid, Side
from agents.orders.lifecycle import State
from agents.orders.tracked import TrackedOrder
from agents.orders.view import Shown, counts, shown


def _order(
    state: State, *, filled: str = "0", told: str = "0", acked: bool = True, cancel: bool = False
) -> TrackedOrder:
    return TrackedOrder(
        cloid=Cloid("0x" + "1" * 32),
        side=Side.BID,
        px=Decimal(10),
        sz=Decimal(1),
        near_px=10.0,
        sent_ns=1,
        state=state,
        filled_sz=Decimal(filled),
        told_sz=Decimal(told),
        acked_ns=2 if acked else None,
        cancel_ns=3 if cancel else None,
    )


@pytest.mark.parametrize(
    ("order", "word"),
    [
        (_order(State.SENT, acked=False), "Pending"),
        (_order(State.OPEN), "Resting"),
        (_order(State.OPEN, filled="0.4"), "PartialFilled"),
        (_order(State.OPEN, told="0.4"), "PartialFilled"),
        (_order(State.CANCELING, cancel=True), "CancelPending"),
        (_order(State.CANCELING, filled="0.4", cancel=True), "CancelPending"),
        (_order(State.UNKNOWN), "Unknown"),
        (_order(State.FILLED, filled="1", acked=False), "FilledImmediately"),
        (_order(State.FILLED, filled="1"), "Filled"),
        (_order(State.FILLED, filled="1", cancel=True), "FilledDuringCancel"),
        (_order(State.CANCELED, told="0.4", cancel=True), "CancelConfirmed"),
        (_order(State.CANCELED, told="0.4", filled="0.4", cancel=True), "Cancelled"),
        (_order(State.CANCELED), "Cancelled"),
        (_order(State.REJECTED, acked=False), "Rejected"),
    ],
)
def test_each_state_has_its_word(order: TrackedOrder, word: str) -> None:
    assert shown(order) is Shown(word)


def test_every_state_is_shown_and_ends_are_ends() -> None:
    for state in State:
        word = shown(_order(state))
        assert not (word.is_active and word.is_terminal)
        assert word.is_active is (state is State.OPEN)
    active = {word.value for word in Shown if word.is_active}
    terminal = {word.value for word in Shown if word.is_terminal}
    assert active == {"Resting", "PartialFilled"}
    assert terminal == {
        "Filled", "Cancelled", "FilledDuringCancel", "FilledImmediately", "Rejected",
    }  # fmt: skip


def test_counts_by_word() -> None:
    orders = [_order(State.OPEN), _order(State.OPEN), _order(State.OPEN, filled="0.4")]
    assert counts([*orders, _order(State.UNKNOWN)]) == {
        "Resting": 2, "PartialFilled": 1, "Unknown": 1,
    }  # fmt: skip
    assert counts([]) == {}
