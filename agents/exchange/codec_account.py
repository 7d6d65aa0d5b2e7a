"""From the frames of user channels to our orders, fills, funding and account states."""

from typing import Final

import msgspec

from agents.events import LiveOrder, OrderUpdate
from agents.exchange.frames import (
    AccountFrame,
    AllAccountsFrame,
    Frame,
    FundingRow,
    FundingRows,
    NonUserCancels,
    OpenOrdersFrame,
    Unread,
    UserFills,
    UserOrderUpdates,
)
from agents.exchange.wire_account import (
    ClearinghouseState,
    FrontendOrder,
    FundingWire,
    OpenOrder,
    OrderUpdateWire,
    WsFill,
)
from agents.market.types import Coin, Fill, Oid


class _OrderUpdatesFrame(msgspec.Struct, frozen=True):
    data: tuple[OrderUpdateWire, ...]


class _Fills(msgspec.Struct, frozen=True, rename="camel"):
    fills: tuple[WsFill, ...]
    user: str | None = None
    is_snapshot: bool = False


class _FillsFrame(msgspec.Struct, frozen=True):
    data: _Fills


class _Cancelled(msgspec.Struct, frozen=True):
    coin: Coin
    oid: Oid


class _UserEvent(msgspec.Struct, frozen=True, rename="camel"):
    """One of them; liquidations and TWAP rows are not ours to read."""

    fills: tuple[WsFill, ...] | None = None
    funding: FundingWire | None = None
    non_user_cancel: tuple[_Cancelled, ...] | None = None


class _UserEventFrame(msgspec.Struct, frozen=True):
    data: _UserEvent


class _Fundings(msgspec.Struct, frozen=True, rename="camel"):
    fundings: tuple[FundingWire, ...]
    is_snapshot: bool = False


class _FundingsFrame(msgspec.Struct, frozen=True):
    data: _Fundings


class _OpenOrders(msgspec.Struct, frozen=True):
    orders: tuple[FrontendOrder, ...]
    dex: str = ""
    user: str | None = None


class _OpenOrdersFrame(msgspec.Struct, frozen=True):
    data: _OpenOrders


class _Account(msgspec.Struct, frozen=True, rename="camel"):
    clearinghouse_state: ClearinghouseState
    dex: str = ""
    user: str | None = None


class _AccountFrame(msgspec.Struct, frozen=True):
    data: _Account


class _AllAccounts(msgspec.Struct, frozen=True, rename="camel"):
    clearinghouse_states: tuple[tuple[str, ClearinghouseState], ...]
    user: str | None = None


class _AllAccountsFrame(msgspec.Struct, frozen=True):
    data: _AllAccounts


_order_updates_frame: Final = msgspec.json.Decoder(_OrderUpdatesFrame, strict=False)
_fills_frame: Final = msgspec.json.Decoder(_FillsFrame, strict=False)
_user_event_frame: Final = msgspec.json.Decoder(_UserEventFrame, strict=False)
_fundings_frame: Final = msgspec.json.Decoder(_FundingsFrame, strict=False)
_open_orders_frame: Final = msgspec.json.Decoder(_OpenOrdersFrame, strict=False)
_account_frame: Final = msgspec.json.Decoder(_AccountFrame, strict=False)
_all_accounts_frame: Final = msgspec.json.Decoder(_AllAccountsFrame, strict=False)


def order_updates(raw: bytes) -> Frame:
    """``orderUpdates``."""
    rows = _order_updates_frame.decode(raw).data
    return UserOrderUpdates(tuple((row.order.coin, to_update(row)) for row in rows))


def user_fills(raw: bytes) -> Frame:
    """``userFills``."""
    data = _fills_frame.decode(raw).data
    return UserFills(data.is_snapshot, data.user, tuple(map(to_fill, data.fills)))


def user_event(raw: bytes) -> Frame:
    """``user``: one of its events, ``Unread`` if it is none that we act on."""
    data = _user_event_frame.decode(raw).data
    if data.fills is not None:
        return UserFills(is_snapshot=False, user=None, fills=tuple(map(to_fill, data.fills)))
    if data.funding is not None:
        return FundingRows(is_snapshot=False, rows=(to_funding(data.funding),))
    if data.non_user_cancel is not None:
        return NonUserCancels(tuple((row.coin, row.oid) for row in data.non_user_cancel))
    return Unread("user")


def user_fundings(raw: bytes) -> Frame:
    """``userFundings``."""
    data = _fundings_frame.decode(raw).data
    return FundingRows(data.is_snapshot, tuple(map(to_funding, data.fundings)))


def open_orders(raw: bytes) -> Frame:
    """``openOrders``."""
    data = _open_orders_frame.decode(raw).data
    orders = tuple((order.coin, to_live(order)) for order in data.orders)
    return OpenOrdersFrame(data.dex, data.user, orders)


def account(raw: bytes) -> Frame:
    """``clearinghouseState``."""
    data = _account_frame.decode(raw).data
    return AccountFrame(data.dex, data.user, data.clearinghouse_state)


def all_accounts(raw: bytes) -> Frame:
    """``allDexsClearinghouseState``."""
    data = _all_accounts_frame.decode(raw).data
    return AllAccountsFrame(data.user, data.clearinghouse_states)


def to_update(row: OrderUpdateWire) -> OrderUpdate:
    """An order's change as the engine is told it."""
    order = row.order
    return OrderUpdate(
        oid=order.oid,
        cloid=order.cloid,
        side=order.side,
        px=order.limit_px,
        remaining_sz=order.sz,
        orig_sz=order.orig_sz,
        status=row.status,
        status_ms=row.status_timestamp,
    )


def to_live(order: OpenOrder) -> LiveOrder:
    """An open order as the engine is told it; also for rows of /info."""
    return LiveOrder(
        oid=order.oid,
        cloid=order.cloid,
        side=order.side,
        px=order.limit_px,
        remaining_sz=order.sz,
        orig_sz=order.orig_sz,
        placed_ms=order.timestamp,
        reduce_only=bool(order.reduce_only),
    )


def to_fill(row: WsFill) -> Fill:
    """A fill of ours; also for rows of /info."""
    return Fill(
        coin=row.coin,
        side=row.side,
        px=row.px,
        sz=row.sz,
        time_ms=row.time,
        tid=row.tid,
        oid=row.oid,
        cloid=row.cloid,
        fee=row.fee,
        fee_token=row.fee_token,
        crossed=row.crossed,
        start_position_sz=row.start_position,
        closed_pnl=row.closed_pnl,
    )


def to_funding(row: FundingWire) -> FundingRow:
    """One hour's funding of one position."""
    return FundingRow(
        coin=row.coin,
        time_ms=row.time,
        usd=row.usdc,
        position_sz=row.szi,
        rate=row.funding_rate,
    )
