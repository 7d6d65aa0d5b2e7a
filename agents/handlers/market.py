"""Market data: into the panel, then quote if it is worth it."""

import contextlib

from agents.estimators.checkpoint import CheckpointRefused
from agents.events import AssetCtx, Bbo, BeliefsFound, Book, Trades
from agents.handlers.quoting import consider
from agents.market.units import NS_PER_MS
from agents.state import EngineState


def on_book(state: EngineState, event: Book, now_ns: int) -> None:
    if event.coin != state.instrument.coin:
        return
    state.panel.on_book(event, now_ns)
    state.queues.on_book(event, state.tracker.live.values())
    consider(state, now_ns)


def on_bbo(state: EngineState, event: Bbo, now_ns: int) -> None:
    if event.coin != state.instrument.coin:
        return
    state.panel.on_bbo(event, now_ns)
    consider(state, now_ns)


def on_trades(state: EngineState, event: Trades, _now_ns: int) -> None:
    if event.trades and event.trades[0].coin == state.instrument.coin:
        state.panel.on_trades(event)
        state.queues.on_trades(event.trades, state.tracker.live.values())


def on_ctx(state: EngineState, event: AssetCtx, now_ns: int) -> None:
    if event.coin == state.instrument.coin:
        state.panel.on_ctx(event)
        state.watch.told_ctx(event.mark_px, event.oracle_px, now_ns)


def on_beliefs(state: EngineState, event: BeliefsFound, now_ns: int) -> None:
    """What is not of this market, or too old, is as if it were not there; the shell has said so."""
    with contextlib.suppress(CheckpointRefused):
        state.panel.restore(event.raw, coin=state.instrument.coin, now_ms=now_ns // NS_PER_MS)
