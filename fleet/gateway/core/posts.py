"""What agents post and subscribe to: the door, and the questions they may ask."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from agents.exchange.downstream import AgentFrame, Refusal
from agents.exchange.wire import (
    Action,
    BatchModifyAction,
    CancelAction,
    CancelByCloidAction,
    OrderAction,
    OrderWire,
    placed,
)
from agents.market.instrument import Instrument
from agents.market.types import Side
from fleet.gateway.core import agents, capping, questions, requests, routing
from fleet.gateway.core.budgets import refuses as short_of
from fleet.gateway.core.cloids import SequenceSet, lease_prefix
from fleet.gateway.core.cloids import parse as parse_cloid
from fleet.gateway.core.door import Checked, Door, check
from fleet.gateway.core.effects import Cut, Effect, Record, Tell, Watch
from fleet.gateway.core.orders import dex_of
from fleet.gateway.core.routing import subscription_of
from fleet.gateway.core.state import MarketRow, Session, State, gw
from fleet.gateway.core.weight import action_weight, info_weight
from fleet.gateway.records import Refused

_PONG: Final = b'{"channel":"pong"}'
_ASKABLE: Final = frozenset(
    {"frontendOpenOrders", "openOrders", "orderStatus", "clearinghouseState", "userFillsByTime",
     "userFills", "l2Book", "activeAssetData"}
)  # fmt: skip
LINK_DOWN: Final = "the venue's connection is down; nothing was sent"
NO_WEIGHT: Final = "this minute's request weight is used up, but for what cancels and proves"


_ABSENT: Final = msgspec.Raw(b"null")


class _FromAgent(msgspec.Struct, frozen=True):
    method: str
    id: int | None = None
    request: msgspec.Raw = _ABSENT
    subscription: dict[str, Any] | None = None
    data: msgspec.Raw = _ABSENT


class _Request(msgspec.Struct, frozen=True):
    type: str
    payload: msgspec.Raw


class _ActionPayload(msgspec.Struct, frozen=True):
    action: Action
    generation: int
    value_usd: float = 0.0


_frame = msgspec.json.Decoder(_FromAgent).decode
_request = msgspec.json.Decoder(_Request).decode
_action = msgspec.json.Decoder(_ActionPayload).decode
_info = msgspec.json.Decoder(dict[str, Any]).decode
_gw = msgspec.json.Decoder(AgentFrame).decode
_encode = msgspec.json.Encoder().encode


def said(state: State, session: Session, raw: bytes, now_ms: int) -> list[Effect]:  # noqa: PLR0911  (one return a refusal)
    """One frame of an agent, whatever it is."""
    try:
        frame = _frame(raw)
        if frame.method == "gw":
            return agents.told(state, session, _gw(frame.data), now_ms)
        if session.market is None:
            return [error(session, "the first frame is acquire"), Cut(session=session.id)]
        if frame.method == "post" and frame.id is not None:
            return _post(state, session, frame.id, frame.request, now_ms)
        if frame.method == "ping":
            return [Tell(session=session.id, data=_PONG)]
        if frame.method in {"subscribe", "unsubscribe"} and frame.subscription is not None:
            return _subscribe(state, session, frame.method, frame.subscription)
    except msgspec.MsgspecError as wrong:
        return [error(session, f"Error parsing JSON into valid websocket request: {wrong}")]
    return [error(session, f"Error parsing JSON into valid websocket request: {frame.method}")]


def error(session: Session, text: str) -> Effect:
    return Tell(session=session.id, data=_encode({"channel": "error", "data": text}))


# ── posts ────────────────────────────────────────────────────────────────────────────────────


def _post(  # noqa: PLR0911  (one return a refusal)
    state: State, session: Session, agent_id: int, raw: msgspec.Raw, now_ms: int
) -> list[Effect]:
    request = _request(raw)
    if request.type == "info":
        return _ask(state, session, agent_id, _info(request.payload), now_ms)
    try:
        payload = _action(request.payload)
    except msgspec.MsgspecError as wrong:
        return refuse(state, session, agent_id, "malformed", str(wrong))
    assert session.market is not None
    held = state.leases.holders.get(session.market)
    if (
        held is None
        or held.session != session.id
        or not held.generation == payload.generation == session.generation
    ):
        return refuse(state, session, agent_id, "stale_generation", "the lease is another's")
    if state.link.state != "up":
        return refuse(state, session, agent_id, "link_down", LINK_DOWN)
    match payload.action:
        case OrderAction():
            return _place(state, session, agent_id, payload.action, now_ms)
        case BatchModifyAction(modifies=modifies):
            if not all(_same_market(state, session.market, m.oid) for m in modifies):
                text = "replaces orders of the lease's market only, named by cloid"
                return refuse(state, session, agent_id, "malformed", text)
            if payload.action.a or not all(_rests(m.order) for m in modifies):
                text = "what replaces only rests, and only where the old order still did"
                return refuse(state, session, agent_id, "not_post_only", text)
            return _place(state, session, agent_id, payload.action, now_ms)
        case CancelByCloidAction() | CancelAction():
            return _cancel(state, session, agent_id, payload.action, now_ms)
        case _:
            return refuse(state, session, agent_id, "malformed", "agents place and cancel only")


def refuse(state: State, session: Session, agent_id: int, reason: str, text: str) -> list[Effect]:
    """Nothing was sent: typed, counted, and logged once a second for each market and reason."""
    state.refuse(reason)
    market = session.market or ""
    told = gw(session, Refusal(id=agent_id, reason=reason, text=text))
    if (market, reason) in state.refusals_logged:
        return [told]
    state.refusals_logged.add((market, reason))
    return [told, Record(body=Refused(market, session.generation, reason))]


def _place(
    state: State,
    session: Session,
    agent_id: int,
    action: OrderAction | BatchModifyAction,
    now_ms: int,
) -> list[Effect]:
    """New orders, or new ones in the place of old ones: both pass the same door."""
    market = session.market
    assert market is not None
    instrument, row = state.instrument(market), state.markets.get(market)
    if instrument is None or row is None:
        return refuse(state, session, agent_id, "fenced", f"{market} is not configured")
    door = door_of(state, market, session.generation, instrument, row, now_ms)
    try:
        new = action if isinstance(action, OrderAction) else OrderAction(placed(action), "na")
        checked = check(new, door)
    except ValueError as wrong:
        return refuse(state, session, agent_id, "malformed", str(wrong))
    if not isinstance(checked, tuple):
        return refuse(state, session, agent_id, checked.reason, checked.text)
    weight, adding = action_weight(len(checked)), _adds(state, market, checked)
    if not state.weights.leaves_reserve(weight, now_ms, adding=adding):
        return refuse(state, session, agent_id, "budget", NO_WEIGHT)
    short = short_of(state, len(checked), now_ms, adding=adding)
    if short is not None:
        return refuse(state, session, agent_id, *short)
    sequences = state.sequences[market]
    for order in checked:
        sequences.use(int(order.cloid[22:], 16))
    sent = requests.place(state, session, agent_id, action, checked, now_ms)
    capping.count(state, market)
    return [sent]


def _adds(state: State, market: str, orders: Sequence[Checked]) -> bool:
    """Whether any of them may add risk, however much fills."""
    exposure = state.exposure(market)
    for side in Side:
        sizes = [order.sz for order in orders if order.side is side and not order.reduce_only]
        if sizes and not exposure.reduces(side, sum(sizes, Decimal(0))):
            return True
    return False


def door_of(
    state: State,
    market: str,
    generation: int,
    instrument: Instrument,
    row: MarketRow,
    now_ms: int,
) -> Door:
    """The door of one market as it stands now."""
    directive = agents.directive_frame(state, market)
    sequences = state.sequences.setdefault(market, SequenceSet())
    risk, pace = row.settings.risk, state.pace(market)
    limit_usd = agents.limit_usd(state, market)
    mark_px, oracle_px = state.account.marks.get(market), state.account.oracles.get(market)
    shut = state.fence.refuses(market, "placement")
    shut = shut or "; ".join(state.unwritable.values()) or None
    return Door(
        instrument=instrument,
        cloid_prefix=lease_prefix(state.digits, state.leases.number(market), generation),
        shut=shut if shut or not row.flatten else "the caretaker closes the position",
        latched=state.fence.latch is not None or bool(row.flatten),
        paused=row.paused,
        draining=row.draining_ms is not None,
        mode=directive.mode if directive else None,
        directive_age_ms=now_ms - directive.as_of_ms if directive else 0,
        exposure=state.exposure(market),
        mark_usd=state.mark_usd(market),
        position_max_usd=limit_usd,
        is_duplicate=lambda cloid: sequences.used(int(cloid[22:], 16)),
        collar_bps=risk.collar_bps,
        order_value_max_usd=risk.order_value_max_usd,
        references=tuple(
            (name, px) for name, px in (("mark", mark_px), ("oracle", oracle_px)) if px
        ),
        caution="; ".join(state.cautions.values()) or None,
        stale=stale[1] if (stale := state.feeds.gaps.get(market)) else None,
        runs_away=pace.runs_away(limit_usd, now_ms),
        sends=lambda orders: pace.sends(orders, now_ms),
        capped=capping.judge(state, market),
    )


def _cancel(
    state: State,
    session: Session,
    agent_id: int,
    action: CancelByCloidAction | CancelAction,
    now_ms: int,
) -> list[Effect]:
    assert session.market is not None
    instrument = state.instrument(session.market)
    if isinstance(action, CancelByCloidAction):
        assets = {wire.asset for wire in action.cancels}
        keys = tuple(wire.cloid for wire in action.cancels)
        mine = all(_same_market(state, session.market, key) for key in keys)
    else:
        assets = {wire.a for wire in action.cancels}
        listed = {int(row.oid): row for row in state.account.open_orders(session.market)}
        found = [listed.get(wire.o) for wire in action.cancels]
        mine = all(row is not None and state.ours(row.cloid) is not None for row in found)
        keys = tuple((row.cloid or "") for row in found if row is not None)
    if instrument is None or assets != {instrument.asset_id} or not mine:
        return refuse(state, session, agent_id, "malformed", "cancels of the lease's market only")
    return [requests.agent_cancel(state, session, agent_id, action, keys, now_ms)]


def _rests(order: OrderWire) -> bool:
    return order.t.limit is not None and order.t.limit.tif == "Alo"


def _same_market(state: State, market: str, cloid: str | int) -> bool:
    origin = parse_cloid(cloid) if isinstance(cloid, str) else None
    return (
        origin is not None
        and origin.instance == state.digits
        and origin.market_number == state.leases.number(market)
    )


def _ask(
    state: State, session: Session, agent_id: int, payload: dict[str, Any], now_ms: int
) -> list[Effect]:
    """A question to /info: the account's own address is filled in, rows are cut to the market."""
    assert session.market is not None
    if payload.get("type") not in _ASKABLE:
        return [info_error(session, agent_id, "422 Unprocessable Entity")]
    if state.link.state != "up":
        return refuse(state, session, agent_id, "link_down", LINK_DOWN)
    if questions.ask(state, session, agent_id, payload, now_ms):
        return []
    if not state.weights.leaves_reserve(info_weight(str(payload["type"])), now_ms):
        return [info_error(session, agent_id, "429 Too Many Requests")]
    whole: dict[str, object] = {**payload, "user": state.identity.address}
    if payload["type"] in {"frontendOpenOrders", "openOrders", "clearinghouseState"}:
        whole["dex"] = dex_of(session.market)
    if payload["type"] in {"l2Book", "activeAssetData"}:
        whole["coin"] = session.market
    return [
        requests.ask(
            state, whole, "info", now_ms, session=session, agent_id=agent_id,
            market=session.market, dex=str(whole.get("dex", "")),
        )
    ]  # fmt: skip


