"""Answers of the venue to what we asked: whose they are, and what they settle."""

from typing import Final

import msgspec

from agents.exchange.codec import decode_cancel_answer, decode_info, decode_order_answer
from agents.exchange.codec_account import to_fill, to_live
from agents.exchange.downstream import Unanswered
from agents.exchange.errors import (
    DuplicateNonce,
    ExchangeError,
    OutcomeUnknown,
    RateLimited,
    TradingHalted,
    from_post_error,
    from_text,
)
from agents.exchange.wire import (
    ClearinghouseState,
    FrontendOrder,
    OpenOrder,
    OrderStatusWire,
    WsFill,
)
from fleet.gateway.core import budgets, listing, posts, protect, questions, requests, sweeps, venue
from fleet.gateway.core.clearing import Target
from fleet.gateway.core.cloids import STOP
from fleet.gateway.core.effects import Effect, Record, Reply, Tell
from fleet.gateway.core.state import FLEET, Pending, State, gw
from fleet.gateway.core.weight import rows_weight
from fleet.gateway.records import Answered

LATE_MS: Final = 60_000


class _Status(msgspec.Struct, frozen=True):
    status: str
    response: msgspec.Raw


class _InfoAnswer(msgspec.Struct, frozen=True):
    type: str
    data: msgspec.Raw


class _Coin(msgspec.Struct, frozen=True):
    coin: str


_status = msgspec.json.Decoder(_Status).decode
_info = msgspec.json.Decoder(_InfoAnswer).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_coin = msgspec.json.Decoder(_Coin).decode
_encode = msgspec.json.Encoder().encode


# ── actions ──────────────────────────────────────────────────────────────────────────────────


def action(state: State, request: int, payload: msgspec.Raw, now_ms: int) -> list[Effect]:
    """The venue's answer to an action, as it stands in ``/exchange``'s body."""
    pending = state.pending.pop(request, None)
    if pending is None:
        return []
    effects = budgets.answered(state, pending, payload, now_ms)
    if pending.purpose in {"place", "account"}:
        effects.append(_logged(pending, bytes(payload)))
    session = state.sessions.get(pending.session) if pending.session is not None else None
    if session is not None and not pending.late:
        response = {"type": "action", "payload": payload}
        data = {"id": pending.agent_id, "response": response}
        effects.append(Tell(session=session.id, data=_encode({"channel": "post", "data": data})))
    match pending.purpose:
        case "place":
            effects += _placed(state, pending, payload, now_ms)
        case "cancel" | "sweep":
            _cancelled(state, pending, payload, now_ms)
        case "void":
            if _voided(state, pending, payload, now_ms):
                effects.append(_logged(pending, bytes(payload)))
        case "switch" | "buy":
            pass
        case _:
            effects.append(Reply(request=request, data=bytes(payload)))
    if pending.clearing is not None:
        effects += sweeps.step(state, pending.clearing, now_ms)
    return effects


def _logged(pending: Pending, payload: bytes) -> Effect:
    """That the nonce is settled; the text only where something was refused, or is asked about."""
    told = pending.purpose == "account" or b'"error"' in payload or b'"err"' in payload
    return Record(body=Answered(nonce=pending.nonce, answer=payload.decode() if told else ""))


def _placed(state: State, pending: Pending, payload: msgspec.Raw, now_ms: int) -> list[Effect]:
    try:
        results = decode_order_answer(payload, len(pending.keys))
    except ExchangeError:
        state.orders.unanswered(pending.nonce, now_ms)
        return []
    state.orders.answered(pending.nonce, results, now_ms)
    refusals = [r.text for r in results if r.kind == "refused"]
    halted = next((t for t in refusals if isinstance(from_text(t), TradingHalted)), None)
    told: list[Effect] = []
    if halted is not None and pending.market in state.markets:
        told = listing.halted(state, pending.market, halted, now_ms)
    if pending.generation == STOP and results[0].kind == "refused":
        return [*told, protect.refused(state, pending.market, results[0].text, now_ms)]
    if not state.ownerless(pending.market, pending.generation) and state.fence.latch is None:
        return told
    # Its lease ended while it was under way: it rests with no owner.
    key = FLEET if state.fence.latch is not None else pending.market
    if key != FLEET and key not in state.clearings:
        return told + sweeps.start(state, pending.market, now_ms)
    return [*told, *sweeps.step(state, key, now_ms)]


