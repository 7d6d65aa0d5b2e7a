"""Fills and the venue's position."""

import msgspec

from agents.events import Fills, PositionSeen
from agents.handlers.facts import own_usd
from agents.state import EngineState, VenuePosition


def on_fills(state: EngineState, event: Fills, now_ns: int) -> None:
    """Count each fill once. One of ours that took is an alarm: quotes never take."""
    for fill in event.fills:
        if fill.coin != state.instrument.coin or not state.position.apply(fill):
            continue
        order = state.tracker.apply_fill(fill, now_ns)
        state.dirty = True
        if order is not None and not fill.crossed:
            share = float(fill.sz) / float(order.sz)
            state.panel.on_fill(fill.side, fill.px, share, fill.time_ms)
        if not state.cloids.is_ours(fill.cloid):
            state.watch.foreign(fill.side.sign * float(fill.sz), now_ns)
        if fill.liquidated:  # however small a part of the limit it was
            state.watch.liquidated = f"the venue liquidated {fill.sz:f} at {fill.px:f}"
        if not fill.crossed or not state.cloids.is_own(fill.cloid):
            continue
        state.taker_fills += 1
        if order is None or not order.reduce_only:
            why = f"taker fill {fill.tid}: a quote has taken"
            state.kept = msgspec.structs.replace(state.kept, reduced=why)


def on_position_seen(state: EngineState, event: PositionSeen, now_ns: int) -> None:
    """Keep the venue's newest word; the monitors compare it."""
    state.watch.told_account(event.liquidation_px, now_ns)
    if event.day:
        state.cash.told(event.day, event.cash_day_usd, own_usd(state))
    seen = state.venue_position
    if seen is None:
        state.venue_position = VenuePosition(as_of_ms=event.as_of_ms, sz=event.position_sz)
    elif event.as_of_ms >= seen.as_of_ms:
        seen.as_of_ms, seen.sz = event.as_of_ms, event.position_sz
