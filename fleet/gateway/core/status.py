"""The whole account and every market in one value, as of one moment."""

from decimal import Decimal

from agents.market.types import Side
from agents.market.units import MS_PER_S
from fleet.gateway.api import (
    CareView,
    DexView,
    GatewayStatus,
    KeyView,
    LeaseView,
    MarketView,
    RiskView,
)
from fleet.gateway.core import budget_view
from fleet.gateway.core import care as caring
from fleet.gateway.core.state import State


def status(state: State, now_ms: int) -> GatewayStatus:
    """What ``GET /v1/status`` answers."""
    identity = state.identity
    return GatewayStatus(
        fleet=identity.fleet,
        network=identity.network,
        url=identity.url,
        address=identity.address,
        instance=identity.instance,
        build=identity.build,
        as_of_ms=now_ms,
        link="up" if state.link.state == "up" else "down",
        link_since_ms=state.link.since_ms,
        link_losses=state.link.losses,
        venue_offset_ms=state.clock.offset_ms,
        halt=state.fence.latch,
        dexes=_dexes(state),
        markets=tuple(_market(state, market, now_ms) for market in sorted(state.markets)),
        foreign_orders=state.foreign_orders(),
        unresolved=len(state.orders.unresolved),
        risk=_risk(state, now_ms),
        ip_weight_used_share=state.weights.used_share(now_ms),
        allowance=budget_view.allowance(state, now_ms),
        log_seq=state.log_seq,
        refusals=dict(state.refusals),
        second_controller=_second_controller(state),
        unwritable="; ".join(state.unwritable.values()) or None,
        dead_man=budget_view.dead_man(state, now_ms),
        strain=state.strain.states(now_ms),
        cautions=dict(state.cautions),
        caps=state.caps,
        caps_use=state.worst.use(),
        key=KeyView(state.signer, state.key_until_ms) if state.signer else None,
    )


def _second_controller(state: State) -> str | None:
    """Another fleet on this account: seen now, or seen and not yet answered by a person."""
    if state.strangers:
        return f"instance {', '.join(sorted(set(state.strangers.values())))}"
    for market in state.markets:
        cause = state.fence.causes(market).get("second_controller")
        if cause is not None:
            return cause
    return None


def _care(state: State, market: str, now_ms: int) -> CareView | None:
    care = state.cares.get(market)
    if care is None:
        return None
    due_ms = caring.due_ms(state, market, state.markets[market])
    watching = care.mandate.cause == "orphan" and now_ms < due_ms
    then = state.markets[market].settings.on_orphan.do
    seconds = -(-(due_ms - now_ms) // MS_PER_S)
    return CareView(
        do=care.mandate.do,
        cause=care.mandate.cause,
        since_ms=care.since_ms,
        generation=care.generation,
        text=f"{then} in {seconds} s" if watching else care.waits,
        busy=caring.busy(state, market),
    )


def _dexes(state: State) -> tuple[DexView, ...]:
    views = []
    for dex in state.registry.dexes if state.registry else ():
        held = state.account.dexes.get(dex.name)
        if held is not None:
            views.append(
                DexView(
                    dex=dex.name,
                    token=dex.token,
                    token_mark_usd=state.token_mark_usd(dex.token),
                    as_of_ms=held.as_of_ms,
                    account_value=held.account_value,
                    raw_usd=held.raw_usd,
                    margin_used=held.margin_used,
                )
            )
    return tuple(views)


def _risk(state: State, now_ms: int) -> RiskView | None:
    put = state.directives
    if put is None:
        return None
    return RiskView(
        seq=put.seq,
        as_of_ms=put.as_of_ms,
        age_ms=now_ms - put.as_of_ms,
        state=put.state,
        reason=put.reason,
        gamma_rows=len(state.gamma_rows),
    )


def _market(state: State, market: str, now_ms: int) -> MarketView:
    row = state.markets[market]
    position = state.account.position(market)
    touch = state.account.touches.get(market)
    ours = [o for o in state.account.open_orders(market) if state.ours(o.cloid) is not None]
    return MarketView(
        market=market,
        revision=row.revision,
        settings=row.settings,
        instrument=state.instrument(market),
        lease=_lease(state, market),
        care=_care(state, market, now_ms),
        report=row.report,
        report_ms=row.report_ms,
        position_sz=position.sz,
        entry_px=position.entry_px,
        position_as_of_ms=position.as_of_ms,
        mark_px=state.account.mark_px(market),
        bid_px=touch.bid_px if touch else None,
        ask_px=touch.ask_px if touch else None,
        venue_ms=touch.venue_ms if touch else None,
        data_age_ms=now_ms - touch.seen_ms if touch else None,
        open_orders=len(ours),
        fenced=state.fence.closed(market),
        fence_reason=state.fence.reason(market),
        paused=row.paused,
        draining=row.draining_ms is not None,
        drift=state.drifts.text(market, now_ms),
        stale=stale[1] if (stale := state.feeds.gaps.get(market)) else None,
        isolated_raw=position.isolated_raw,
        bids_sz=sum((o.remaining_sz for o in ours if o.side is Side.BID), Decimal(0)),
        asks_sz=sum((o.remaining_sz for o in ours if o.side is Side.ASK), Decimal(0)),
    )


def _lease(state: State, market: str) -> LeaseView:
    held = state.leases.holders.get(market)
    if held is None:
        row = state.leases.rows.get(market)
        return LeaseView(
            owner="caretaker" if market in state.cares else "none",
            generation=row.generation if row else 0,
        )
    if held.session is None:
        return LeaseView(
            owner="none", generation=held.generation, deadline_ms=held.deadline_ms, awaited=True
        )
    return LeaseView(
        owner="agent",
        generation=held.generation,
        pid=held.pid,
        deadline_ms=held.deadline_ms,
        event_ns=held.event_ns,
        revision=held.revision,
    )
