"""Frames of the account's own channels: read for the account view, split by coin for agents."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from agents.events import LiveOrder
from agents.exchange.frames import (
    AccountFrame,
    AllAccountsFrame,
    FundingRows,
    LedgerRows,
    OpenOrdersFrame,
    UserFills,
    UserOrderUpdates,
)
from agents.exchange.wire import ClearinghouseState
from agents.market.types import Fill
from fleet.gateway.core import agents, capping, portfolio, protect, questions, requests, transfers
from fleet.gateway.core.cloids import is_stop
from fleet.gateway.core.cloids import parse as parse_cloid
from fleet.gateway.core.effects import Alert, Effect, Record, Tell
from fleet.gateway.core.market_frames import market_seen
from fleet.gateway.core.orders import Order, dex_of
from fleet.gateway.core.orders import State as OrderState
from fleet.gateway.core.state import State
from fleet.gateway.records import Equity, Filled, Funding, OrderSeen

EQUITY_EVERY_MS: Final = 3_000
RAW_FILLS_MAX: Final = 500
MID_AGE_MAX_MS: Final = 5_000
_ROUTINE: Final = frozenset({"open", "filled", "canceled"})
"""What answers, cancels and fills say already; the rest (rejected, liquidated…) is logged."""


class _Coin(msgspec.Struct, frozen=True, gc=False):
    coin: str
    fast: bool = False
    cloid: str | None = None


class _Peek(msgspec.Struct, frozen=True, gc=False):
    channel: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class _RowList(msgspec.Struct, frozen=True):
    data: list[msgspec.Raw]


class _Order(msgspec.Struct, frozen=True):
    order: _Coin


class _FillRows(msgspec.Struct, frozen=True):
    fills: list[msgspec.Raw]


class _FundingRows(msgspec.Struct, frozen=True):
    fundings: list[msgspec.Raw]


class _OpenRows(msgspec.Struct, frozen=True):
    orders: list[msgspec.Raw]
    dex: str = ""


_peek = msgspec.json.Decoder(_Peek).decode
_coin = msgspec.json.Decoder(_Coin).decode
_order = msgspec.json.Decoder(_Order).decode
_rows = msgspec.json.Decoder(_RowList).decode
_fill_rows = msgspec.json.Decoder(_FillRows).decode
_funding_rows = msgspec.json.Decoder(_FundingRows).decode
_open_rows = msgspec.json.Decoder(_OpenRows).decode
_encode = msgspec.json.Encoder().encode


def user_frame(  # noqa: PLR0911  (one return a kind of frame)
    state: State,
    raw: bytes,
    frame: UserOrderUpdates
    | UserFills
    | OpenOrdersFrame
    | AccountFrame
    | AllAccountsFrame
    | FundingRows
    | LedgerRows,
    now_ms: int,
) -> list[Effect]:
    """A frame of the account's own channels: read, logged, split by coin."""
    match frame:
        case UserOrderUpdates():
            return _order_updates(state, raw, frame, now_ms)
        case UserFills():
            return _user_fills(state, raw, frame, now_ms)
        case OpenOrdersFrame():
            asked_ms = _awaited_ms(state, f"orders:{frame.dex}")
            effects = take_open_orders(state, frame.dex, frame.orders, asked_ms, now_ms)
            return effects + _split_open_orders(state, raw, now_ms)
        case AccountFrame():
            _awaited_ms(state, f"account:{frame.dex}")
            return take_account(state, frame.dex, frame.state, now_ms)
        case AllAccountsFrame():
            effects = []
            for dex, dex_state in frame.states:
                _awaited_ms(state, f"account:{dex}")
                effects += take_account(state, dex, dex_state, now_ms)
            return effects
        case FundingRows():
            return _fundings(state, raw, frame)
        case LedgerRows():
            return _ledger_rows(state, frame)


def _awaited_ms(state: State, what: str) -> int | None:
    """When it was subscribed, if this is the first of its kind since; None: it was pushed."""
    if what not in state.awaited:
        return None
    state.awaited.discard(what)
    return state.awaited_ms


def _user_fills(state: State, raw: bytes, frame: UserFills, now_ms: int) -> list[Effect]:
    rows = _fill_rows(_peek(raw).data).fills
    if frame.is_snapshot:
        state.bookings.held.told.clear()
        if _reaches_back(state, frame.fills):
            _awaited_ms(state, "fills")
    if "fills" in state.awaited:
        state.bookings.held.told.append((frame.fills, rows))
        return []
    return take_fills(state, frame.fills, rows, now_ms)


def _reaches_back(state: State, fills: tuple[Fill, ...]) -> bool:
    """Whether a snapshot of fills leaves none out that came after the last one booked."""
    if len(fills) < state.bookings.held.whole_below:
        return True
    return bool(fills) and min(fill.time_ms for fill in fills) <= state.bookings.last_fill_ms


