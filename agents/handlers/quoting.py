"""The decision: from what is believed, held and allowed to the requests that bring it about."""

from collections.abc import Sequence
from typing import Final

import msgspec

from agents.commands import Cancel, NewOrder, Place
from agents.estimators.panel import Estimates
from agents.handlers.room import Rooms, rooms
from agents.handlers.thrift import FOREVER_NS, blocked, paced, thrifty
from agents.handlers.verdicts import refresh, renewed
from agents.market.types import Cloid, Quote, Side
from agents.market.units import BPS, NS_PER_MS, bps_to_px, s_to_ns
from agents.orders.lifecycle import State
from agents.orders.reconcile import SidePlan, Tolerance, fitting, reconcile_side
from agents.portfolio import CrossSkew, cross_skew
from agents.risk.verdict import Allowance, Mode
from agents.state import EngineState, Pricing
from agents.strategy.conditions import Conditions, conditions_of
from agents.strategy.presence import kept_max_bps
from agents.strategy.quoter import quote

REPRICE_NS: Final = s_to_ns(1.0)
SKIP_SHARE: Final = 0.25


def consider(state: EngineState, now_ns: int) -> None:
    """After market data: decide if something waits for it, or fair moved enough to matter."""
    estimates = state.panel.estimates(now_ns)
    if estimates is None and state.verdict.mode < Mode.BLIND:
        refresh(state, now_ns)
        decide(state, now_ns)
    elif state.dirty or (estimates is not None and _moved(state, estimates)):
        decide(state, now_ns)


def on_time(state: EngineState, now_ns: int) -> None:
    """After a tick: decide if something waits, or the last pricing is a second old."""
    pricing = state.pricing
    if (
        state.dirty
        or state.revisit
        or pricing is None
        or now_ns - pricing.at_ns >= REPRICE_NS
        or state.verdict.mode >= Mode.BLIND
    ):
        decide(state, now_ns)


def decide(state: EngineState, now_ns: int) -> None:
    """Bring the venue's orders nearer to what is wanted. Sends nothing while the link is down."""
    renewed(state, now_ns)
    state.dirty = state.revisit = False
    state.believed = None
    if not state.link_up:
        state.pricing = None
        return
    state.believed = estimates = state.panel.estimates(now_ns)
    if estimates is None and state.verdict.mode < Mode.BLIND and state.settling(now_ns):
        state.pricing = None
        return
    if estimates is None or state.verdict.mode >= Mode.BLIND:
        state.pricing = None
        _cancel(
            state, [o.cloid for o in state.tracker.live.values() if o.state is State.OPEN], now_ns
        )
        return
    room = rooms(state, estimates)
    cross = cross_of(state, estimates, room, now_ns)
    crossed = cross if state.gamma_row is not None and state.gamma_row.in_force else None
    quoting = quote(
        estimates,
        settings=state.settings.strategy,
        instrument=state.instrument,
        position_sz=state.position.sz,
        clip_sz=room.clip_sz,
        bid_room=room.bid.wanted,
        ask_room=room.ask.wanted,
        present=state.verdict.widen_bps <= 0 and abs(state.position.sz) <= room.present_sz,
        limit_sz=room.limit_sz,
        conditions=_conditions(state, estimates, now_ns),
        table=state.skew,
        cross=crossed,
    )
    state.cross_caps += quoting.cross_capped
    share = state.settings.strategy.requote_tolerance_share
    state.pricing = Pricing(
        at_ns=now_ns,
        fair_px=estimates.fair_px,
        skip_px=SKIP_SHARE
        * share
        * bps_to_px(quoting.half_spread.total_bps, reference_px=estimates.fair_px),
        quoting=quoting,
        bid=room.bid.wanted,
        ask=room.ask.wanted,
        cross=cross,
        crossed=crossed is not None,
    )
    tolerance = Tolerance(
        share=share,
        step_bps=quoting.half_spread.total_bps,
        tick_px=float(state.instrument.tick_px(estimates.mid_px)),
        age_min_ns=s_to_ns(state.settings.strategy.order_age_min_s),
        mid_px=estimates.mid_px,
        first_max_bps=kept_max_bps(quoting.half_spread.total_bps),
    )
    tolerance = thrifty(
        tolerance, state.budget, estimates=estimates, quoting=quoting,
        strategy=state.settings.strategy, instrument=state.instrument,
    )  # fmt: skip
    bids = _plan(state, Side.BID, quoting.bids, room, tolerance, now_ns)
    asks = _plan(state, Side.ASK, quoting.asks, room, tolerance, now_ns)
    state.revisit = bids.deferred or asks.deferred
    _cancel(state, [order.cloid for plan in (bids, asks) for order in plan.cancel], now_ns)
    _place(state, bids.place, asks.place, room, estimates, now_ns)


