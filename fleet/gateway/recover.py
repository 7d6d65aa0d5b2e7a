"""What a gateway that starts finds on disk: files, and the tail of its own log."""

from decimal import Decimal

import msgspec

from agents.exchange.nonce import NonceSequence
from agents.exchange.wire import Action, OrderWire, placed
from agents.market.types import Side
from agents.market.units import NS_PER_MS
from fleet.gateway.core.cloids import SequenceSet
from fleet.gateway.core.cloids import parse as parse_cloid
from fleet.gateway.core.orders import Order
from fleet.gateway.core.orders import State as OrderState
from fleet.gateway.core.purse import Purse
from fleet.gateway.core.requests import EXPIRES_MS
from fleet.gateway.core.state import Identity, MarketRow, State
from fleet.gateway.log import ActionLog
from fleet.gateway.records import Answered, Carried, Filled, Funding, Sent
from fleet.gateway.standing import book, take_over
from fleet.gateway.store import Store

IN_FLIGHT_MS = 15_000
"""A placement older than this is past its expiry, whatever the clocks say."""
_TOLD = frozenset(
    str(kind.__struct_config__.tag) for kind in (Carried, Sent, Answered, Filled, Funding)
)


def restore(identity: Identity, store: Store, log: ActionLog, now_ms: int) -> State:
    """The state to begin with. OSError, msgspec.MsgspecError if the files can't be read."""
    state = State(
        identity,
        leases=store.leases(),
        limits=store.limits(),
        latch=store.latch(),
        last_nonce=0,
        caps=store.caps(),
    )
    state.purse = Purse(store.purse())
    for kept in store.markets():
        state.markets[kept.market] = MarketRow(
            settings=kept.settings,
            revision=kept.revision,
            paused=kept.paused,
            draining_ms=kept.draining_ms,
            flatten=kept.flatten,
            kept=kept.kept,
            stored=kept.kept,
        )
        for cause, reason in kept.fences.items():
            state.fence.close(kept.market, cause, reason)
    state.leases.await_holders(now_ms)
    _replay(state, log, now_ms)
    state.log_seq = log.seq
    return state


def _replay(state: State, log: ActionLog, now_ms: int) -> None:
    """Booked fills, the last nonce, and placements whose answer never came."""
    last_nonce = 0
    open_ended: dict[int, tuple[Sent, tuple[OrderWire, ...], int]] = {}
    for record in log.tail(kinds=_TOLD):
        body = record.body
        if isinstance(body, Carried):
            last_nonce = max(last_nonce, body.nonce)
            take_over(state.bookings, body)
        elif isinstance(body, Sent):
            last_nonce = max(last_nonce, body.nonce)
            sent_ms = record.wall_ns // NS_PER_MS
            row = state.leases.rows.get(body.market)
            current = row is not None and row.generation == body.generation
            if not current and now_ms - sent_ms >= IN_FLIGHT_MS:
                continue  # over and done with, whatever it was
            action = msgspec.json.decode(body.action, type=Action)
            if orders := placed(action):
                _use_sequences(state, body, orders)
                open_ended[body.nonce] = (body, orders, sent_ms)
        elif isinstance(body, Answered):
            open_ended.pop(body.nonce, None)
        else:
            book(state.bookings, body)
    state.nonces = NonceSequence(last_nonce)
    for sent, orders, sent_ms in open_ended.values():
        if now_ms - sent_ms < IN_FLIGHT_MS:
            in_flight(state, sent, orders, sent_ms)


def _use_sequences(state: State, sent: Sent, orders: tuple[OrderWire, ...]) -> None:
    row = state.leases.rows.get(sent.market)
    if row is None or row.generation != sent.generation:
        return
    used = state.sequences.setdefault(sent.market, SequenceSet())
    for wire in orders:
        origin = parse_cloid(wire.c)
        if origin is not None:
            used.use(origin.sequence)


def in_flight(state: State, sent: Sent, orders: tuple[OrderWire, ...], sent_ms: int) -> None:
    """It may yet be executed: it counts as open, and is voided or waited for."""
    state.orders.sent(
        (
            Order(
                cloid=wire.c or "",
                market=sent.market,
                generation=sent.generation,
                side=Side.BID if wire.b else Side.ASK,
                px=Decimal(wire.p),
                remaining_sz=Decimal(wire.s),
                reduce_only=wire.r,
                state=OrderState.UNKNOWN,
                touched_ms=sent_ms,
                nonce=sent.nonce,
            )
            for wire in orders
        ),
        sent_ms + 2 * EXPIRES_MS,
    )