def take_held(state: State, now_ms: int) -> list[Effect]:
    """Fills that waited for those before them, which are booked by now."""
    held, state.bookings.held.told = state.bookings.held.told, []
    return [e for fills, rows in held for e in take_fills(state, fills, rows, now_ms)]


def _order_updates(state: State, raw: bytes, frame: UserOrderUpdates, now_ms: int) -> list[Effect]:
    effects: list[Effect] = []
    by_coin: dict[str, list[msgspec.Raw]] = {}
    for (coin, row), row_raw in zip(frame.rows, _rows(raw).data, strict=True):
        state.clock.seen(row.status_ms, now_ms)
        state.account.take_update(coin, row)
        state.orders.updated(row, now_ms)
        if row.status not in _ROUTINE:
            seen = OrderSeen(coin, row.oid, row.cloid, row.status, row.status_ms)
            effects.append(Record(body=seen))
        if not is_stop(row.cloid):
            by_coin.setdefault(coin, []).append(row_raw)
    for name, rows in by_coin.items():
        sessions = state.routing.subscribers("orderUpdates", name)
        if sessions:
            data = _encode({"channel": "orderUpdates", "data": rows})
            effects += [Tell(session=s, data=data) for s in sessions]
    return effects


def take_fills(
    state: State, fills: tuple[Fill, ...], rows: Iterable[msgspec.Raw], now_ms: int
) -> list[Effect]:
    """Fills from a frame or from /info: booked once each, told to their market's agent."""
    effects: list[Effect] = []
    fresh: dict[str, list[msgspec.Raw]] = {}
    paired = sorted(zip(fills, rows, strict=True), key=lambda pair: pair[0].time_ms)
    for fill, row in paired:
        if not state.bookings.fill_is_new(fill):
            continue
        state.clock.seen(fill.time_ms, now_ms)
        state.drifts.fill(fill, now_ms)
        effects += _book(state, fill, now_ms)
        if is_stop(fill.cloid) and state.ours(fill.cloid):
            effects += protect.fired(state, fill.coin, now_ms)
        kept = state.raw_fills.setdefault(fill.coin, [])
        kept.append((fill.time_ms, bytes(row)))
        del kept[:-RAW_FILLS_MAX]
        fresh.setdefault(fill.coin, []).append(row)
    for coin, coin_rows in fresh.items():
        sessions = state.routing.subscribers("userFills", coin)
        if sessions:
            user = state.identity.address
            data = _encode({"channel": "userFills", "data": {"user": user, "fills": coin_rows}})
            effects += [Tell(session=s, data=data) for s in sessions]
    return effects + (portfolio.holdings_frames(state, now_ms) if fresh else [])


def _book(state: State, fill: Fill, now_ms: int) -> list[Effect]:
    state.orders.filled(fill)
    capping.traded(state, fill)
    state.account.take_fill(fill)
    capping.count(state, fill.coin)  # what closes here takes room of the others' on its side
    fee_usd = float(fill.fee) * (state.token_mark_usd(fill.fee_token) or 1.0)
    state.bookings.add_day(fill.coin, float(fill.closed_pnl) - fee_usd, fill.time_ms)
    touch = state.account.touches.get(fill.coin)
    told_at_once = state.clock.venue_ms(now_ms) - fill.time_ms < MID_AGE_MAX_MS
    fresh = touch is not None and (  # a touch stands until another one is pushed
        told_at_once or abs(touch.venue_ms - fill.time_ms) < MID_AGE_MAX_MS
    )
    booked = Record(
        body=Filled(
            fill=fill,
            ours=state.ours(fill.cloid) is not None,
            mid_px=touch.mid_px if touch and fresh else None,
        )
    )
    seen = market_seen(state, fill.coin)
    return [booked, seen] if seen else [booked]


def _fundings(state: State, raw: bytes, frame: FundingRows) -> list[Effect]:
    effects: list[Effect] = []
    by_coin: dict[str, list[msgspec.Raw]] = {}
    data = _peek(raw)
    rows = _funding_rows(data.data).fundings if data.channel == "userFundings" else []
    for at, row in enumerate(frame.rows):
        if not state.bookings.funding_is_new(row.coin, row.time_ms):
            continue
        state.bookings.add_day(row.coin, float(row.usd), row.time_ms)
        effects.append(
            Record(body=Funding(row.coin, row.time_ms, row.usd, row.position_sz, row.rate))
        )
        if at < len(rows):
            by_coin.setdefault(row.coin, []).append(rows[at])
    for coin, coin_rows in by_coin.items():
        told = {"user": state.identity.address, "fundings": coin_rows}
        sessions = state.routing.subscribers("userFundings", coin)
        if sessions:
            frame_data = _encode({"channel": "userFundings", "data": told})
            effects += [Tell(session=s, data=frame_data) for s in sessions]
    return effects


