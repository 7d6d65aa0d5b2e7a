"""Whether an order may still rest: the one table of its states, and the venue's words for them.

Fills are not here on purpose: they go to the position by trade id. A state only says if an order
may still rest, so a partial fill is no state, and a fill during a cancel is no special case.
``UNKNOWN`` means that an answer was lost; such an order counts as resting until the venue was
asked. Every pair of a living state and a signal has its row; what a finished order still hears is
an echo and is passed over.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final


class State(Enum):
    SENT = auto()  # asked for, not yet answered
    OPEN = auto()  # rests
    CANCELING = auto()  # rests, as far as we know; its cancel is on the way
    UNKNOWN = auto()  # an answer was lost: may rest, may not
    FILLED = auto()
    CANCELED = auto()
    REJECTED = auto()  # never rested

    __hash__ = object.__hash__


class Signal(Enum):
    ACK = auto()
    REJECT = auto()  # refused by the venue, or turned away before it: never rested
    LAST_FILL = auto()
    CANCEL_SENT = auto()
    CANCEL_NOT_SENT = auto()  # the gateway turned the cancel away
    CANCEL_ACK = auto()
    CANCEL_REJECT = auto()
    TIMEOUT = auto()  # sent, and the answer is lost or late
    SEEN = auto()  # the venue lists it, asked after our last doubt
    DOUBT = auto()  # a snapshot requested after its ack does not list it: ask
    MISSING = auto()  # proven absent: it will never rest

    __hash__ = object.__hash__


S, G = State, Signal
TRANSITIONS: Final[Mapping[State, Mapping[Signal, State]]] = {
    S.SENT: {
        G.ACK: S.OPEN,
        G.REJECT: S.REJECTED,
        G.LAST_FILL: S.FILLED,  # a fill overtakes the ack
        G.CANCEL_SENT: S.CANCELING,
        G.CANCEL_NOT_SENT: S.SENT,
        G.CANCEL_ACK: S.CANCELED,  # the venue's own cancel overtakes the ack
        G.CANCEL_REJECT: S.UNKNOWN,
        G.TIMEOUT: S.UNKNOWN,
        G.SEEN: S.OPEN,
        G.DOUBT: S.SENT,  # no snapshot speaks against an order not yet acked
        G.MISSING: S.CANCELED,
    },
    S.OPEN: {
        G.ACK: S.OPEN,  # answer and order update both tell
        G.REJECT: S.REJECTED,  # rejected after all, in the venue's own words
        G.LAST_FILL: S.FILLED,
        G.CANCEL_SENT: S.CANCELING,
        G.CANCEL_NOT_SENT: S.OPEN,
        G.CANCEL_ACK: S.CANCELED,
        G.CANCEL_REJECT: S.UNKNOWN,  # a late answer to a cancel we had given up: ask
        G.TIMEOUT: S.OPEN,  # the timer was overtaken by the answer
        G.SEEN: S.OPEN,
        G.DOUBT: S.UNKNOWN,
        G.MISSING: S.CANCELED,
    },
    S.CANCELING: {
        G.ACK: S.CANCELING,
        G.REJECT: S.REJECTED,
        G.LAST_FILL: S.FILLED,
        G.CANCEL_SENT: S.CANCELING,
        G.CANCEL_NOT_SENT: S.OPEN,
        G.CANCEL_ACK: S.CANCELED,
        G.CANCEL_REJECT: S.UNKNOWN,  # filled, cancelled or never there: ask
        G.TIMEOUT: S.UNKNOWN,
        G.SEEN: S.CANCELING,
        G.DOUBT: S.UNKNOWN,
        G.MISSING: S.CANCELED,
    },
    S.UNKNOWN: {
        G.ACK: S.OPEN,  # the answer came late
        G.REJECT: S.REJECTED,
        G.LAST_FILL: S.FILLED,
        G.CANCEL_NOT_SENT: S.UNKNOWN,
        G.CANCEL_ACK: S.CANCELED,
        G.CANCEL_REJECT: S.UNKNOWN,
        G.TIMEOUT: S.UNKNOWN,
        G.SEEN: S.OPEN,
        G.DOUBT: S.UNKNOWN,
        G.MISSING: S.CANCELED,
    },
    S.FILLED: {},
    S.CANCELED: {G.LAST_FILL: S.FILLED},  # the fills that beat the cancel came after its answer
    S.REJECTED: {},
}
TERMINAL: Final = frozenset({S.FILLED, S.CANCELED, S.REJECTED})


class LocalProtocolError(Exception):
    """We broke the protocol: our bug. Nothing catches it; the agent stops."""


def advance(state: State, signal: Signal) -> State:
    """The next state. Raises LocalProtocolError where we asked for what makes no sense."""
    following = TRANSITIONS[state].get(signal)
    if following is not None:
        return following
    if signal is Signal.CANCEL_SENT:
        raise LocalProtocolError(f"{signal.name} in {state.name}")
    return state


def signal_of(status: str) -> Signal | None:
    """The venue's status word as a signal; None for a word that tells nothing: ask then.

    Besides open and filled the venue has some thirty words and adds more: those that end in
    Canceled are cancels, those in Rejected rejections.
    """
    word = status.lower()
    if word in {"open", "triggered"}:
        return Signal.ACK
    if word == "filled":
        return Signal.LAST_FILL
    if word.endswith(("canceled", "cancelled", "cancel")):  # scheduledCancel, internalCancel
        return Signal.CANCEL_ACK
    if word.endswith("rejected"):
        return Signal.REJECT
    return None
