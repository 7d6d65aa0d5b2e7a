"""Facts of this moment for the monitors, read off the engine's state."""

from typing import Final

from agents.estimators.panel import Estimates
from agents.market.types import Side
from agents.market.units import BPS, NS_PER_MS, NS_PER_S
from agents.orders.lifecycle import State
from agents.risk.cash import Counted
from agents.risk.facts import Facts
from agents.risk.verdict import Mode
from agents.state import EngineState

DUST_USD: Final = 25.0
"""Less than this may be below the venue's minimum, and nothing reduces it."""
RESTS: Final = (State.OPEN, State.CANCELING)
BID, ASK, BLIND = Side.BID, Side.ASK, Mode.BLIND


def own_usd(state: EngineState) -> float:
    """What our own fills brought since this process began: realised less fees."""
    return float(state.position.realized_usd - state.position.fees_usd)


def gather(state: EngineState, estimates: Estimates | None, money: Counted, now_ns: int) -> Facts:
    """One look at everything; it changes nothing but what counts how long something has lasted."""
    panel, directive, watch = state.panel, state.directive, state.watch
    settling = state.settling(now_ns)
    mid_px = None if estimates is None else estimates.mid_px
    low_sz, high_sz = state.held()
    held_sz = float(max(abs(low_sz), abs(high_sz)))
    seen, limit_usd = state.venue_position, state.position_max_usd
    user_usd = state.settings.risk.position_max_usd  # the gateway's may be 0: a cap that is full
    drift_s, drift_share = None, 0.0
    if seen is not None and seen.differs_ns is not None:
        drift_s = (now_ns - seen.differs_ns) / NS_PER_S
        if mid_px is not None:
            drift_share = float(abs(seen.sz - state.position.sz)) * mid_px / user_usd
    foreign_sz = watch.foreign_sz(now_ns)
    cascade = panel.cascade
    open_usd, over_s = _worst_case(state, mid_px, held_sz, now_ns)
    stuck_ns = watch.stuck.told(now_ns, holds=_unreduced(state, mid_px))
    return Facts(
        data_age_s=0.0 if settling else _age_s(panel.data_ns, now_ns),
        crossed=panel.crossed,
        two_sided=settling or (panel.bid is not None and panel.ask is not None),
        ctx_age_s=_age_s(watch.ctx_ns, now_ns) if state.link_up else None,
        account_age_s=_age_s(watch.account_ns, now_ns) if state.link_up else None,
        link_up=state.link_up,
        feed_gap=state.feed_gap,
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
        pnl_day_usd=money.pnl_day_usd,
        pnl_usd=money.pnl_usd,
        pnl_peak_usd=state.kept.peak_usd,
        unrealized_usd=None if money.pnl_usd is None else state.kept.unrealized_usd,
        margin_usd=state.settings.margin_usd,
        exposure_usd=None if mid_px is None else held_sz * mid_px,
        open_usd=open_usd,
        over_s=over_s,
        position_max_usd=limit_usd,
        inherited=held_sz <= watch.inherited_sz,
        grown_share=watch.grown_share,
        growth_hold_s=watch.growth_hold_s(now_ns),
        stuck_s=None if stuck_ns is None else stuck_ns / NS_PER_S,
        drift_s=drift_s,
        drift_share=drift_share,
        foreign_share=abs(foreign_sz) * (mid_px or 0.0) / user_usd,
        liquidated=watch.liquidated,
        move_share=watch.move_share(now_ns),
        sigma_bps=estimates.sigma_bps if estimates is not None and estimates.sigma_known else None,
        severity_share=0.0 if cascade is None else cascade.severity_share,
        deployed=bool(state.instrument.dex),
        oracle_age_s=watch.oracle_age_s(now_ns),
        oracle_behind_bps=watch.oracle_behind_bps(mid_px),
        mark_away_bps=watch.mark_away_bps,
        liquidation_bps=watch.liquidation_bps(mid_px) if state.position.sz else None,
        answer_s=watch.answer_s(now_ns),
        answer_usual_s=state.settings.strategy.latency_s,
        rate_limited=watch.rate_limited(now_ns),
        killed=state.kept.kill,
        reduced=state.kept.reduced or state.unwritten,
    )


def _age_s(at_ns: int | None, now_ns: int) -> float | None:
    return None if at_ns is None else (now_ns - at_ns) / NS_PER_S


def _worst_case(
    state: EngineState, mid_px: float | None, held_sz: float, now_ns: int
) -> tuple[float | None, float | None]:
    """The largest position, USD, that orders out may still lead to; for how long it has been far
    above the limit.
    """
    if mid_px is None:
        return None, None
    signed_sz = state.position.sz
    bid_sz, ask_sz = signed_sz, -signed_sz
    for order in state.tracker.live.values():
        if order.reduce_only:
            continue
        if order.side is BID:
            bid_sz += order.remaining_sz
        else:
            ask_sz += order.remaining_sz
    open_sz = float(max(bid_sz, ask_sz))
    most_usd = state.settings.risk.advanced.position_kill_ratio * state.position_max_usd
    beyond = open_sz * mid_px > most_usd and open_sz > held_sz
    over_ns = state.watch.over.told(now_ns, holds=beyond)
    return open_sz * mid_px, None if over_ns is None else over_ns / NS_PER_S


def _unreduced(state: EngineState, mid_px: float | None) -> bool:
    """Whether something is held that should be reduced, and no order does it.

    A market that may not quote is not stuck: other monitors say why, and it is theirs to end.
    """
    held_sz = state.position.sz
    if not held_sz or mid_px is None or abs(float(held_sz)) * mid_px < DUST_USD:
        return False
    if state.verdict.mode >= BLIND or not state.sync.done or not state.link_up:
        return False
    side = ASK if held_sz > 0 else BID
    furthest_px = mid_px * state.settings.strategy.half_spread_max_bps / BPS
    return not any(
        order.side is side and order.state in RESTS and abs(order.near_px - mid_px) <= furthest_px
        for order in state.tracker.live.values()
    )