def _ledger_rows(state: State, frame: LedgerRows) -> list[Effect]:
    """Transfers, each once; a snapshot tells old ones again."""
    return [
        Record(body=moved)
        for row in frame.rows
        if state.bookings.move_is_new(row.time, f"{row.hash} {row.delta}")
        for moved in transfers.moves(row, state.identity.address)
    ]


def take_account(
    state: State, dex: str, dex_state: ClearinghouseState, now_ms: int
) -> list[Effect]:
    """One DEX's clearinghouse: equity to the log, positions to the agents."""
    state.clock.seen(dex_state.time, now_ms)
    if not state.account.take_state(dex, dex_state):
        return []
    held = state.account.dexes[dex]
    for market in state.markets:
        if dex_of(market) == dex:
            row = held.positions.get(market)
            sz = row.sz if row else Decimal(0)
            state.drifts.frame(market, sz, held.as_of_ms, now_ms)
    effects = agents.positions_frames(state, dex, now_ms)
    if now_ms - state.equity_ms.get(dex, 0) >= EQUITY_EVERY_MS:
        state.equity_ms[dex] = now_ms
        info = state.registry.dex(dex) if state.registry else None
        summary, token = dex_state.margin_summary, info.token if info else "USDC"
        effects.append(
            Record(
                body=Equity(
                    dex=dex,
                    token=token,
                    as_of_ms=dex_state.time,
                    account_value=summary.account_value,
                    raw_usd=summary.total_raw_usd,
                    margin_used=summary.total_margin_used,
                    token_mark_usd=state.token_mark_usd(token),
                )
            )
        )
    return effects


def take_open_orders(
    state: State,
    dex: str,
    orders: tuple[tuple[str, LiveOrder], ...],
    requested_ms: int | None,
    now_ms: int,
) -> list[Effect]:
    """All open orders of one DEX: asked for at ``requested_ms``, or pushed (None)."""
    state.account.take_orders(dex, orders)
    ours: list[tuple[Order, LiveOrder]] = []
    effects: list[Effect] = []
    state.strangers.pop(dex, None)
    for coin, row in orders:
        origin = parse_cloid(row.cloid)
        if origin is None:
            continue
        if origin.instance != state.digits:
            state.strangers[dex] = origin.instance
            effects += _second_controller(state, origin.instance)
            continue
        ours.append((_adopted(coin, row, origin.generation, now_ms), row))
    if requested_ms is None:
        listed = {order.cloid for order, _ in ours}
        for suspect in state.orders.suspects(dex, listed, now_ms):
            suspect.touched_ms = now_ms
            effects.append(requests.order_status(state, suspect.cloid, now_ms))
        requested_ms = 0
    state.orders.snapshot(dex, ours, requested_ms, now_ms)
    return effects


def _adopted(coin: str, row: LiveOrder, generation: int, now_ms: int) -> Order:
    return Order(
        cloid=row.cloid or "",
        market=coin,
        generation=generation,
        side=row.side,
        px=row.px,
        remaining_sz=row.remaining_sz,
        reduce_only=row.reduce_only,
        state=OrderState.OPEN,
        touched_ms=now_ms,
        oid=row.oid,
    )


def _second_controller(state: State, instance: str) -> list[Effect]:
    """Orders of our prefix from another fleet: two hands on one account."""
    effects: list[Effect] = []
    reason = f"another fleet (instance {instance}) has orders on this account"
    for market in state.markets:
        if state.fence.close(market, "second_controller", reason):
            state.refuse("second_controller")
            effects += agents.fence_frames(state, market)
    if effects:
        text = f"{reason}: fenced until one of them is ended and a person opens the fence"
        effects.append(Alert("critical", "second_controller", text))
    return effects


def _split_open_orders(state: State, raw: bytes, now_ms: int) -> list[Effect]:
    data = _open_rows(_peek(raw).data)
    by_coin: dict[str, list[msgspec.Raw]] = {}
    for row in data.orders:
        named = _coin(row)
        if not is_stop(named.cloid):
            by_coin.setdefault(named.coin, []).append(row)
    effects = questions.pushed(state, data.dex, data.orders, now_ms)
    for session in state.sessions.values():
        market = session.market
        if market is None or dex_of(market) != data.dex:
            continue
        if session.id not in state.routing.subscribers("openOrders", market):
            continue
        told = {
            "dex": data.dex,
            "user": state.identity.address,
            "orders": by_coin.get(market, []),
        }
        frame = _encode({"channel": "openOrders", "data": told})
        effects.append(Tell(session=session.id, data=frame))
    return effects
