"""Fills and the venue's position."""

from agents.events import Fills, PositionSeen
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
        if not fill.crossed or not state.cloids.is_own(fill.cloid):
            continue
        state.taker_fills += 1
        if order is None or not order.reduce_only:
            state.reduce_latched = f"taker fill {fill.tid}: a quote has taken"


def on_position_seen(state: EngineState, event: PositionSeen, _now_ns: int) -> None:
    """Keep the venue's newest word; the monitors compare it."""
    seen = state.venue_position
    if seen is None:
        state.venue_position = VenuePosition(as_of_ms=event.as_of_ms, sz=event.position_sz)
    elif event.as_of_ms >= seen.as_of_ms:
        seen.as_of_ms, seen.sz = event.as_of_ms, event.position_sz
