"""What one WebSocket frame of the venue or the gateway decodes to, where ``events`` has no word."""

from decimal import Decimal
from typing import Any

import msgspec

from agents.events import AssetCtx, Bbo, Book, LiveOrder, OrderUpdate, Trades
from agents.exchange.downstream import GatewayFrame
from agents.exchange.wire_account import ClearinghouseState, LedgerUpdateWire
from agents.market.types import Coin, Fill, Oid


class UserOrderUpdates(msgspec.Struct, frozen=True):
    """``orderUpdates``: rows of all markets; a coin may stand in several."""

    rows: tuple[tuple[Coin, OrderUpdate], ...]


class UserFills(msgspec.Struct, frozen=True):
    """``userFills``, and the fills of ``user``; ``is_snapshot`` marks the replay of old ones."""

    is_snapshot: bool
    user: str | None
    fills: tuple[Fill, ...]


class OpenOrdersFrame(msgspec.Struct, frozen=True):
    """``openOrders``: all open orders of one DEX, children of trigger orders left out."""

    dex: str
    user: str | None
    orders: tuple[tuple[Coin, LiveOrder], ...]


class AccountFrame(msgspec.Struct, frozen=True):
    """``clearinghouseState`` of one DEX."""

    dex: str
    user: str | None
    state: ClearinghouseState


class AllAccountsFrame(msgspec.Struct, frozen=True):
    """``allDexsClearinghouseState``: every DEX's state, of one moment."""

    user: str | None
    states: tuple[tuple[str, ClearinghouseState], ...]


class FundingRow(msgspec.Struct, frozen=True):
    """One hour's funding of one position; ``usd`` in the DEX's token, negative when paid."""

    coin: Coin
    time_ms: int
    usd: Decimal
    position_sz: Decimal
    rate: Decimal


class FundingRows(msgspec.Struct, frozen=True):
    """``userFundings``, and the funding of ``user``."""

    is_snapshot: bool
    rows: tuple[FundingRow, ...]


class LedgerRows(msgspec.Struct, frozen=True):
    """``userNonFundingLedgerUpdates``: deposits, transfers, withdrawals, liquidations."""

    is_snapshot: bool
    rows: tuple[LedgerUpdateWire, ...]


class NonUserCancels(msgspec.Struct, frozen=True):
    """Orders the venue cancelled of its own accord (``user``); ``orderUpdates`` says why."""

    rows: tuple[tuple[Coin, Oid], ...]


class PostFrame(msgspec.Struct, frozen=True):
    """Answer to a post. ``kind``: action, info or error; an error's payload is a JSON string."""

    id: int
    kind: str
    payload_raw: msgspec.Raw


class Ack(msgspec.Struct, frozen=True):
    """``subscriptionResponse``: the venue's canonical form, not an echo; match by type and coin."""

    method: str
    subscription: dict[str, Any]


class Pong(msgspec.Struct, frozen=True):
    """Answer to our ping."""


class ErrorFrame(msgspec.Struct, frozen=True):
    """The venue could not do what a frame of ours asked; ``text`` quotes it."""

    text: str


class GwFrame(msgspec.Struct, frozen=True):
    """A frame of the gateway's own channel."""

    frame: GatewayFrame


class Unread(msgspec.Struct, frozen=True):
    """A frame of a channel we don't read."""

    channel: str


Frame = (
    Book
    | Bbo
    | Trades
    | AssetCtx
    | UserOrderUpdates
    | UserFills
    | OpenOrdersFrame
    | AccountFrame
    | AllAccountsFrame
    | FundingRows
    | LedgerRows
    | NonUserCancels
    | PostFrame
    | Ack
    | Pong
    | ErrorFrame
    | GwFrame
    | Unread
)
