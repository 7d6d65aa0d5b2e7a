"""What time alone brings about: leases run out, answers are given up, clearings go on."""

from typing import Final

from agents.exchange.downstream import LimitsFrame
from agents.market.types import Side
from fleet.gateway.core import (
    agents,
    answers,
    capping,
    care,
    cloids,
    feed_watch,
    protect,
    questions,
    requests,
    sweeps,
)
from fleet.gateway.core.budgets import tick as budget_tick
from fleet.gateway.core.clearing import Target
from fleet.gateway.core.effects import Alert, Cut, Effect
from fleet.gateway.core.market_frames import market_seen
from fleet.gateway.core.orders import Order
from fleet.gateway.core.orders import State as OrderState
from fleet.gateway.core.state import FLEET, State, gw

RECORD_EVERY_MS: Final = 1_000
ORPHANS_EVERY_MS: Final = 1_000
UNKNOWN_ASK_MS: Final = 1_000
GAP_CANCEL_MS: Final = 2_000
TRIM_SHARE: Final = 1.02
CARE_EVERY_MS: Final = 200
LINK_ALERT_MS: Final = 5_000


class Timers:
    """Called every 50 to 100 ms."""

    def __init__(self) -> None:
        self._orphans_ms = 0
        self._care_ms = 0

    def tick(self, state: State, now_ms: int) -> list[Effect]:
        effects: list[Effect] = []
        for market in state.leases.expired(now_ms):
            effects += agents.end_lease(state, market, "expired", now_ms)
        for session in list(state.sessions.values()):
            if session.market is None and now_ms - session.opened_ms > agents.ACQUIRE_MS:
                effects.append(Cut(session=session.id))
        effects += _overdue(state, now_ms)
        if state.link.ever:
            state.orders.expire(state.clock.venue_ms(now_ms), now_ms)
        state.orders.sweep_closing(now_ms)
        effects += _unknowns(state, now_ms)
        for key in list(state.clearings):
            effects += sweeps.step(state, key, now_ms)
            sweeps.finished(state, key)
        effects += _market_records(state, now_ms)
        effects += _flat_proof(state, now_ms)
        if now_ms - self._care_ms >= CARE_EVERY_MS:
            self._care_ms = now_ms
            effects += care.tick(state, now_ms)
            effects += protect.tick(state, now_ms)
            effects += _link_alert(state, now_ms)
            effects += feed_watch.tick(state, now_ms)
            effects += questions.tick(state, now_ms)
        if now_ms - self._orphans_ms >= ORPHANS_EVERY_MS:
            self._orphans_ms = now_ms
            state.refusals_logged.clear()
            effects += orphans(state, now_ms)
            effects += unwatched(state, now_ms)
            effects += _gaps(state, now_ms)
            effects += _drifts(state, now_ms)
            effects += budget_tick(state, now_ms)
            for market in state.markets:
                effects += _trim(state, market, now_ms)
            effects += _caps(state, now_ms)
        return effects


def _flat_proof(state: State, now_ms: int) -> list[Effect]:
    """Ask for positions once nothing is under way any more and nothing seems to be held."""
    proof = state.flat_proof
    fleet = state.clearings.get(FLEET)
    if proof is None or proof.proven or fleet is None or not fleet.done:
        return []
    quiet = not state.orders.unresolved and not any(True for _ in state.orders.resting())
    held = any(state.account.position(market).sz for market in state.markets)
    dexes = proof.step(now_ms, quiet=quiet and not held)
    return [requests.positions(state, dex, now_ms) for dex in dexes]


def _link_alert(state: State, now_ms: int) -> list[Effect]:
    """A loss of the venue that lasts is told, and its end."""
    link = state.link
    lost = link.state == "gap" and link.ever and now_ms - link.since_ms > LINK_ALERT_MS
    if lost == link.alerted or (not lost and link.state == "gap"):
        return []
    link.alerted = lost
    if lost:
        text = "no connection to the venue: nothing is quoted, what rests is cancelled by HTTP"
        return [Alert("critical", "link", text)]
    return [Alert("info", "link", "the venue is back")]


def _drifts(state: State, now_ms: int) -> list[Effect]:
    """Ask for fills that seem to be missing; tell what stays apart, and that it no longer is."""
    effects: list[Effect] = []
    since_ms = state.drifts.ask_since_ms(now_ms) if state.link.state == "up" else None
    if since_ms is not None:
        effects.append(requests.fills(state, since_ms, now_ms))
    for market, apart in state.drifts.news(now_ms):
        if apart is None:
            effects.append(Alert("info", "drift", f"{market}: positions agree again", market))
        else:
            effects.append(Alert("critical", "drift", f"{market}: {apart}", market))
    return effects


def unwatched(state: State, now_ms: int) -> list[Effect]:
    """With the link down nobody watches what fills: what rests is cancelled, by HTTP."""
    down_ms = now_ms - state.link.since_ms
    if state.link.state == "up" or not state.link.ever or down_ms < GAP_CANCEL_MS:
        return []
    quotes = [o for o in state.orders.resting() if o.generation != cloids.STOP]
    return _cancel(state, quotes, now_ms)


