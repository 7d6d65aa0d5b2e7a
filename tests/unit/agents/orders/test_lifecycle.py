"""The table of order states: total, absorbing at its ends, and the venue's words."""

import pytest

from agents.orders.lifecycle import (
    TERMINAL,
    TRANSITIONS,
    LocalProtocolError,
    Signal,
    State,
    advance,
    signal_of,
)


@pytest.mark.parametrize("state", [state for state in State if state not in TERMINAL])
def test_every_signal_has_a_row_in_every_living_state(state: State) -> None:
    missing = set(Signal) - set(TRANSITIONS[state])
    assert missing <= ({Signal.CANCEL_SENT} if state is State.UNKNOWN else set())


@pytest.mark.parametrize("state", [s for s in State if s in TERMINAL])
@pytest.mark.parametrize("signal", [s for s in Signal if s is not Signal.CANCEL_SENT])
def test_what_has_ended_stays_ended(state: State, signal: Signal) -> None:
    late_fills = state is State.CANCELED and signal is Signal.LAST_FILL
    assert advance(state, signal) is (State.FILLED if late_fills else state)


@pytest.mark.parametrize("state", [State.UNKNOWN, *TERMINAL])
def test_to_cancel_what_cannot_be_cancelled_is_our_bug(state: State) -> None:
    with pytest.raises(LocalProtocolError, match=state.name):
        advance(state, Signal.CANCEL_SENT)


@pytest.mark.parametrize(
    ("state", "signal", "after"),
    [
        (State.SENT, Signal.TIMEOUT, State.UNKNOWN),
        (State.OPEN, Signal.TIMEOUT, State.OPEN),
        (State.CANCELING, Signal.CANCEL_REJECT, State.UNKNOWN),
        (State.CANCELING, Signal.TIMEOUT, State.UNKNOWN),
        (State.CANCELING, Signal.CANCEL_NOT_SENT, State.OPEN),
        (State.OPEN, Signal.DOUBT, State.UNKNOWN),
        (State.SENT, Signal.DOUBT, State.SENT),
        (State.UNKNOWN, Signal.SEEN, State.OPEN),
        (State.UNKNOWN, Signal.MISSING, State.CANCELED),
    ],
)
def test_the_rows_that_matter_for_money(state: State, signal: Signal, after: State) -> None:
    assert advance(state, signal) is after


@pytest.mark.parametrize(
    ("word", "signal"),
    [
        ("open", Signal.ACK),
        ("filled", Signal.LAST_FILL),
        ("canceled", Signal.CANCEL_ACK),
        ("marginCanceled", Signal.CANCEL_ACK),
        ("vaultWithdrawalCanceled", Signal.CANCEL_ACK),
        ("openInterestCapCanceled", Signal.CANCEL_ACK),
        ("selfTradeCanceled", Signal.CANCEL_ACK),
        ("reduceOnlyCanceled", Signal.CANCEL_ACK),
        ("siblingFilledCanceled", Signal.CANCEL_ACK),
        ("delistedCanceled", Signal.CANCEL_ACK),
        ("liquidatedCanceled", Signal.CANCEL_ACK),
        ("scheduledCancel", Signal.CANCEL_ACK),
        ("outcomeSettledCanceled", Signal.CANCEL_ACK),
        ("internalCancel", Signal.CANCEL_ACK),
        ("perpMaxPositionCanceled", Signal.CANCEL_ACK),
        ("rejected", Signal.REJECT),
        ("tickRejected", Signal.REJECT),
        ("badAloPxRejected", Signal.REJECT),
        ("perpMarginRejected", Signal.REJECT),
        ("minTradeNtlRejected", Signal.REJECT),
        ("reduceOnlyRejected", Signal.REJECT),
        ("iocCancelRejected", Signal.REJECT),
        ("badTriggerPxRejected", Signal.REJECT),
        ("marketOrderNoLiquidityRejected", Signal.REJECT),
        ("positionIncreaseAtOpenInterestCapRejected", Signal.REJECT),
        ("positionFlipAtOpenInterestCapRejected", Signal.REJECT),
        ("tooAggressiveAtOpenInterestCapRejected", Signal.REJECT),
        ("openInterestIncreaseRejected", Signal.REJECT),
        ("insufficientSpotBalanceRejected", Signal.REJECT),
        ("oracleRejected", Signal.REJECT),
        ("perpMaxPositionRejected", Signal.REJECT),
        ("tooManyOpenOrdersRejected", Signal.REJECT),
        ("someThingNewRejected", Signal.REJECT),
        ("someThingNewCanceled", Signal.CANCEL_ACK),
        ("triggered", Signal.ACK),
        ("neverHeardOf", None),
        ("", None),
    ],
)
def test_the_venues_words(word: str, signal: Signal | None) -> None:
    assert signal_of(word) is signal
