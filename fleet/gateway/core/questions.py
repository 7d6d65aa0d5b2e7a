"""What agents ask of their orders and fills, answered for all of them at once.

A list weighs 20, and forty agents that ask each 30 s would spend more than there is. But the venue
pushes the list of a DEX by itself, after each change and every few seconds. A push that comes
``FRESH_MS`` after a question was made after it, and is its answer, for nothing. Where none comes in
time one list is asked for, and answers everybody who waits by then.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from fleet.gateway.core import requests
from fleet.gateway.core.cloids import is_stop
from fleet.gateway.core.effects import Effect, Tell
from fleet.gateway.core.orders import dex_of
from fleet.gateway.core.state import Session, State
from fleet.gateway.core.waiting import FILLS, Waiting
from fleet.gateway.core.weight import info_weight

FRESH_MS: Final = 1_500
PATIENCE_MS: Final = 3_500
HURRIED_MS: Final = 250
HURRY_FOR_MS: Final = 10_000
"""After the venue came back, or an agent began, nobody quotes until it has its answer."""
GIVE_UP_MS: Final = 4_800
TOO_MANY: Final = "429 Too Many Requests"
ORDERS: Final = "frontendOpenOrders"
FILLS_KIND: Final = "userFillsByTime"


class _Coin(msgspec.Struct, frozen=True, gc=False):
    coin: str
    cloid: str | None = None


_coin = msgspec.json.Decoder(_Coin).decode
_encode = msgspec.json.Encoder().encode


def ask(
    state: State, session: Session, agent_id: int, payload: dict[str, object], now_ms: int
) -> bool:
    """Take a question to be answered for many at once; False if it is no such question."""
    market, kind = session.market or "", payload.get("type")
    if kind == ORDERS:
        key, since_ms = dex_of(market), 0
    elif kind == FILLS_KIND and isinstance(payload.get("startTime"), int):
        key, since_ms = FILLS, int(str(payload["startTime"]))
    else:
        return False
    asked = Waiting(session.id, agent_id, market, str(kind), now_ms, since_ms)
    state.questions.add(key, asked)
    return True


def pushed(state: State, dex: str, rows: Iterable[msgspec.Raw], now_ms: int) -> list[Effect]:
    """The venue told all open orders of a DEX by itself."""
    return _answer(state.questions.take(dex, now_ms - FRESH_MS), rows)


def listed(state: State, dex: str, rows: Iterable[msgspec.Raw], sent_ms: int) -> list[Effect]:
    """All open orders of a DEX, asked for at ``sent_ms``."""
    return _answer(state.questions.take(dex, sent_ms), rows)


def told_fills(
    state: State, rows: Iterable[msgspec.Raw], since_ms: int, sent_ms: int
) -> list[Effect]:
    """Every fill since a moment, asked for at ``sent_ms``."""
    return _answer(state.questions.take(FILLS, sent_ms, since_ms), rows)


def tick(state: State, now_ms: int) -> list[Effect]:
    """Ask where nothing was pushed in time; who has waited too long is told so."""
    effects: list[Effect] = []
    if state.link.state != "up":
        return effects
    for key, oldest_ms in state.questions.oldest():
        if now_ms - oldest_ms < _patience_ms(state, key, now_ms):
            continue
        if _under_way(state, key, oldest_ms):
            continue
        kind = FILLS_KIND if key == FILLS else ORDERS
        if not state.weights.leaves_reserve(info_weight(kind), now_ms):
            continue
        if key == FILLS:
            effects.append(requests.fills(state, state.questions.since_ms(), now_ms))
        else:
            effects.append(requests.snapshot(state, key, now_ms))
    for gone in state.questions.expired(now_ms - GIVE_UP_MS):
        response = {"type": "error", "payload": TOO_MANY}
        frame = {"channel": "post", "data": {"id": gone.agent_id, "response": response}}
        effects.append(Tell(session=gone.session, data=_encode(frame)))
    return effects


def _patience_ms(state: State, key: str, now_ms: int) -> int:
    if key == FILLS or now_ms - state.link.since_ms < HURRY_FOR_MS:
        return HURRIED_MS
    asking = (state.sessions.get(waiting.session) for waiting in state.questions.of(key))
    begun = any(s is not None and now_ms - s.opened_ms < HURRY_FOR_MS for s in asking)
    return HURRIED_MS if begun else PATIENCE_MS


def _under_way(state: State, key: str, since_ms: int) -> bool:
    purpose = "fills" if key == FILLS else "snapshot"
    return any(
        pending.purpose == purpose
        and pending.sent_ms >= since_ms
        and key in {FILLS, pending.dex}
        and not pending.late
        for pending in state.pending.values()
    )


def _answer(asked: list[Waiting], rows: Iterable[msgspec.Raw]) -> list[Effect]:
    """To each the rows of its market."""
    if not asked:
        return []
    by_coin: dict[str, list[msgspec.Raw]] = {}
    for row in rows:
        told = _coin(row)
        if not is_stop(told.cloid):
            by_coin.setdefault(told.coin, []).append(row)
    effects: list[Effect] = []
    for each in asked:
        payload = {"type": each.kind, "data": by_coin.get(each.market, [])}
        response = {"type": "info", "payload": payload}
        frame = {"channel": "post", "data": {"id": each.agent_id, "response": response}}
        effects.append(Tell(session=each.session, data=_encode(frame)))
    return effects
