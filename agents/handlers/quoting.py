"""The decision: from what is believed, held and allowed to the requests that bring it about."""

from collections.abc import Sequence
from typing import Final

import msgspec

from agents.commands import Cancel, NewOrder, Place
from agents.estimators.panel import Estimates
from agents.handlers.room import Room, Rooms, rooms
from agents.handlers.thrift import FOREVER_NS, blocked, paced, thrifty
from agents.handlers.verdicts import refresh, renewed
from agents.market.types import Cloid, Quote, Side
from agents.market.units import BPS, NS_PER_MS, bps_to_px, s_to_ns
from agents.orders.lifecycle import State
from agents.orders.reconcile import SidePlan, Tolerance, fitting, reconcile_side
from agents.orders.tracked import TrackedOrder
from agents.portfolio import CrossSkew, cross_skew
from agents.risk.verdict import Allowance, Mode
from agents.state import EngineState, Pricing
from agents.strategy.conditions import Conditions, conditions_of
from agents.strategy.presence import kept_max_bps, slack_bps
from agents.strategy.quoter import Quoting, quote

REPRICE_NS: Final = s_to_ns(1.0)
SKIP_SHARE: Final = 0.25
LEAST_WEIGHT: Final = 1e-9
BID, ASK = Side.BID, Side.ASK
OPEN, REDUCE = State.OPEN, Allowance.REDUCE


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
    state.believed = state.leeway = None
    if not state.link_up:
        state.pricing = None
        return
    state.believed = estimates = state.panel.estimates(now_ns)
    if estimates is None and state.verdict.mode < Mode.BLIND and state.settling(now_ns):
        state.pricing = None
        return
    if estimates is None or state.verdict.mode >= Mode.BLIND:
        state.pricing = None
        _cancel(state, _resting(state), now_ns)
        return
    room = rooms(state, estimates, now_ns)
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
        skip_drift_bps=share
        * quoting.half_spread.total_bps
        / max(state.settings.strategy.retreat_weight, LEAST_WEIGHT),
        quoting=quoting,
        bid=room.bid.wanted,
        ask=room.ask.wanted,
        cross=cross,
        crossed=crossed is not None,
    )
    tolerance = _tolerance(state, estimates, quoting)
    bids = _plan(state, BID, quoting.bids, room, tolerance, now_ns)
    asks = _plan(state, ASK, quoting.asks, room, tolerance, now_ns)
    state.revisit = bids.deferred or asks.deferred
    if bids.leeway is not None and asks.leeway is not None:
        state.leeway = bids.leeway.both(asks.leeway)
        return
    _send(state, ((BID, bids), (ASK, asks)), room, estimates.fair_px, now_ns)


def _tolerance(state: EngineState, estimates: Estimates, quoting: Quoting) -> Tolerance:
    """How far live orders may be off, at what a request costs now."""
    strategy, half = state.settings.strategy, quoting.half_spread
    tolerance = Tolerance(
        share=strategy.requote_tolerance_share,
        step_bps=half.total_bps,
        tick_px=float(state.instrument.tick_px(estimates.mid_px)),
        age_min_ns=s_to_ns(strategy.order_age_min_s),
        mid_px=estimates.mid_px,
        first_max_bps=kept_max_bps(
            half.believed_bps,
            slack_bps(sigma_bps=estimates.sigma_bps, latency_s=strategy.latency_s),
            wanted_bps=half.total_bps,
        ),
    )
    return thrifty(
        tolerance, state.budget, estimates=estimates, quoting=quoting,
        strategy=strategy, instrument=state.instrument,
        in_one_step=state.replaces,
    )  # fmt: skip


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
    if abs(estimates.fair_px - pricing.fair_px) > pricing.skip_px and not (
        state.leeway is not None and state.leeway.holds(estimates.fair_px, estimates.mid_px)
    ):
        return True
    believed = state.believed
    if (
        believed is not None
        and abs(estimates.drift_bps - believed.drift_bps) > pricing.skip_drift_bps
    ):
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
    pricing, estimates = state.pricing, state.believed
    assert pricing is not None
    assert estimates is not None

    def stays(order: TrackedOrder, px: float, off_bps: float) -> bool:
        kappa_per_bps = estimates.kappa_per_bps
        moves = state.queues.worth_moving(
            order, px=px, off_bps=off_bps, kappa_per_bps=kappa_per_bps
        )
        return not (moves and state.churn.moves(side, now_ns))

    if paced(state, side, both.of(side), now_ns):
        tolerance = msgspec.structs.replace(tolerance, age_min_ns=FOREVER_NS)
    return reconcile_side(
        side=side,
        wanted=wanted,
        live=state.tracker.side(side),
        fair_px=pricing.fair_px,
        tolerance=tolerance,
        reduce_only=both.of(side).allowance is REDUCE,
        now_ns=now_ns,
        stays=stays,
    )


