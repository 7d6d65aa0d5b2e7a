"""What is done now about a position that no agent looks after: reduce-only, inside a collar.

Pure and without memory: what it must remember stands in what it is shown. It believes nothing about
prices but the venue's touch and mark. ``reduce`` only rests at the touch; ``flatten`` rests for a
while and then takes, never beyond the collar round the mark; ``hold`` watches.
"""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from agents.market.instrument import Instrument
from agents.market.types import Side
from agents.market.units import BPS

TOUCH_AGE_MAX_MS: Final = 5_000
MARK_AGE_MAX_MS: Final = 30_000
REQUOTE_MS: Final = 5_000
AGAIN_MS: Final = 1_000
PATIENCE_MS: Final = 10_000

Cause = Literal["orphan", "drain", "flatten", "halt"]
Do = Literal["hold", "reduce", "flatten"]


class Mandate(msgspec.Struct, frozen=True):
    """What is to be done and why; ``acting_ms``: since when, patience is counted from there.

    A halt has no patience: an order that rests would belie the proof it has just given.
    """

    cause: Cause
    do: Do
    collar_bps: float
    acting_ms: int

    @property
    def patience_ms(self) -> int:
        return 0 if self.cause == "halt" else PATIENCE_MS


class Working(msgspec.Struct, frozen=True):
    """An order of the caretaker's; ``settled``: it rests, nothing about it is under way."""

    cloid: str
    px: Decimal
    remaining_sz: Decimal
    settled: bool
    touched_ms: int


class Sight(msgspec.Struct, frozen=True):
    """One market as it is seen now. Prices are beliefs; ages in ms, None = never seen."""

    instrument: Instrument
    position_sz: Decimal
    bid_px: float | None
    ask_px: float | None
    touch_age_ms: int | None
    mark_px: float | None
    mark_age_ms: int | None
    working: tuple[Working, ...] = ()
    last_sent_ms: int = 0


class Wanted(msgspec.Struct, frozen=True):
    """A reduce-only order to be sent."""

    side: Side
    px: Decimal
    sz: Decimal
    tif: Literal["Alo", "Ioc"]


class Move(msgspec.Struct, frozen=True):
    """What to do now; ``waits`` says for people what is waited for."""

    cancel: tuple[str, ...] = ()
    place: Wanted | None = None
    waits: str = ""


def decide(mandate: Mandate, sight: Sight, now_ms: int) -> Move:
    """The next move. It asks for one thing at a time: what is under way is waited for."""
    resting = tuple(order.cloid for order in sight.working if order.settled)
    if mandate.do == "hold" or not sight.position_sz:
        return Move(cancel=resting, waits="holds" if sight.position_sz else "flat")
    if len(resting) < len(sight.working):
        return Move(waits="an order is under way")
    blind = _blind(sight)
    if blind:
        return Move(cancel=resting, waits=blind)
    patient = mandate.do == "reduce" or now_ms - mandate.acting_ms < mandate.patience_ms
    return (_rest if patient else _take)(mandate, sight, resting, now_ms)


def _blind(sight: Sight) -> str:
    """Why nothing can be priced; empty if it can."""
    if sight.mark_px is None or sight.mark_age_ms is None or sight.mark_age_ms > MARK_AGE_MAX_MS:
        return "no fresh mark"
    if sight.touch_age_ms is None or sight.touch_age_ms > TOUCH_AGE_MAX_MS:
        return "no fresh prices"
    return ""


def worst_px(instrument: Instrument, side: Side, mark_px: float, collar_bps: float) -> Decimal:
    """The worst price inside the collar, on the grid: bids not above it, asks not below it."""
    return instrument.passive_px(mark_px * (1 + side.sign * collar_bps / BPS), side)


def _closing(mandate: Mandate, sight: Sight) -> tuple[Side, Decimal]:
    assert sight.mark_px is not None
    side = Side.ASK if sight.position_sz > 0 else Side.BID
    return side, worst_px(sight.instrument, side, sight.mark_px, mandate.collar_bps)


def _rest(mandate: Mandate, sight: Sight, resting: tuple[str, ...], now_ms: int) -> Move:
    """One post-only order for all of it at our side of the touch, requoted seldom."""
    side, worst = _closing(mandate, sight)
    touch_px = sight.ask_px if side is Side.ASK else sight.bid_px
    if touch_px is None:
        return Move(cancel=resting, waits="nobody quotes our side of the touch")
    at_touch = sight.instrument.passive_px(touch_px, side)
    px = max(at_touch, worst) if side is Side.ASK else min(at_touch, worst)
    sz = abs(sight.position_sz)
    if not resting:
        if now_ms - sight.last_sent_ms < AGAIN_MS:
            return Move(waits="just sent")
        return Move(place=Wanted(side=side, px=px, sz=sz, tif="Alo"))
    if len(resting) == 1 and (sight.working[0].px, sight.working[0].remaining_sz) == (px, sz):
        return Move(waits="rests at the touch")
    outside = any((order.px - worst) * side.sign > 0 for order in sight.working)
    if outside or now_ms - sight.last_sent_ms >= REQUOTE_MS:
        return Move(cancel=resting, waits="requotes")
    return Move(waits="rests near the touch")


def _take(mandate: Mandate, sight: Sight, resting: tuple[str, ...], now_ms: int) -> Move:
    """Immediate or cancel for all of it, down to the collar's edge and not beyond."""
    if resting:
        return Move(cancel=resting, waits="takes next")
    side, worst = _closing(mandate, sight)
    other_px = sight.bid_px if side is Side.ASK else sight.ask_px
    if other_px is None or (float(worst) - other_px) * side.sign < 0:
        return Move(waits=f"nobody trades within {mandate.collar_bps:g} bps of the mark")
    if now_ms - sight.last_sent_ms < AGAIN_MS:
        return Move(waits="just sent")
    return Move(place=Wanted(side=side, px=worst, sz=abs(sight.position_sz), tif="Ioc"))