def info_error(session: Session, agent_id: int, text: str) -> Effect:
    response = {"type": "error", "payload": text}
    frame = {"channel": "post", "data": {"id": agent_id, "response": response}}
    return Tell(session=session.id, data=_encode(frame))


# ── subscriptions ────────────────────────────────────────────────────────────────────────────


def _subscribe(
    state: State, session: Session, method: str, subscription: dict[str, Any]
) -> list[Effect]:
    assert session.market is not None
    key = state.routing.key_of(subscription, session.market)
    if isinstance(key, routing.Refused):
        return [error(session, key.text)]
    asked = _encode(subscription).decode()
    has = state.routing.has(session.id, key)
    if method == "unsubscribe":
        if not has:
            return [error(session, f"Already unsubscribed: {asked}")]
        unwanted = [key] if state.routing.remove(session.id, key) else []
        gone = Tell(session=session.id, data=routing.ack(method, subscription))
        return [gone, *agents.unwatch(unwanted)]
    if has:
        return [error(session, f"Already subscribed: {asked}")]
    upstream, held = state.routing.add(session.id, key)
    effects: list[Effect] = [Tell(session=session.id, data=routing.ack(method, subscription))]
    if upstream:
        effects.append(Watch(subscription=subscription_of(key)))
    if held is not None:
        effects.append(Tell(session=session.id, data=held))
    if key[0] == "userFills":
        effects.append(_fills_since_lease(state, session))
    return effects


def _fills_since_lease(state: State, session: Session) -> Effect:
    """Fills that came between the lease's position and this subscription."""
    assert session.market is not None
    rows = [
        msgspec.Raw(raw)
        for time_ms, raw in state.raw_fills.get(session.market, [])
        if time_ms > session.fills_since_ms
    ]
    data = {"isSnapshot": True, "user": state.identity.address, "fills": rows}
    return Tell(session=session.id, data=_encode({"channel": "userFills", "data": data}))