def _cancelled(state: State, pending: Pending, payload: msgspec.Raw, now_ms: int) -> None:
    try:
        errors = decode_cancel_answer(payload, len(pending.keys))
    except ExchangeError:
        return
    if _refused_whole(payload):
        return
    for key, error in zip(pending.keys, errors, strict=True):
        order = state.orders.by_cloid.get(key)
        state.orders.cancelled(key, error, now_ms)
        if order is not None and order.nonce not in state.orders.unresolved:
            state.account.drop_cloid(order.market, key)
        elif key.startswith("oid:") and error is None:
            _drop_oid(state, int(key[4:]))


def _drop_oid(state: State, oid: int) -> None:
    for rows in state.account.rows.values():
        rows.pop(oid, None)


def _refused_whole(payload: msgspec.Raw) -> bool:
    """Whether the whole action was turned away: then its items say nothing about orders."""
    try:
        return _status(payload).status != "ok"
    except msgspec.MsgspecError:
        return True


def _voided(state: State, pending: Pending, payload: msgspec.Raw, now_ms: int) -> bool:
    """Accepted: the placement can never happen. Duplicate: it was processed. Else False."""
    try:
        answer = _status(payload)
        if answer.status == "ok":
            if state.orders.voided(pending.nonce):
                _count_void(state, pending)
            return True
        text = msgspec.json.decode(answer.response, type=str)
    except msgspec.MsgspecError:
        return False
    if not isinstance(from_text(text), DuplicateNonce):
        return False
    state.orders.processed(pending.nonce, now_ms)
    return True


def _count_void(state: State, pending: Pending) -> None:
    """Whoever asked for it: a noop under way when the halt began counts as the halt's."""
    clearing = state.clearings.get(FLEET) or state.clearings.get(pending.market)
    if clearing is not None:
        clearing.voided += 1


def failed(state: State, request: int, text: str, now_ms: int) -> list[Effect]:
    """The venue answered a post with an error instead: by its text, did it happen?"""
    error = from_post_error(text)
    if isinstance(error, RateLimited):
        state.strain.limited(now_ms)
    if isinstance(error, OutcomeUnknown):
        return unanswered(state, request, now_ms)
    reason = "rate_limited" if isinstance(error, RateLimited) else "throttle"
    return not_sent(state, request, reason, text)


def not_sent(state: State, request: int, reason: str, text: str) -> list[Effect]:
    """It certainly did not happen: nothing left, or the venue turned it away unread."""
    pending = state.pending.pop(request, None)
    if pending is None:
        return []
    if pending.purpose == "place":
        state.orders.voided(pending.nonce)
    if pending.purpose in {"switch", "buy"}:
        return budgets.settled(state, pending, text, pending.sent_ms)
    if pending.purpose == "account":
        told = _encode({"status": "err", "response": text})
        return [Reply(request=request, data=told)]
    session = state.sessions.get(pending.session) if pending.session is not None else None
    if session is None or pending.late:
        return []
    if pending.purpose == "info":
        return [posts.info_error(session, pending.agent_id, text)]
    return posts.refuse(state, session, pending.agent_id, reason, text)


def unanswered(state: State, request: int, now_ms: int) -> list[Effect]:
    """Sent, and no answer: it may have happened. A late answer still settles it."""
    pending = state.pending.get(request)
    if pending is None or pending.late:
        return []
    pending.late, pending.deadline_ms = True, now_ms + LATE_MS
    budgets.unanswered(state, pending, now_ms)
    session = state.sessions.get(pending.session) if pending.session is not None else None
    effects: list[Effect] = []
    if session is not None:
        if pending.purpose == "info":
            effects.append(posts.info_error(session, pending.agent_id, "504 Gateway Timeout"))
        else:
            effects.append(gw(session, Unanswered(id=pending.agent_id)))
    if pending.purpose == "place":
        state.orders.unanswered(pending.nonce, now_ms)
        effects.append(requests.void(state, pending.nonce, None, now_ms))
    elif pending.purpose in {"info", "snapshot", "status", "positions", "fills"}:
        del state.pending[request]
    return effects


# ── questions ────────────────────────────────────────────────────────────────────────────────


