"""What the engine says of itself: the report, and the share of time it quoted."""

from decimal import Decimal
from typing import Final

from agents.commands import Report, Worst
from agents.estimators.panel import Estimates
from agents.handlers.insight import insight, touch_share
from agents.handlers.verdicts import phase
from agents.market.types import Side
from agents.market.units import BPS, NS_PER_MS, NS_PER_S
from agents.orders.lifecycle import State
from agents.orders.view import counts
from agents.risk.verdict import Finding, Mode
from agents.state import EngineState
from agents.strategy.presence import band_bps

CLIP_SHARE: Final = 0.95
RESTS: Final = (State.OPEN, State.CANCELING)
SIDES: Final = (Side.BID, Side.ASK)


def report(state: EngineState, now_ns: int) -> Report:
    """The report of this moment; what is not known is None."""
    estimates = state.panel.estimates(now_ns)
    pricing = state.pricing
    half = None if pricing is None else pricing.quoting.half_spread
    data_ns = state.panel.data_ns
    return Report(
        phase=phase(state),
        reason=gate(state) or idle_reason(state),
        mid_px=None if estimates is None else estimates.mid_px,
        fair_px=None if estimates is None else estimates.fair_px,
        sigma_bps=estimates.sigma_bps if estimates is not None and estimates.sigma_known else None,
        fills_per_s=None if estimates is None else estimates.fills_per_s,
        kappa_per_bps=None if estimates is None else estimates.kappa_per_bps,
        position_sz=state.position.sz,
        bid_px=_best_px(state, Side.BID),
        ask_px=_best_px(state, Side.ASK),
        half_spread_bps=None if half is None else half.total_bps,
        model_half_spread_bps=None if half is None else half.model_bps + half.fee_bps,
        open_orders=state.tracker.count(),
        unknown_orders=state.tracker.count(State.UNKNOWN),
        data_age_ms=None if data_ns is None else (now_ns - data_ns) // NS_PER_MS,
        quoting_due_s=state.uptime.due_s,
        quoting_up_s=state.uptime.up_s,
        taker_fills=state.taker_fills,
        requests=state.requests,
        cross_bps=None if pricing is None or pricing.cross is None else pricing.quoting.cross_bps,
        cross_caps=state.cross_caps,
        worst=worst(state),
        ramp_share=state.ramp_share,
        orders=counts(state.tracker.live.values()),
        insight=insight(state, now_ns),
    )


def gate(state: EngineState) -> str | None:
    """Why less is quoted than might be; a warning changes nothing, and is told elsewhere."""
    return state.verdict.reason if state.verdict.mode > Mode.WIDEN else None


def worst(state: EngineState) -> Worst | None:
    """The first of the worst findings, with its numbers."""
    if not state.verdict.found:
        return None
    return worst_of(state.verdict.found[0])


def worst_of(finding: Finding) -> Worst:
    """A finding as it is told."""
    return Worst(
        mode=finding.mode.words,
        monitor=finding.monitor,
        reason=finding.reason,
        evidence=dict(finding.evidence),
    )


def account_uptime(state: EngineState, now_ns: int) -> None:
    """Add the time since the last tick: due from the first QUOTING on, outages and operator's
    pauses left out; up while each side that inventory permits shows a clip near the mid.
    """
    uptime = state.uptime
    passed_s = (now_ns - uptime.seen_ns) / NS_PER_S
    uptime.seen_ns = now_ns
    if not uptime.due:
        uptime.due = phase(state) == "QUOTING"
        return
    estimates = state.panel.estimates(now_ns)
    data_ns = state.panel.data_ns
    dark = (
        not state.link_up
        or data_ns is None
        or now_ns - data_ns > state.settings.risk.data_age_max_s * NS_PER_S
    )
    if dark or state.paused or state.drain_deadline_ms is not None:
        return
    uptime.due_s += passed_s
    state.tracker.tally.touch_s += passed_s * touch_share(state)
    if estimates is not None and _quoted(state, estimates):
        uptime.up_s += passed_s


def _quoted(state: EngineState, estimates: Estimates) -> bool:
    pricing = state.pricing
    if pricing is None:
        return False
    mid_px, quoting = estimates.mid_px, pricing.quoting
    band_px = mid_px / BPS * band_bps(quoting.half_spread.believed_bps)
    clip_sz = float(quoting.clip_sz)
    limit_sz = state.sizing_max_usd / mid_px
    held_sz = float(state.position.sz)
    for side in SIDES:
        if limit_sz - side.sign * held_sz < clip_sz:
            continue
        missing_sz = CLIP_SHARE * clip_sz
        for order in state.tracker.live.values():
            if order.side is not side or abs(order.near_px - mid_px) > band_px:
                continue
            if order.state in RESTS:
                missing_sz -= float(order.remaining_sz)
                if missing_sz <= 0:
                    break
        if missing_sz > 0:
            return False
    return True


def _best_px(state: EngineState, side: Side) -> Decimal | None:
    prices = [order.px for order in state.tracker.side(side) if order.state in RESTS]
    if not prices:
        return None
    return max(prices) if side is Side.BID else min(prices)


def idle_reason(state: EngineState) -> str | None:
    """Why no side adds although nothing forbids it."""
    pricing = state.pricing
    if pricing is not None and pricing.quoting.too_wide:
        total_bps = pricing.quoting.half_spread.total_bps
        return f"half-spread {total_bps:.1f} bps above its maximum"
    return None
