"""What gateway, risk actor and operator tell: link, fence, directive, limits, settings, leave."""

from typing import Final

from agents.events import (
    BudgetChanged,
    DirectiveReceived,
    DrainRequested,
    FenceChanged,
    JournalLost,
    LimitsChanged,
    LinkChanged,
    PauseChanged,
    SettingsChanged,
    SkewSolved,
)
from agents.handlers.quoting import decide
from agents.handlers.verdicts import let_go, refresh
from agents.market.units import s_to_ns
from agents.state import DirectiveHeld, EngineState, Sync

SETTLE_NS: Final = s_to_ns(1.0)


def on_link(state: EngineState, event: LinkChanged, now_ns: int) -> None:
    """A gap: nothing can be sent, what rests is on its own. Back: what rests stays, nothing is
    added before a snapshot told what became of it, nothing is judged before a touch came.
    """
    if event.state == "gap":
        state.link_up, state.feed_gap = False, event.feed
        state.panel.gap()
    else:
        back = not state.link_up or event.state == "recovered"
        state.link_up, state.feed_gap = True, False
        if back:
            state.sync = Sync(
                since_ns=now_ns,
                keeps=state.sync.done or state.sync.keeps,
                settled_ns=now_ns + SETTLE_NS,
                due_ns=now_ns,
            )
    _apply(state, now_ns)


def on_fence(state: EngineState, event: FenceChanged, now_ns: int) -> None:
    latched = state.fenced is not None or state.kept.kill is not None or state.kept.reduced
    opened = bool(latched) and not event.closed
    state.fenced = (event.reason or "closed") if event.closed else None
    if opened:
        let_go(state, now_ns)
    _apply(state, now_ns)


def on_directive(state: EngineState, event: DirectiveReceived, now_ns: int) -> None:
    held = state.directive
    if held is not None and event.as_of_ms < held.as_of_ms:
        return
    changed = held is None or held.mode != event.mode
    state.directive = DirectiveHeld(as_of_ms=event.as_of_ms, mode=event.mode, reason=event.reason)
    if changed:
        _apply(state, now_ns)


def on_limits(state: EngineState, event: LimitsChanged, now_ns: int) -> None:
    state.limit_usd = event.position_max_usd
    state.sizing = None
    state.watch.limits_changed(float(state.position.sz))
    _apply(state, now_ns)


def on_budget(state: EngineState, event: BudgetChanged, _now_ns: int) -> None:
    """In force from the next decision: it moves no price."""
    state.budget = event


def on_settings(state: EngineState, event: SettingsChanged, now_ns: int) -> None:
    state.settings, state.revision = event.settings, event.revision
    state.panel.adopt(event.settings.strategy)
    state.sizing = None
    state.watch.limits_changed(float(state.position.sz))
    _apply(state, now_ns)


def on_drain(state: EngineState, event: DrainRequested, now_ns: int) -> None:
    state.drain_deadline_ms = event.deadline_ms
    _apply(state, now_ns)


def on_pause(state: EngineState, event: PauseChanged, now_ns: int) -> None:
    state.paused = event.paused
    _apply(state, now_ns)


def on_skew(state: EngineState, event: SkewSolved, _now_ns: int) -> None:
    """In force from the next pricing."""
    state.skew = event.table


def on_journal_lost(state: EngineState, event: JournalLost, now_ns: int) -> None:
    """What nobody could run again adds no risk; a new process begins a new journal."""
    state.unwritten = state.unwritten or f"the journal can't be written: {event.reason}"
    _apply(state, now_ns)


def _apply(state: EngineState, now_ns: int) -> None:
    """What was told is in force before the next event."""
    refresh(state, now_ns)
    decide(state, now_ns)
