"""Answers to our requests, and what the venue says of our orders."""

from typing import Final

from agents.events import (
    CancelAnswered,
    OpenOrders,
    OrderStatus,
    OrderUpdate,
    OutcomeUnknown,
    PlaceAnswered,
    RequestRefused,
)
from agents.handlers.insight import reason_of
from agents.market.units import s_to_ns
from agents.orders.refusal import touch_px
from agents.orders.request import Request
from agents.state import EngineState

RESYNC_NS: Final = s_to_ns(0.3)
SNAPSHOT_NS: Final = s_to_ns(30.0)
LIQUIDATED: Final = "liquidatedCanceled"
OWN_REFUSALS: Final = frozenset({"budget", "throttle"})
"""Of the gateway, which spares requests on purpose: no sign of the venue's."""


def on_place_answered(state: EngineState, event: PlaceAnswered, now_ns: int) -> None:
    state.watch.answered(event.request_id, now_ns)
    limited = next((r.text for r in event.results if r.kind == "refused"), None)
    if limited is not None:
        state.watch.refused(limited, now_ns)
    for order in state.tracker.place_answered(event.request_id, event.results, now_ns):
        if order.refusal is None:
            state.throttle.rested(order.side, reduces=order.reduces)
        else:
            state.tracker.tally.refuse(reason_of(order.refusal))
            state.throttle.refused(order.side, order.refusal, now_ns, reduces=order.reduces)
            touch = touch_px(order.refusal)
            if touch is not None:
                state.panel.told(*touch, sent_ns=order.sent_ns)
            state.dirty = True
    # What rests now may be cancelled now: something that waited for the answer waits no longer.
    state.dirty = state.dirty or state.revisit


def on_cancel_answered(state: EngineState, event: CancelAnswered, now_ns: int) -> None:
    state.watch.answered(event.request_id, now_ns)
    state.tracker.cancel_answered(event.request_id, event.errors, now_ns)
    state.dirty = True


def on_request_refused(state: EngineState, event: RequestRefused, now_ns: int) -> None:
    state.watch.answered(event.request_id, now_ns)
    if event.reason not in OWN_REFUSALS:
        state.watch.refused(f"{event.reason} {event.text}", now_ns)
    request = state.tracker.not_sent(event.request_id, now_ns)
    if request is None:
        return
    if request.kind == "cancel":
        state.throttle.cancel_refused(now_ns)
    else:
        _turned_away(state, request, f"{event.reason} {event.text}", now_ns)
    state.dirty = True


def _turned_away(state: EngineState, request: Request, text: str, now_ns: int) -> None:
    """Of a whole placement. Where part of it may add, that part is taken for the reason: what only
    reduces is offered again at once, by itself.
    """
    orders = [order for cloid in request.cloids if (order := state.tracker.find(cloid, None))]
    adding = {order.side for order in orders if not order.reduce_only}
    for side in adding or {order.side for order in orders}:
        state.throttle.refused(side, text, now_ns, reduces=not adding)


def on_outcome_unknown(state: EngineState, event: OutcomeUnknown, now_ns: int) -> None:
    state.watch.answered(event.request_id, now_ns)
    state.tracker.outcome_unknown(event.request_id, now_ns)
    state.dirty = True


def on_order_update(state: EngineState, event: OrderUpdate, now_ns: int) -> None:
    if event.status == LIQUIDATED:
        state.watch.liquidated = f"the venue cancelled order {event.oid} to liquidate"
    if state.tracker.apply_update(event, now_ns):
        state.dirty = True


def on_order_status(state: EngineState, event: OrderStatus, now_ns: int) -> None:
    if state.tracker.apply_status(event, now_ns):
        state.dirty = True


def on_open_orders(state: EngineState, event: OpenOrders, now_ns: int) -> None:
    """Believe the snapshot where it may be believed; in sync once both sides hold nothing, or,
    after a gap, once it told what is in doubt.
    """
    found = [row for row in event.orders if state.cloids.is_ours(row.cloid)]
    state.tracker.apply_snapshot(event, found, now_ns)
    sync = state.sync
    if sync.done and state.tracker.sightings:
        sync.due_ns = min(sync.due_ns, now_ns + RESYNC_NS)  # once more, to be sure
    if not sync.done and event.requested_ns >= sync.since_ns:
        sync.done = sync.keeps or (not found and not state.tracker.live)
        sure = sync.done and not state.tracker.sightings
        wait_ns = SNAPSHOT_NS if sure else RESYNC_NS
        sync.due_ns = now_ns + wait_ns
    state.dirty = True
