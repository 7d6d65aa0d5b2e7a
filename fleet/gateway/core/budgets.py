"""What the fleet may send: allowance, price, purchases and the dead-man switch, joined."""

from typing import Final

import msgspec

from agents.exchange.downstream import BudgetFrame
from agents.exchange.errors import ActionExpired, AllowanceExhausted, from_text
from agents.exchange.wire import ReserveRequestWeightAction
from agents.market.units import MS_PER_S
from agents.telemetry.timings import OF_PROCESS
from fleet.gateway.core import requests
from fleet.gateway.core.allowance import HOUR_MS, SPENT, reserve
from fleet.gateway.core.cloids import STOP
from fleet.gateway.core.effects import Alert, Effect, KeepPurse
from fleet.gateway.core.request_price import WEIGHT_SHARE, Seen, Terms, scarcer
from fleet.gateway.core.state import FLEET, Pending, State, gw
from fleet.gateway.core.strain import POST_ONLY
from fleet.gateway.core.weight import MINUTE_MS, WEIGHT_MAX

SPENT_WINDOW_MS: Final = 60 * MS_PER_S
WEIGHT_PER_H: Final = WEIGHT_MAX * HOUR_MS / MINUTE_MS
TELL_EVERY_MS: Final = 5 * MS_PER_S
TELL_FROM: Final = 1.25
TELL_LEVELS: Final = 0.1


class _Status(msgspec.Struct, frozen=True):
    status: str
    response: msgspec.Raw


_status = msgspec.json.Decoder(_Status).decode


def tick(state: State, now_ms: int) -> list[Effect]:
    """Once a second: the switch pushed on, the price of a request told, requests bought."""
    effects = _switch(state, now_ms)
    seen = _seen(state, now_ms)
    if seen is None:
        return effects
    bought = state.governor.step(seen, now_ms)
    weight_per_h = state.weights.used_share(now_ms) * WEIGHT_PER_H
    held = state.weight_governor.hold(
        weight_per_h, WEIGHT_SHARE * WEIGHT_PER_H, seen.markets, now_ms
    )
    state.terms = scarcer(bought, held)
    effects += _tell(state, now_ms)
    return effects + _buy(state, seen, bought.request_usd, now_ms)


def allow(state: State, usd_per_day: float) -> list[Effect]:
    """What may be spent on requests a day, as the manifest has it."""
    state.purse.allow(usd_per_day)
    return [KeepPurse()]


def refuses(state: State, orders: int, now_ms: int, *, adding: bool) -> tuple[str, str] | None:
    """(reason, text) if so many placements may not leave now."""
    held_back = state.strain.holds_back(now_ms) if adding else None
    if held_back is not None:
        return "throttle", held_back
    if not state.allowance.admits(orders, len(state.orders.by_cloid), now_ms, adding=adding):
        return "budget", SPENT
    return None


def _seen(state: State, now_ms: int) -> Seen | None:
    left = state.allowance.left
    if left is None:
        return None
    spent_per_h, _ = state.allowance.per_h(SPENT_WINDOW_MS, now_ms)
    _, earned_per_h = state.allowance.per_h(HOUR_MS, now_ms)
    return Seen(
        free=left - reserve(len(state.orders.by_cloid)),
        spent_per_h=spent_per_h,
        earned_per_h=earned_per_h,
        bought_per_h=state.purse.bought_per_h(now_ms),
        markets=len(state.leases.holders),
    )


def _tell(state: State, now_ms: int) -> list[Effect]:
    """To each agent, once it differs enough from what that one knows."""
    terms, effects = state.terms, list[Effect]()
    told = BudgetFrame(
        request_usd=terms.request_usd, pace_s=terms.pace_s, levels_share=terms.levels_share
    )
    for session in state.sessions.values():
        known = session.market is not None and not session.awaits_link
        late = now_ms - session.terms_ms >= TELL_EVERY_MS
        if known and late and _differ(terms, session.terms):
            session.terms, session.terms_ms = terms, now_ms
            effects.append(gw(session, told, slot="budget"))
    return effects


def _differ(new: Terms, old: Terms) -> bool:
    if abs(new.levels_share - old.levels_share) >= TELL_LEVELS:
        return True
    pairs = ((new.request_usd, old.request_usd), (new.pace_s, old.pace_s))
    return any(max(a, b) > TELL_FROM * min(a, b) for a, b in pairs)


