"""From the frames of user channels to our orders, fills, funding and account states."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from agents.events import LiveOrder, OrderUpdate
from agents.exchange.frames import (
    AccountFrame,
    AllAccountsFrame,
    Frame,
    FundingRow,
    FundingRows,
    LedgerRows,
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
    LedgerUpdateWire,
    OpenOrder,
    OrderUpdateWire,
    WsFill,
)
from agents.market.types import Coin, Fill, Oid


class Channel(msgspec.Struct, frozen=True, gc=False, tag_field="channel"):
    """Base of the channels' frames; the tag is the channel's name."""


class OrderUpdatesFrame(Channel, frozen=True, gc=False, tag="orderUpdates"):
    data: tuple[OrderUpdateWire, ...]


class _Fills(msgspec.Struct, frozen=True, rename="camel"):
    fills: tuple[WsFill, ...]
    user: str | None = None
    is_snapshot: bool = False


class FillsFrame(Channel, frozen=True, gc=False, tag="userFills"):
    data: _Fills


class _Cancelled(msgspec.Struct, frozen=True):
    coin: Coin
    oid: Oid


class _UserEvent(msgspec.Struct, frozen=True, rename="camel"):
    """One of them; liquidations and TWAP rows are not ours to read."""

    fills: tuple[WsFill, ...] | None = None
    funding: FundingWire | None = None
    non_user_cancel: tuple[_Cancelled, ...] | None = None


class UserEventFrame(Channel, frozen=True, gc=False, tag="user"):
    data: _UserEvent


class _Fundings(msgspec.Struct, frozen=True, rename="camel"):
    fundings: tuple[FundingWire, ...]
    is_snapshot: bool = False


class FundingsFrame(Channel, frozen=True, gc=False, tag="userFundings"):
    data: _Fundings


class _LedgerUpdates(msgspec.Struct, frozen=True, rename="camel"):
    non_funding_ledger_updates: tuple[LedgerUpdateWire, ...]
    is_snapshot: bool = False


class LedgerUpdatesFrame(Channel, frozen=True, gc=False, tag="userNonFundingLedgerUpdates"):
    data: _LedgerUpdates


class _OpenOrders(msgspec.Struct, frozen=True):
    orders: tuple[FrontendOrder, ...]
    dex: str = ""
    user: str | None = None


class OpenOrdersChannel(Channel, frozen=True, gc=False, tag="openOrders"):
    data: _OpenOrders


class _Account(msgspec.Struct, frozen=True, rename="camel"):
    clearinghouse_state: ClearinghouseState
    dex: str = ""
    user: str | None = None


class AccountStateFrame(Channel, frozen=True, gc=False, tag="clearinghouseState"):
    data: _Account


class _AllAccounts(msgspec.Struct, frozen=True, rename="camel"):
    clearinghouse_states: tuple[tuple[str, ClearinghouseState], ...]
    user: str | None = None


class AllAccountStatesFrame(Channel, frozen=True, gc=False, tag="allDexsClearinghouseState"):
    data: _AllAccounts


AccountChannel = (
    OrderUpdatesFrame
    | FillsFrame
    | UserEventFrame
    | FundingsFrame
    | LedgerUpdatesFrame
    | OpenOrdersChannel
    | AccountStateFrame
    | AllAccountStatesFrame
)


def _order_updates(frame: OrderUpdatesFrame) -> Frame:
    return UserOrderUpdates(tuple((row.order.coin, to_update(row)) for row in frame.data))


def _fills(frame: FillsFrame) -> Frame:
    data = frame.data
    return UserFills(data.is_snapshot, data.user, tuple(map(to_fill, data.fills)))


def _user_event(frame: UserEventFrame) -> Frame:
    data = frame.data
    if data.fills is not None:
        return UserFills(is_snapshot=False, user=None, fills=tuple(map(to_fill, data.fills)))
    if data.funding is not None:
        return FundingRows(is_snapshot=False, rows=(to_funding(data.funding),))
    if data.non_user_cancel is not None:
        return NonUserCancels(tuple((row.coin, row.oid) for row in data.non_user_cancel))
    return Unread("user")


def _fundings(frame: FundingsFrame) -> Frame:
    return FundingRows(frame.data.is_snapshot, tuple(map(to_funding, frame.data.fundings)))


def _ledger_updates(frame: LedgerUpdatesFrame) -> Frame:
    return LedgerRows(frame.data.is_snapshot, frame.data.non_funding_ledger_updates)


def _open_orders(frame: OpenOrdersChannel) -> Frame:
    data = frame.data
    orders = tuple((order.coin, to_live(order)) for order in data.orders)
    return OpenOrdersFrame(data.dex, data.user, orders)


def _account(frame: AccountStateFrame) -> Frame:
    return AccountFrame(frame.data.dex, frame.data.user, frame.data.clearinghouse_state)


def _all_accounts(frame: AllAccountStatesFrame) -> Frame:
    return AllAccountsFrame(frame.data.user, frame.data.clearinghouse_states)


READ: Final[dict[type[msgspec.Struct], Callable[[Any], Frame]]] = {
    OrderUpdatesFrame: _order_updates,
    FillsFrame: _fills,
    UserEventFrame: _user_event,
    FundingsFrame: _fundings,
    LedgerUpdatesFrame: _ledger_updates,
    OpenOrdersChannel: _open_orders,
    AccountStateFrame: _account,
    AllAccountStatesFrame: _all_accounts,
}


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
        liquidated=row.liquidation is not None and row.crossed,
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
