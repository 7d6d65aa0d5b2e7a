"""The verdict of this moment, the kill switch it may throw, and the phase it amounts to."""

from typing import Final

from agents.commands import OpenFence, RequestFence
from agents.handlers.facts import gather, own_usd
from agents.market.units import NS_PER_MS, s_to_ns
from agents.risk.cash import counted
from agents.risk.kill import lifted, ramp_share, turn
from agents.risk.monitors import findings
from agents.risk.verdict import Finding, Mode, aggregate
from agents.state import EngineState

JUDGED_NS: Final = s_to_ns(0.15)
"""For how long a verdict may serve: a tick and a half, so that it only matters if one is late."""
FLATTENS: Final = "liquidation"


def refresh(state: EngineState, now_ns: int) -> None:
    """Ask all monitors. What changes asks for a decision; what latches asks for the fence."""
    _compare(state, now_ns)
    estimates = state.panel.estimates(now_ns)
    mid_px = None if estimates is None else estimates.mid_px
    held_sz = abs(float(state.position.sz))
    unrealized_usd = 0.0 if not held_sz else None
    if held_sz and mid_px is not None:
        unrealized_usd = state.position.unrealized_usd(mid_px)
    money = counted(
        state.kept,
        state.cash,
        own_usd=own_usd(state),
        unrealized_usd=unrealized_usd,
        now_ms=now_ns // NS_PER_MS,
    )
    state.kept = money.kept
    risk = state.settings.risk
    # Of the user's own limit: the gateway's may be 0 while a cap of the fleet is full.
    held_share = held_sz * (mid_px or 0.0) / risk.position_max_usd
    state.watch.look(mid_px, held_sz, held_share, risk.advanced.growth_max_share, now_ns)
    found = findings(gather(state, estimates, money, now_ns), risk)
    _switch(state, found, now_ns)
    verdict = aggregate(found)
    before = state.verdict
    if verdict.mode is not before.mode or verdict.widen_bps != before.widen_bps:
        state.dirty = True
    state.verdict = verdict
    _ramp(state, now_ns)
    state.judged_until_ns = _until_ns(state, now_ns)


def renewed(state: EngineState, now_ns: int) -> None:
    """Judge again if time alone may have changed the verdict since: no decision rests on it then.

    Ticks do the same, but a process that was stopped finds market data before its next tick.
    """
    if now_ns > state.judged_until_ns:
        refresh(state, now_ns)


def let_go(state: EngineState, now_ns: int) -> None:
    """The fence was opened: what was latched is over, and sizes come back by and by.

    A cause that still stands kills again at the next look. Where it is open by rule, the rule has
    said how sizes go on.
    """
    if state.opening:
        state.opening = False
        return
    state.kept = lifted(state.kept, now_ns // NS_PER_MS)
    state.watch.lifted()
    _ramp(state, now_ns)


def phase(state: EngineState) -> str:
    """The state machine of the whole agent, as ``fleet status`` shows it."""
    running = "QUOTING" if state.verdict.mode <= Mode.WIDEN else "REDUCING"
    if state.panel.data_ns is None and not state.sync.done:
        running = "BOOT"
    elif not state.sync.done:
        running = "RECONCILING"
    elif not state.panel.ready:
        running = "WARMUP"
    if state.verdict.mode is Mode.KILL:
        return "HALTED"
    if state.drain_deadline_ms is not None:
        return "DRAINING"
    return "PAUSED" if state.paused else running


def _switch(state: EngineState, found: list[Finding], now_ns: int) -> None:
    """The kill switch: latch, hold or let go."""
    before = state.kept.kill
    advanced = state.settings.risk.advanced
    step = turn(
        state.kept,
        found,
        now_ns // NS_PER_MS,
        recovery_after_s=advanced.recovery_after_s,
        kills_max=advanced.kills_max_per_day,
    )
    state.kept = step.kept
    kill = step.kept.kill
    if step.fence is not None and kill is not None:
        state.out.append(
            RequestFence(
                reason=step.fence,
                transient=not kill.by_person,
                flatten=kill.cause == FLATTENS,
            )
        )
        state.renew_due_ns = now_ns  # what is latched is stored at once
    if step.opens and before is not None:
        state.opening = True
        state.out.append(OpenFence(reason=f"{before.cause} has passed"))
        state.renew_due_ns = now_ns


def _ramp(state: EngineState, now_ns: int) -> None:
    share = ramp_share(
        state.kept, now_ns // NS_PER_MS, ramp_s=state.settings.risk.advanced.resume_ramp_s
    )
    if share != state.ramp_share:
        state.ramp_share, state.sizing, state.dirty = share, None, True


def _until_ns(state: EngineState, now_ns: int) -> int:
    """Up to when this verdict serves: the next age of the directive that matters ends it."""
    until_ns, directive, risk = now_ns + JUDGED_NS, state.directive, state.settings.risk
    if directive is None:
        return until_ns
    for limit_s in (
        risk.directive_age_max_s, risk.directive_age_cancel_s, risk.directive_age_halt_s,
    ):  # fmt: skip
        due_ns = directive.as_of_ms * NS_PER_MS + s_to_ns(limit_s)
        if now_ns <= due_ns < until_ns:
            until_ns = due_ns
    return until_ns


def _compare(state: EngineState, now_ns: int) -> None:
    """Set the venue's position against ours, if it is younger than our last fill."""
    seen = state.venue_position
    if seen is None:
        return
    if seen.sz == state.position.sz:
        seen.differs_ns = None
    elif seen.as_of_ms > state.position.last_fill_ms and seen.differs_ns is None:
        seen.differs_ns = now_ns
        state.tracker.tally.mismatch("position")