def _resting(state: EngineState) -> list[Cloid]:
    return [o.cloid for o in state.tracker.live.values() if o.state is OPEN]


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


def _send(
    state: EngineState,
    plans: Sequence[tuple[Side, SidePlan]],
    both: Rooms,
    fair_px: float,
    now_ns: int,
) -> None:
    """Replace what can be replaced in one step, at one request where two would do the same; the
    venue takes such a step no later than a cancel. Cancel and place the rest.
    """
    swaps: list[NewOrder] = []
    orders: list[NewOrder] = []
    swapping = state.replaces and not state.throttle.cancel_blocked(now_ns)
    for side, plan in plans:
        room = both.of(side)
        for wanted in _fitting(state, side, plan.place, room, [*swaps, *orders], now_ns):
            old = plan.place_of(wanted) if swapping else None
            new = NewOrder(
                cloid=state.cloids.next(),
                side=side,
                px=wanted.px,
                sz=wanted.sz,
                reduce_only=room.allowance is REDUCE,
                replaces=old,
            )
            (orders if old is None else swaps).append(new)
    swapped = {order.replaces for order in swaps}
    gone = [order.cloid for _, plan in plans for order in plan.cancel]
    _cancel(state, [cloid for cloid in gone if cloid not in swapped], now_ns)
    _place(state, swaps, fair_px, now_ns)
    _place(state, orders, fair_px, now_ns)


def _fitting(
    state: EngineState,
    side: Side,
    quotes: Sequence[Quote],
    room: Room,
    others: Sequence[NewOrder],
    now_ns: int,
) -> Sequence[Quote]:
    """What of a side may be sent now; the rest is looked at again."""
    if not quotes:
        return ()
    if room.place_sz <= 0 or blocked(state, side, room, now_ns):
        state.revisit = True
        return ()
    opposite = [order.px for order in state.tracker.live.values() if order.side is not side]
    opposite += [order.px for order in others if order.side is not side]
    nearest_px = None
    if opposite:
        nearest_px = min(opposite) if side is Side.BID else max(opposite)
    chosen = fitting(quotes, room_sz=room.place_sz, own_opposite_px=nearest_px)
    state.revisit = state.revisit or len(chosen) < len(quotes)
    return chosen


def _place(state: EngineState, orders: Sequence[NewOrder], fair_px: float, now_ns: int) -> None:
    if not orders:
        return
    value_usd = 0.0
    for order in orders:
        state.throttle.placed(order.side, now_ns)
        state.queues.join(order.cloid, order.side, float(order.px))
        edge_bps = abs(float(order.px) / fair_px - 1.0) * BPS - state.instrument.maker_fee_bps
        value_usd += max(edge_bps, 0.0) / BPS * float(order.px * order.sz)
    request_id = state.next_request_id()
    state.tracker.register(request_id, orders, now_ns)
    state.watch.asked(request_id, now_ns)
    state.requests += len(orders)
    state.out.append(Place(request_id=request_id, orders=tuple(orders), value_usd=value_usd))
