"""An order's state in the ancestor's words, derived for display and metrics; nothing decides by it.

The machine knows only whether an order may rest (``lifecycle``), and how much of it traded
(``tracked``). The words below mix both, so they are computed, never stored.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Final

from agents.orders.lifecycle import State
from agents.orders.tracked import TrackedOrder


class Shown(Enum):
    """What a person calls it."""

    PENDING = "Pending"  # sent, not answered
    RESTING = "Resting"
    PARTIAL_FILLED = "PartialFilled"
    FILLED_IMMEDIATELY = "FilledImmediately"  # never rested
    CANCEL_PENDING = "CancelPending"
    CANCEL_CONFIRMED = "CancelConfirmed"  # gone; fills that the venue told of are still to come
    FILLED_DURING_CANCEL = "FilledDuringCancel"  # its last fill beat the cancel
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    UNKNOWN = "Unknown"  # an answer was lost; counts as resting

    @property
    def is_active(self) -> bool:
        """Rests, and nobody asked for its end."""
        return self in _ACTIVE

    @property
    def is_terminal(self) -> bool:
        """Nothing more can happen to it."""
        return self in _TERMINAL


_ACTIVE: Final = frozenset({Shown.RESTING, Shown.PARTIAL_FILLED})
_TERMINAL: Final = frozenset(
    {
        Shown.FILLED,
        Shown.FILLED_IMMEDIATELY,
        Shown.FILLED_DURING_CANCEL,
        Shown.CANCELLED,
        Shown.REJECTED,
    }
)


_PLAIN: Final = {
    State.SENT: Shown.PENDING,
    State.CANCELING: Shown.CANCEL_PENDING,
    State.UNKNOWN: Shown.UNKNOWN,
    State.REJECTED: Shown.REJECTED,
}


def shown(order: TrackedOrder) -> Shown:
    """The word for an order as it stands."""
    if order.state is State.OPEN:
        return Shown.PARTIAL_FILLED if order.accounted_sz else Shown.RESTING
    if order.state is State.CANCELED:
        return Shown.CANCEL_CONFIRMED if order.unseen_sz else Shown.CANCELLED
    if order.state is not State.FILLED:
        return _PLAIN[order.state]
    if order.cancel_ns is not None:
        return Shown.FILLED_DURING_CANCEL
    return Shown.FILLED if order.acked_ns is not None else Shown.FILLED_IMMEDIATELY


def counts(orders: Iterable[TrackedOrder]) -> dict[str, int]:
    """How many of them stand in each state; those in which none does are left out."""
    told: dict[str, int] = {}
    for order in orders:
        word = shown(order).value
        told[word] = told.get(word, 0) + 1
    return told
