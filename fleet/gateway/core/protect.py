"""The venue-side stop of a position: there for the case that nobody here is left to act.

``protect: {stop_bps: …}`` keeps one reduce-only trigger order beside each position: for all of it,
however large it becomes, at a distance from its entry. It is the gateway's own, under generation 0
of the market, so that no lease ends it; agents are not told of it. A new one is placed before an
old one goes, so that the position is never without. What a closed position leaves is cancelled;
what a market that left the fleet leaves has no owner, and is cleared like any order without one.
"""

from decimal import Decimal
from typing import Final

import msgspec

from agents.exchange.wire import OrderAction, OrderWire
from agents.exchange.wire_actions import OrderKind, Trigger
from agents.market.instrument import Instrument
from agents.market.instrument import wire as in_digits
from agents.market.types import Side
from agents.market.units import BPS
from fleet.gateway.core import agents, cloids, requests
from fleet.gateway.core.caretaker import worst_px
from fleet.gateway.core.clearing import Target
from fleet.gateway.core.door import COLLAR_BPS, Checked
from fleet.gateway.core.effects import Alert, Effect, KeepMarket
from fleet.gateway.core.orders import Order
from fleet.gateway.core.orders import State as OrderState
from fleet.gateway.core.state import FLEET, State
from fleet.gateway.core.weight import action_weight

EVERY_MS: Final = 10_000
REFUSED_MS: Final = 60_000
CAUSE: Final = "stop"
FIRED: Final = "the venue-side stop of its position filled"
MOVE_SHARE: Final = 0.1
"""Of the distance: an entry that moved by less leaves the stop where it is."""
WHOLE: Final = Decimal(0)
"""The size of an order that follows the position."""


class Stop(msgspec.Struct, frozen=True):
    """What is wanted: the mark that fires it, and the worst price it then takes.

    ``late``: the entry is not known, or the mark is past where the stop belongs: it is counted from
    the mark, and one that stands already stays, or it would run away from the price.
    """

    side: Side
    trigger_px: Decimal
    px: Decimal
    late: bool


def wanted(
    instrument: Instrument,
    position_sz: Decimal,
    entry_px: Decimal | None,
    mark_px: float,
    stop_bps: float,
) -> Stop:
    """The stop of a position; the venue takes none that would fire at once."""
    side = Side.ASK if position_sz > 0 else Side.BID
    away = 1 + side.sign * stop_bps / BPS
    late = entry_px is None or (mark_px - float(entry_px) * away) * side.sign >= 0
    from_px = mark_px if late or entry_px is None else float(entry_px)
    trigger_px = instrument.passive_px(from_px * away, side.opposite)
    px = worst_px(instrument, side, float(trigger_px), COLLAR_BPS)
    return Stop(side, trigger_px, px, late)


def tick(state: State, now_ms: int) -> list[Effect]:
    """Place, move, and take away what is too many; call it a few times a second."""
    if state.link.state != "up" or state.fence.latch is not None or FLEET in state.clearings:
        return []
    effects: list[Effect] = []
    for market, row in state.markets.items():
        mine = [o for o in state.orders.resting(market) if o.generation == cloids.STOP]
        stop_bps = row.settings.protect.stop_bps
        held = state.account.position(market)
        if stop_bps is None or row.flatten or not held.sz:
            effects += _cancel(state, mine, now_ms)
            continue
        instrument, mark_px = state.instrument(market), state.account.marks.get(market)
        under_way = any(order.state is not OrderState.OPEN for order in mine)
        if instrument is None or mark_px is None or under_way:
            continue
        stop = wanted(instrument, held.sz, held.entry_px, mark_px, stop_bps)
        good = [order for order in mine if _stands(order, stop, stop_bps)]
        if good:
            newest = max(good, key=lambda order: order.cloid)
            gone = [order for order in mine if order is not newest]
            effects += _cancel(state, gone, now_ms)
        elif now_ms >= row.stop_ms and _may(state, now_ms):
            row.stop_ms = now_ms + EVERY_MS
            effects.append(_place(state, market, instrument, stop, now_ms))
    return effects


def _may(state: State, now_ms: int) -> bool:
    return not state.unwritable and state.weights.leaves_reserve(action_weight(1), now_ms)


def _stands(order: Order, stop: Stop, stop_bps: float) -> bool:
    """Whether it is where it should be, near enough; by its limit, which goes with its trigger."""
    off_bps = abs(float(order.px / stop.px) - 1.0) * BPS
    near = stop.late or off_bps <= max(MOVE_SHARE * stop_bps, 1.0)
    return order.side is stop.side and near


def _place(state: State, market: str, instrument: Instrument, stop: Stop, now_ms: int) -> Effect:
    cloid = cloids.of_stop(state.digits, state.leases.number(market), now_ms)
    trigger = Trigger(is_market=True, trigger_px=in_digits(stop.trigger_px), tpsl="sl")
    wire = OrderWire(
        a=instrument.asset_id, b=stop.side is Side.BID, p=in_digits(stop.px), s="0", r=True,
        t=OrderKind(trigger=trigger), c=cloid,
    )  # fmt: skip
    order = Checked(cloid=cloid, side=stop.side, px=stop.px, sz=WHOLE, reduce_only=True)
    action = OrderAction((wire,), "positionTpsl")
    return requests.protect(state, market, action, order, now_ms)


def _cancel(state: State, orders: list[Order], now_ms: int) -> list[Effect]:
    asked = {
        key
        for pending in state.pending.values()
        if pending.purpose in {"sweep", "cancel"} and not pending.late
        for key in pending.keys
    }
    targets = [
        Target(market=order.market, cloid=order.cloid, oid=order.oid)
        for order in orders
        if order.cloid not in asked
    ]
    return list(requests.sweep(state, targets, None, now_ms))


def refused(state: State, market: str, text: str, now_ms: int) -> Effect:
    """A person is told that a position has no stop; the next try is a minute off."""
    row = state.markets.get(market)
    if row is not None:
        row.stop_ms = now_ms + REFUSED_MS
    return Alert("warning", "protect", f"{market}: the venue refuses its stop: {text}", market)


def fired(state: State, market: str, now_ms: int) -> list[Effect]:
    """A stop filled: something went far beyond what its market was to bear."""
    if market not in state.markets or not state.fence.close(market, CAUSE, FIRED):
        return []
    mend = f"fleet unpause {market} opens it"
    return [
        KeepMarket(market=market),
        Alert("critical", "protect", f"{market}: {FIRED}: fenced; {mend}", market),
        *agents.fence_frames(state, market),
        *agents.clear_fenced(state, market, now_ms),
    ]