def info(state: State, request: int, data: bytes | msgspec.Raw, now_ms: int) -> list[Effect]:
    """The data of an /info answer; over the socket the payload's ``data``."""
    pending = state.pending.pop(request, None)
    if pending is None:
        return []
    effects: list[Effect] = []
    if pending.purpose == "snapshot":
        effects += _snapshot(state, pending, data, now_ms)
    elif pending.purpose == "status":
        _order_status(state, pending, data, now_ms)
    elif pending.purpose == "fills":
        effects += _fills(state, data, now_ms)
        effects += questions.told_fills(state, _raws(data), pending.since_ms, pending.sent_ms)
    elif pending.purpose == "positions":
        effects += _positions(state, pending, data, now_ms)
    elif pending.purpose == "info":
        effects += _to_agent(state, pending, data, now_ms)
    return effects


def _positions(
    state: State, pending: Pending, data: bytes | msgspec.Raw, now_ms: int
) -> list[Effect]:
    """The venue's own positions: for the proof that nothing of ours is held."""
    told = decode_info(bytes(data), ClearinghouseState)
    ours = state.markets.keys() | state.leases.rows.keys()
    held = any(row.position.szi and row.position.coin in ours for row in told.asset_positions)
    if state.flat_proof is not None:
        state.flat_proof.answered(pending.dex, pending.sent_ms, now_ms, held=held)
    return venue.take_account(state, pending.dex, told, now_ms)


def _fills(state: State, data: bytes | msgspec.Raw, now_ms: int) -> list[Effect]:
    """Fills that were asked for because some seem to be missing."""
    told = tuple(to_fill(row) for row in decode_info(bytes(data), tuple[WsFill, ...]))
    state.weights.add(rows_weight("userFillsByTime", len(told)), now_ms)
    return venue.take_fills(state, told, _raws(data), now_ms)


def info_payload(payload: msgspec.Raw) -> msgspec.Raw:
    """``data`` of an info post's payload. ``msgspec.MsgspecError`` if it has none."""
    return _info(payload).data


def _snapshot(
    state: State, pending: Pending, data: bytes | msgspec.Raw, now_ms: int
) -> list[Effect]:
    orders = tuple(
        (row.coin, to_live(row)) for row in decode_info(bytes(data), tuple[FrontendOrder, ...])
    )
    effects = venue.take_open_orders(state, pending.dex, orders, pending.sent_ms, now_ms)
    effects += questions.listed(state, pending.dex, _raws(data), pending.sent_ms)
    key = pending.clearing
    clearing = state.clearings.get(key) if key is not None else None
    if key is not None and clearing is not None:
        found: list[Target] = list(sweeps.listed(state, key, pending.dex))
        clearing.snapshot(pending.dex, pending.sent_ms, now_ms, found=bool(found))
        effects += sweeps.step(state, key, now_ms)
    return effects


def _order_status(state: State, pending: Pending, data: bytes | msgspec.Raw, now_ms: int) -> None:
    answer = decode_info(bytes(data), OrderStatusWire)
    for cloid in pending.keys:
        state.orders.status(cloid, answer.order.status if answer.order else None, now_ms)


def _to_agent(
    state: State, pending: Pending, data: bytes | msgspec.Raw, now_ms: int
) -> list[Effect]:
    """An agent's question: rows of other markets are left out."""
    session = state.sessions.get(pending.session) if pending.session is not None else None
    effects: list[Effect] = []
    told: object = msgspec.Raw(bytes(data))
    if pending.kind in {"frontendOpenOrders", "openOrders"}:
        rows = decode_info(bytes(data), tuple[OpenOrder, ...])
        orders = tuple((row.coin, to_live(row)) for row in rows)
        effects += venue.take_open_orders(state, pending.dex, orders, pending.sent_ms, now_ms)
    if pending.kind in {"frontendOpenOrders", "openOrders", "userFills", "userFillsByTime"}:
        all_rows = _raws(data)
        state.weights.add(rows_weight(pending.kind, len(all_rows)), now_ms)
        told = [row for row in all_rows if _coin(row).coin == pending.market]
    if session is not None:
        payload = {"type": pending.kind, "data": told}
        response = {"type": "info", "payload": payload}
        frame = {"channel": "post", "data": {"id": pending.agent_id, "response": response}}
        effects.append(Tell(session=session.id, data=_encode(frame)))
    return effects
