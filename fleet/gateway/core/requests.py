"""What leaves for the venue on whose behalf: nonce, expiry, and the record of what is awaited."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from agents.exchange.wire import (
    Action,
    AgentSendAssetAction,
    BatchModifyAction,
    CancelAction,
    CancelByCloidAction,
    CancelByCloidWire,
    CancelWire,
    NoopAction,
    OrderAction,
)
from fleet.gateway.core.clearing import Target
from fleet.gateway.core.cloids import STOP
from fleet.gateway.core.door import Checked
from fleet.gateway.core.effects import Ask, Effect, Submit
from fleet.gateway.core.orders import Order
from fleet.gateway.core.orders import State as OrderState
from fleet.gateway.core.state import ANSWER_MS, Pending, Purpose, Session, State
from fleet.gateway.core.weight import action_weight, info_weight

EXPIRES_MS: Final = 5_000
CANCELS_MAX: Final = 40


def place(
    state: State,
    session: Session,
    agent_id: int,
    action: OrderAction | BatchModifyAction,
    checked: tuple[Checked, ...],
    now_ms: int,
) -> Effect:
    """A placement that passed the door: from here on its orders count as open."""
    assert session.market is not None
    nonce = state.nonces.next(now_ms)
    expires_ms = state.clock.venue_ms(now_ms) + EXPIRES_MS
    state.orders.sent(
        (
            Order(
                cloid=order.cloid, market=session.market, generation=session.generation,
                side=order.side, px=order.px, remaining_sz=order.sz,
                reduce_only=order.reduce_only, state=OrderState.IN_FLIGHT, touched_ms=now_ms,
                nonce=nonce,
            )
            for order in checked
        ),
        expires_ms,
    )  # fmt: skip
    return _submit(
        state, action, len(checked), nonce, expires_ms, now_ms,
        Pending(
            purpose="place", sent_ms=now_ms, deadline_ms=now_ms + ANSWER_MS, session=session.id,
            agent_id=agent_id, market=session.market, generation=session.generation, nonce=nonce,
            keys=tuple(order.cloid for order in checked),
        ),
    )  # fmt: skip


def caretake(
    state: State, market: str, generation: int, action: OrderAction, order: Checked, now_ms: int
) -> Effect:
    """The caretaker's own order: it passes the latch."""
    return _own(state, market, generation, action, order, now_ms, closing=True)


def protect(state: State, market: str, action: OrderAction, order: Checked, now_ms: int) -> Effect:
    """A position's stop, of no lease; unlike a close it does not pass the latch."""
    return _own(state, market, STOP, action, order, now_ms, closing=False)


def _own(
    state: State,
    market: str,
    generation: int,
    action: OrderAction,
    order: Checked,
    now_ms: int,
    *,
    closing: bool,
) -> Effect:
    """One reduce-only order of the gateway's."""
    assert order.reduce_only
    nonce = state.nonces.next(now_ms)
    expires_ms = state.clock.venue_ms(now_ms) + EXPIRES_MS
    sent = Order(
        cloid=order.cloid, market=market, generation=generation, side=order.side, px=order.px,
        remaining_sz=order.sz, reduce_only=True, state=OrderState.IN_FLIGHT, touched_ms=now_ms,
        nonce=nonce,
    )  # fmt: skip
    state.orders.sent((sent,), expires_ms)
    return _submit(
        state, action, 1, nonce, expires_ms, now_ms,
        Pending(
            purpose="place", sent_ms=now_ms, deadline_ms=now_ms + ANSWER_MS, market=market,
            generation=generation, nonce=nonce, keys=(order.cloid,),
        ),
        closing=closing,
    )  # fmt: skip


def agent_cancel(
    state: State,
    session: Session,
    agent_id: int,
    action: CancelByCloidAction | CancelAction,
    keys: tuple[str, ...],
    now_ms: int,
) -> Effect:
    """An agent's cancel; never refused for want of limits."""
    assert session.market is not None
    nonce = state.nonces.next(now_ms)
    return _submit(
        state, action, len(keys), nonce, None, now_ms,
        Pending(
            purpose="cancel", sent_ms=now_ms, deadline_ms=now_ms + ANSWER_MS, session=session.id,
            agent_id=agent_id, market=session.market, generation=session.generation, nonce=nonce,
            keys=keys,
        ),
    )  # fmt: skip


def sweep(
    state: State, targets: Sequence[Target], clearing: str | None, now_ms: int
) -> Iterable[Effect]:
    """The gateway's own cancels, in batches; by cloid ours, by oid foreign ones."""
    known = [(target, state.instrument(target.market)) for target in targets]
    ours = [(t, i.asset_id) for t, i in known if i is not None and t.cloid is not None]
    foreign = [
        (t, i.asset_id, t.oid)
        for t, i in known
        if i is not None and t.cloid is None and t.oid is not None
    ]
    for at in range(0, len(ours), CANCELS_MAX):
        part = ours[at : at + CANCELS_MAX]
        wires = tuple(CancelByCloidWire(asset=a, cloid=t.cloid or "") for t, a in part)
        keys = tuple(t.key for t, _ in part)
        yield _sweep(state, CancelByCloidAction(wires), keys, clearing, now_ms)
    for at in range(0, len(foreign), CANCELS_MAX):
        rows = foreign[at : at + CANCELS_MAX]
        cancels = tuple(CancelWire(a=a, o=oid) for _, a, oid in rows)
        keys = tuple(t.key for t, _, _ in rows)
        yield _sweep(state, CancelAction(cancels), keys, clearing, now_ms)