def _gaps(state: State, now_ms: int) -> list[Effect]:
    """Whatever comes to rest in a market while its data can't be trusted."""
    effects: list[Effect] = []
    if state.link.state == "up":
        for market in state.feeds.gaps:
            effects += feed_watch.cancel(state, market, now_ms)
    return effects


def _trim(state: State, market: str, now_ms: int) -> list[Effect]:
    """The mark has moved what is open beyond the limit: the adding side loses orders (I1)."""
    mark_usd = state.mark_usd(market)
    if mark_usd is None or market in state.clearings or FLEET in state.clearings:
        return []
    limit_sz = agents.limit_usd(state, market) / mark_usd
    exposure = state.exposure(market)
    gone: list[Order] = []
    for side in Side:
        over_sz = float(exposure.side_sz(side)) - limit_sz
        if over_sz <= (TRIM_SHARE - 1.0) * limit_sz:
            continue
        mine = [o for o in state.orders.resting(market) if o.side is side and not o.reduce_only]
        for order in sorted(mine, key=lambda order: order.px * side.sign):  # farthest first
            if over_sz <= 0:
                break
            gone.append(order)
            over_sz -= float(order.remaining_sz)
    return _cancel(state, gone, now_ms)


def _caps(state: State, now_ms: int) -> list[Effect]:
    """Count all markets anew, take off what is beyond a cap, tell agents what room there is."""
    capping.renew(state)
    gone: list[Order] = []
    if FLEET not in state.clearings:
        for market, side in capping.beyond(state):
            if market not in state.clearings:
                mine = state.orders.resting(market)
                gone += [o for o in mine if o.side is side and not o.reduce_only]
    effects = _cancel(state, gone, now_ms)
    for market, room_usd in capping.room(state).items():
        session = state.session_of(market)
        if session is None or session.awaits_link:
            state.told_limits.pop(market, None)
            continue
        own_usd = agents.limit_usd(state, market)
        told_usd = state.told_limits.get(market, own_usd)
        step_usd = capping.TOLD_STEP_SHARE * own_usd
        if room_usd != told_usd and (room_usd == own_usd or abs(room_usd - told_usd) > step_usd):
            state.told_limits[market] = room_usd
            effects.append(gw(session, LimitsFrame(position_max_usd=room_usd), slot="limits"))
    return effects


def _cancel(state: State, orders: list[Order], now_ms: int) -> list[Effect]:
    targets = [Target(market=o.market, cloid=o.cloid, oid=o.oid) for o in orders]
    return list(requests.sweep(state, targets, None, now_ms))


def _overdue(state: State, now_ms: int) -> list[Effect]:
    effects: list[Effect] = []
    for request, pending in list(state.pending.items()):
        if now_ms < pending.deadline_ms:
            continue
        if pending.late:
            del state.pending[request]
        else:
            effects += answers.unanswered(state, request, now_ms)
    return effects


def _market_records(state: State, now_ms: int) -> list[Effect]:
    effects: list[Effect] = []
    for market, row in state.markets.items():
        touch = state.account.touches.get(market)
        if touch is None or now_ms - row.recorded_ms < RECORD_EVERY_MS:
            continue
        if touch.seen_ms <= row.recorded_ms:
            continue
        row.recorded_ms = now_ms
        seen = market_seen(state, market)
        if seen is not None:
            effects.append(seen)
    return effects


def orphans(state: State, now_ms: int) -> list[Effect]:
    """Orders of ours without an owner are cleared, whatever left them behind."""
    effects: list[Effect] = []
    if not state.link.ever:
        return effects
    if state.fence.latch is not None:
        clearing = state.clearings.get(FLEET)
        if clearing is None or (clearing.done and sweeps.targets(state, FLEET)):
            sweeps.start_fleet(state, now_ms, foreign=False)
        return effects
    ownerless = {
        coin
        for rows in state.account.rows.values()
        for coin, row in rows.values()
        if (origin := state.ours(row.cloid)) and state.ownerless(coin, origin.generation)
    }
    ownerless |= {
        placement.market
        for placement in state.orders.unresolved.values()
        if state.ownerless(placement.market, placement.generation)
    }
    for market in sorted(ownerless - state.clearings.keys()):
        effects += sweeps.start(state, market, now_ms)
    return effects


def _unknowns(state: State, now_ms: int) -> list[Effect]:
    """Ask what became of orders that may rest or not, now that nothing new can happen to them."""
    effects: list[Effect] = []
    if state.link.state != "up":
        return effects
    for order in state.orders.by_cloid.values():
        settled = order.nonce not in state.orders.unresolved
        due = now_ms - order.touched_ms >= UNKNOWN_ASK_MS
        if order.state is OrderState.UNKNOWN and settled and due:
            order.touched_ms = now_ms
            effects.append(requests.order_status(state, order.cloid, now_ms))
    return effects