# ── purchases ────────────────────────────────────────────────────────────────────────────────


def _buy(state: State, seen: Seen, price_usd: float, now_ms: int) -> list[Effect]:
    """More requests, on the disk before they are paid for; never behind the latch (I2)."""
    reserved = state.purse.take()
    if state.fence.latch is not None or state.unwritable or state.link.state != "up":
        if reserved:
            state.purse.answered(now_ms, bought=False)
        return []
    if reserved:
        spent_usd = state.purse.spent_usd(now_ms)
        text = f"{reserved} requests are bought, {spent_usd:.2f} USD so far today"
        action = ReserveRequestWeightAction(reserved)
        return [
            requests.own_action(state, action, "buy", now_ms),
            Alert("info", "requests", text),
        ]
    weight = state.purse.wants(
        free=seen.free,
        price_usd=price_usd,
        now_ms=now_ms,
    )
    if weight <= 0:
        return []
    state.purse.buying(weight, now_ms)
    return [KeepPurse()]  # it leaves with the next tick, if the disk took it


# ── the dead-man switch ──────────────────────────────────────────────────────────────────────


def _switch(state: State, now_ms: int) -> list[Effect]:
    if state.link.state != "up":
        return []
    action = state.deadman.step(
        why_not=_why_off(state),
        volume_usd=state.allowance.volume_usd,
        venue_ms=state.clock.venue_ms(now_ms),
        now_ms=now_ms,
    )
    return [requests.own_action(state, action, "switch", now_ms)] if action is not None else []


def _why_off(state: State) -> str:
    """Why it should not be armed; empty: it should."""
    fleet = state.clearings.get(FLEET)
    if state.fence.latch is not None and (fleet is None or fleet.done):
        return "halted, and nothing of ours rests"
    quotes = any(order.generation != STOP for order in state.orders.by_cloid.values())
    if not state.leases.holders and not quotes:  # a stop stays while nobody quotes
        return "nothing is quoted"
    foreign = state.foreign_orders()
    if foreign:
        return f"{foreign} foreign orders rest, and it would cancel them too"
    return ""


# ── answers ──────────────────────────────────────────────────────────────────────────────────


def answered(state: State, pending: Pending, payload: msgspec.Raw, now_ms: int) -> list[Effect]:
    """What an answer to an action tells of the venue's mood, and of our own two purposes."""
    took_ms = now_ms - pending.sent_ms
    state.strain.answered(took_ms)
    OF_PROCESS.note("ack", took_ms / MS_PER_S)
    text = _refusal(payload) if b'"err' in bytes(payload) else None
    if text is not None:
        error = from_text(text)
        if isinstance(error, AllowanceExhausted):
            state.allowance.refused()
        elif isinstance(error, ActionExpired):
            state.strain.expired()
    if POST_ONLY.encode() in bytes(payload):
        state.strain.post_only(now_ms)
    return settled(state, pending, text, now_ms)


def settled(state: State, pending: Pending, refusal: str | None, now_ms: int) -> list[Effect]:
    """An answer to the switch or to a purchase; ``refusal`` None: the venue took it."""
    if pending.purpose == "switch" and not pending.late:  # else it was sent again since
        if refusal is None:
            state.deadman.accepted()
        else:
            state.deadman.refused(refusal, now_ms)
    if pending.purpose != "buy":
        return []
    state.purse.answered(now_ms, bought=refusal is None)
    if refusal is None:
        return []
    return [KeepPurse(), Alert("warning", "requests", f"no requests were bought: {refusal}")]


def unanswered(state: State, pending: Pending, now_ms: int) -> None:
    """Sent, and nobody knows."""
    if pending.nonce:
        state.strain.silent(now_ms - pending.sent_ms)
    if pending.purpose == "switch":
        state.deadman.unanswered(now_ms)
    if pending.purpose == "buy":
        state.purse.unanswered()


def _refusal(payload: msgspec.Raw) -> str | None:
    """The text of an action that was turned away as a whole."""
    try:
        answer = _status(payload)
        if answer.status == "ok":
            return None
        return msgspec.json.decode(answer.response, type=str)
    except msgspec.MsgspecError:
        return None