def _conditions(state: EngineState, estimates: Estimates, now_ns: int) -> Conditions:
    """Those of the market, and how far the monitors want what would add to stand back."""
    conditions = conditions_of(
        estimates, now_ms=now_ns // NS_PER_MS, holding_s=state.settings.strategy.holding_s
    )
    widen_bps = state.verdict.widen_bps
    if widen_bps <= 0:
        return conditions
    held_sz = state.position.sz
    return msgspec.structs.replace(
        conditions,
        widen_bid_bps=widen_bps if held_sz >= 0 else 0.0,
        widen_ask_bps=widen_bps if held_sz <= 0 else 0.0,
    )


def cross_of(
    state: EngineState, estimates: Estimates, room: Rooms, now_ns: int
) -> CrossSkew | None:
    """What the portfolio asks of this market's quotes; None: it quotes for itself alone."""
    return cross_skew(
        state.gamma_row,
        state.holdings,
        market=state.settings.market,
        clip_usd=float(room.clip_sz) * estimates.mid_px,
        now_ms=now_ns // NS_PER_MS,
    )


def _moved(state: EngineState, estimates: Estimates) -> bool:
    pricing = state.pricing
    if pricing is None:
        return state.verdict.mode < Mode.BLIND
    if abs(estimates.fair_px - pricing.fair_px) > pricing.skip_px:
        return True
    bids, asks = pricing.quoting.bids, pricing.quoting.asks
    return bool(
        (bids and float(bids[0].px) >= estimates.ask_px)
        or (asks and float(asks[0].px) <= estimates.bid_px)
    )


def _plan(
    state: EngineState,
    side: Side,
    wanted: Sequence[Quote],
    both: Rooms,
    tolerance: Tolerance,
    now_ns: int,
) -> SidePlan:
    pricing = state.pricing
    assert pricing is not None
    if paced(state, side, both.of(side), now_ns):
        tolerance = msgspec.structs.replace(tolerance, age_min_ns=FOREVER_NS)
    return reconcile_side(
        side=side,
        wanted=wanted,
        live=state.tracker.side(side),
        fair_px=pricing.fair_px,
        tolerance=tolerance,
        reduce_only=both.of(side).allowance is Allowance.REDUCE,
        now_ns=now_ns,
    )


def _cancel(state: EngineState, cloids: Sequence[Cloid], now_ns: int) -> None:
    if not cloids:
        return
    if state.throttle.cancel_blocked(now_ns):
        state.revisit = True
        return
    request_id = state.next_request_id()
    state.tracker.cancel_sent(request_id, cloids, now_ns)
    state.watch.asked(request_id, now_ns)
    state.requests += len(cloids)
    state.out.append(Cancel(request_id=request_id, cloids=tuple(cloids)))


def _place(
    state: EngineState,
    bids: Sequence[Quote],
    asks: Sequence[Quote],
    both: Rooms,
    estimates: Estimates,
    now_ns: int,
) -> None:
    tracker = state.tracker
    orders: list[NewOrder] = []
    value_usd = 0.0
    for side, quotes in ((Side.BID, bids), (Side.ASK, asks)):
        if not quotes:
            continue
        room = both.of(side)
        if room.place_sz <= 0 or blocked(state, side, room, now_ns):
            state.revisit = True
            continue
        opposite = [order.px for order in tracker.live.values() if order.side is not side]
        opposite += [order.px for order in orders if order.side is not side]
        nearest_px = None
        if opposite:
            nearest_px = min(opposite) if side is Side.BID else max(opposite)
        chosen = fitting(quotes, room_sz=room.place_sz, own_opposite_px=nearest_px)
        state.revisit = state.revisit or len(chosen) < len(quotes)
        for wanted in chosen:
            state.throttle.placed(side, now_ns)
            edge_bps = abs(float(wanted.px) / estimates.fair_px - 1.0) * BPS
            edge_bps -= state.instrument.maker_fee_bps
            value_usd += max(edge_bps, 0.0) / BPS * float(wanted.px * wanted.sz)
            orders.append(
                NewOrder(
                    cloid=state.cloids.next(),
                    side=side,
                    px=wanted.px,
                    sz=wanted.sz,
                    reduce_only=room.allowance is Allowance.REDUCE,
                )
            )
    if not orders:
        return
    request_id = state.next_request_id()
    tracker.register(request_id, orders, now_ns)
    state.watch.asked(request_id, now_ns)
    state.requests += len(orders)
    state.out.append(Place(request_id=request_id, orders=tuple(orders), value_usd=value_usd))
