"""Facts of this moment for the monitors, their verdict, and the phase it amounts to."""

from typing import Final

from agents.commands import RequestFence
from agents.market.units import NS_PER_MS, NS_PER_S, s_to_ns
from agents.risk.monitors import Facts, judge, loss
from agents.risk.verdict import Mode
from agents.state import DAY_MS, EngineState

JUDGED_NS: Final = s_to_ns(0.15)
"""For how long a verdict may serve: a tick and a half, so that it only matters if one is late."""


def refresh(state: EngineState, now_ns: int) -> None:
    """Ask all monitors. A changed mode asks for a decision; a lost day fences the market."""
    facts = _facts(state, now_ns)
    if state.halted is None:
        lost = loss(facts, state.settings.risk)
        if lost is not None:
            state.halted = lost.reason
            state.out.append(RequestFence(reason=lost.reason))
    verdict = judge(facts, state.settings.risk)
    if verdict.mode is not state.verdict.mode:
        state.dirty = True
    state.verdict = verdict
    state.judged_until_ns = _until_ns(state, now_ns)


def renewed(state: EngineState, now_ns: int) -> None:
    """Judge again if time alone may have changed the verdict since: no decision rests on it then.

    Ticks do the same, but a process that was stopped finds market data before its next tick.
    """
    if now_ns > state.judged_until_ns:
        refresh(state, now_ns)


def reference_px(state: EngineState, now_ns: int) -> float | None:
    """The price that positions are valued at: the mid."""
    estimates = state.panel.estimates(now_ns)
    return None if estimates is None else estimates.mid_px


def phase(state: EngineState) -> str:
    """The state machine of the whole agent, as ``fleet status`` shows it."""
    running = "QUOTING" if state.verdict.mode is Mode.NORMAL else "REDUCING"
    if state.panel.data_ns is None and not state.sync.done:
        running = "BOOT"
    elif not state.sync.done:
        running = "RECONCILING"
    elif not state.panel.ready:
        running = "WARMUP"
    if state.verdict.mode is Mode.HALT:
        return "HALTED"
    if state.drain_deadline_ms is not None:
        return "DRAINING"
    return "PAUSED" if state.paused else running


def day_pnl_usd(state: EngineState, mid_px: float | None, now_ns: int) -> float | None:
    """The UTC day's P&L, net of fees; None while it cannot be told for want of a price."""
    pnl = state.pnl
    if mid_px is None:
        return pnl.brought_usd if pnl.base_usd is None else None
    position = state.position
    total_usd = float(position.realized_usd - position.fees_usd) + position.unrealized_usd(mid_px)
    day = now_ns // NS_PER_MS // DAY_MS
    if day != pnl.day:
        pnl.day, pnl.brought_usd, pnl.base_usd = day, 0.0, total_usd
        state.halted = None
    if pnl.base_usd is None:
        pnl.base_usd = total_usd
    return pnl.brought_usd + total_usd - pnl.base_usd


def _facts(state: EngineState, now_ns: int) -> Facts:
    panel, directive = state.panel, state.directive
    mid_px = reference_px(state, now_ns)
    settling = state.settling(now_ns)
    _compare(state, now_ns)
    seen = state.venue_position
    pnl_usd = day_pnl_usd(state, mid_px, now_ns)
    low_sz, high_sz = state.held()
    held_sz = max(abs(low_sz), abs(high_sz))
    return Facts(
        data_age_s=(
            0.0
            if settling
            else None
            if panel.data_ns is None
            else (now_ns - panel.data_ns) / NS_PER_S
        ),
        crossed=panel.crossed,
        two_sided=settling or (panel.bid is not None and panel.ask is not None),
        link_up=state.link_up,
        fenced=state.fenced,
        directive_age_s=(
            None if directive is None else (now_ns - directive.as_of_ms * NS_PER_MS) / NS_PER_S
        ),
        directive_mode="normal" if directive is None else directive.mode,
        directive_reason="" if directive is None else directive.reason,
        reconciled=state.sync.done,
        recovering=state.sync.keeps,
        ready=panel.ready,
        paused=state.paused,
        leaving=state.leaving,
        drain=None if state.drain_deadline_ms is None else "draining",
        exposure_usd=None if mid_px is None else float(held_sz) * mid_px,
        position_max_usd=state.position_max_usd,
        pnl_day_usd=pnl_usd,
        drift_s=(
            None
            if seen is None or seen.differs_ns is None
            else (now_ns - seen.differs_ns) / NS_PER_S
        ),
        halted=state.halted,
        reduce_latched=state.reduce_latched,
    )


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