def _sweep(
    state: State, action: Action, keys: tuple[str, ...], clearing: str | None, now_ms: int
) -> Effect:
    nonce = state.nonces.next(now_ms)
    return _submit(
        state, action, len(keys), nonce, None, now_ms,
        Pending(
            purpose="sweep", sent_ms=now_ms, deadline_ms=now_ms + ANSWER_MS, market=clearing or "",
            nonce=nonce, keys=keys, clearing=clearing,
        ),
    )  # fmt: skip


def void(state: State, nonce: int, clearing: str | None, now_ms: int) -> Effect:
    """A noop under the nonce of a placement: whichever the venue takes first is the only one."""
    placement = state.orders.unresolved.get(nonce)
    return _submit(
        state, NoopAction(), 1, nonce, None, now_ms,
        Pending(
            purpose="void", sent_ms=now_ms, deadline_ms=now_ms + ANSWER_MS, nonce=nonce,
            market=placement.market if placement else "",
            generation=placement.generation if placement else 0, clearing=clearing,
        ),
    )  # fmt: skip


def account_action(
    state: State, action: Action, now_ms: int, expires_ms: int | None = None
) -> Submit:
    """Leverage, margin, transfers; asked for over HTTP. A transfer names its nonce once more."""
    nonce = state.nonces.next(now_ms)
    if isinstance(action, AgentSendAssetAction):
        action = msgspec.structs.replace(action, nonce=nonce)
    return _submit(
        state, action, 1, nonce, expires_ms, now_ms,
        Pending(
            purpose="account", sent_ms=now_ms, deadline_ms=now_ms + ANSWER_MS, nonce=nonce
        ),
    )  # fmt: skip


def own_action(state: State, action: Action, purpose: Purpose, now_ms: int) -> Effect:
    """The gateway's own account action: the switch pushed on, requests bought."""
    nonce = state.nonces.next(now_ms)
    return _submit(
        state, action, 1, nonce, None, now_ms,
        Pending(purpose=purpose, sent_ms=now_ms, deadline_ms=now_ms + ANSWER_MS, nonce=nonce),
    )  # fmt: skip


def _submit(
    state: State,
    action: Action,
    batch: int,
    nonce: int,
    expires_ms: int | None,
    now_ms: int,
    pending: Pending,
    *,
    closing: bool = False,
) -> Submit:
    request = state.request_id()
    state.pending[request] = pending
    state.weights.add(action_weight(batch), now_ms)
    state.allowance.spend(batch, now_ms)
    return Submit(
        request=request, action=action, nonce=nonce, expires_ms=expires_ms,
        market=pending.market, generation=pending.generation,
        placement=pending.purpose == "place", closing=closing,
    )  # fmt: skip


def ask(
    state: State,
    payload: dict[str, object],
    purpose: Purpose,
    now_ms: int,
    *,
    session: Session | None = None,
    agent_id: int = 0,
    market: str = "",
    keys: tuple[str, ...] = (),
    dex: str = "",
    clearing: str | None = None,
    since_ms: int = 0,
) -> Effect:
    """An /info request; ``user`` is the account, whoever asks."""
    request = state.request_id()
    kind = str(payload["type"])
    state.weights.add(info_weight(kind), now_ms)
    state.pending[request] = Pending(
        purpose=purpose, sent_ms=now_ms, deadline_ms=now_ms + ANSWER_MS,
        session=session.id if session else None, agent_id=agent_id, market=market, keys=keys,
        dex=dex, clearing=clearing, kind=kind, since_ms=since_ms,
    )  # fmt: skip
    return Ask(request=request, payload=payload)


def snapshot(state: State, dex: str, now_ms: int, clearing: str | None = None) -> Effect:
    """All open orders of one DEX, as the venue lists them from now on."""
    payload: dict[str, object] = {
        "type": "frontendOpenOrders", "user": state.identity.address, "dex": dex,
    }  # fmt: skip
    return ask(state, payload, "snapshot", now_ms, dex=dex, clearing=clearing)


def positions(state: State, dex: str, now_ms: int) -> Effect:
    """Positions of one DEX, as the venue knows them from now on."""
    payload: dict[str, object] = {
        "type": "clearinghouseState", "user": state.identity.address, "dex": dex,
    }  # fmt: skip
    return ask(state, payload, "positions", now_ms, dex=dex)


def fills(state: State, since_ms: int, now_ms: int) -> Effect:
    """Every fill of the account since a moment, up to the venue's page."""
    payload: dict[str, object] = {
        "type": "userFillsByTime", "user": state.identity.address, "startTime": since_ms,
    }  # fmt: skip
    return ask(state, payload, "fills", now_ms, since_ms=since_ms)


def order_status(state: State, cloid: str, now_ms: int) -> Effect:
    """What became of one order."""
    payload: dict[str, object] = {
        "type": "orderStatus", "user": state.identity.address, "oid": cloid,
    }  # fmt: skip
    return ask(state, payload, "status", now_ms, keys=(cloid,))
