"""From the venue's frames to typed values and back: the one place where JSON is read and written.

A frame's channel stands in its first bytes, so its decoder is picked before anything is parsed.
What is not the protocol raises ``MalformedFrame`` and nothing else.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from agents.commands import NewOrder
from agents.events import AssetCtx, Bbo, Book, OrderResult, Trades
from agents.exchange import codec_account
from agents.exchange.downstream import ToAgent
from agents.exchange.errors import MalformedFrame, OutcomeUnknown
from agents.exchange.frames import (
    AccountFrame,
    Ack,
    AllAccountsFrame,
    ErrorFrame,
    Frame,
    FundingRow,
    FundingRows,
    GwFrame,
    NonUserCancels,
    OpenOrdersFrame,
    Pong,
    PostFrame,
    Unread,
    UserFills,
    UserOrderUpdates,
)
from agents.exchange.wire_actions import (
    CancelByCloidAction,
    CancelByCloidWire,
    LimitTif,
    OrderAction,
    OrderKind,
    OrderWire,
)
from agents.exchange.wire_market import ActiveAssetCtxWire, BboWire, BookWire
from agents.market.instrument import wire
from agents.market.types import Cloid, Level, Oid, Side, Trade

__all__ = [
    "PING",
    "AccountFrame",
    "Ack",
    "AllAccountsFrame",
    "ErrorFrame",
    "Frame",
    "FundingRow",
    "FundingRows",
    "GwFrame",
    "NonUserCancels",
    "OpenOrdersFrame",
    "Pong",
    "PostFrame",
    "Unread",
    "UserFills",
    "UserOrderUpdates",
    "decode_cancel_answer",
    "decode_frame",
    "decode_info",
    "decode_order_answer",
    "encode_cancel",
    "encode_place",
    "post_frame",
    "subscribe_frame",
    "unsubscribe_frame",
]

PING: Final = b'{"method":"ping"}'
_HEAD: Final = b'{"channel":"'
_LOWER_F: Final = ord("f")
_UPPER_F: Final = ord("F")
_BOOK_HEAD: Final = b'{"channel":"l2Book"'

T = TypeVar("T")


class _Envelope(msgspec.Struct, frozen=True):
    channel: str


class _BookFrame(msgspec.Struct, frozen=True, gc=False):
    data: Book


class _EmptyBookFrame(msgspec.Struct, frozen=True, gc=False):
    data: BookWire


class _BboFrame(msgspec.Struct, frozen=True, gc=False):
    data: BboWire


class _TradesFrame(msgspec.Struct, frozen=True, gc=False):
    data: tuple[Trade, ...]


class _CtxFrame(msgspec.Struct, frozen=True):
    data: ActiveAssetCtxWire


class _AckFrame(msgspec.Struct, frozen=True):
    data: Ack


class _ErrorFrame(msgspec.Struct, frozen=True):
    data: str


class _PostResponse(msgspec.Struct, frozen=True):
    type: str
    payload: msgspec.Raw


class _PostData(msgspec.Struct, frozen=True):
    id: int
    response: _PostResponse


class _PostFrame(msgspec.Struct, frozen=True):
    data: _PostData


def _lax(kind: type[T]) -> Callable[[bytes], T]:
    """A decoder that reads numbers out of strings, as the venue sends them."""
    return msgspec.json.Decoder(kind, strict=False).decode


_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_book_frame: Final = _lax(_BookFrame)
_empty_book_frame: Final = _lax(_EmptyBookFrame)
_bbo_frame: Final = _lax(_BboFrame)
_trades_frame: Final = _lax(_TradesFrame)
_ctx_frame: Final = _lax(_CtxFrame)
_ack_frame: Final = _lax(_AckFrame)
_error_frame: Final = _lax(_ErrorFrame)
_post_frame: Final = _lax(_PostFrame)
_gw_frame: Final = msgspec.json.Decoder(ToAgent).decode


def _book(raw: bytes) -> Frame:
    return _checked(raw, _book_frame(raw).data)


def _checked(raw: bytes, book: Book) -> Book:
    """The book, if what the quick path cannot see is in order."""
    if not book.levels[0]:
        _empty_book_frame(raw)  # that the levels were said, not left out
    _require_finite(*book.levels[0], *book.levels[1])  # only a text with an f spells infinity
    return book


def _bbo(raw: bytes) -> Frame:
    data = _bbo_frame(raw).data
    _require_finite(*(level for level in data.bbo if level is not None))
    return Bbo(data.coin, data.time, data.bbo)


def _trades(raw: bytes) -> Frame:
    trades = _trades_frame(raw).data
    _require_finite(*trades)
    return Trades(trades)


def _require_finite(*items: Level | Trade) -> None:
    for item in items:
        if math.isinf(item.px) or math.isinf(item.sz):
            raise ValueError("a price or size is infinite")


def _ctx(raw: bytes) -> Frame:
    data = _ctx_frame(raw).data
    return AssetCtx(data.coin, data.ctx.mark_px, data.ctx.oracle_px, data.ctx.funding)


def _ack(raw: bytes) -> Frame:
    return _ack_frame(raw).data


def _error(raw: bytes) -> Frame:
    return ErrorFrame(_error_frame(raw).data)


def _post(raw: bytes) -> Frame:
    data = _post_frame(raw).data
    return PostFrame(data.id, data.response.type, data.response.payload.copy())


def _gw(raw: bytes) -> Frame:
    return GwFrame(_gw_frame(raw).data)


def _pong(raw: bytes) -> Frame:
    _envelope(raw)
    return Pong()


_BY_CHANNEL: Final[dict[bytes, Callable[[bytes], Frame]]] = {
    b"l2Book": _book,
    b"bbo": _bbo,
    b"trades": _trades,
    b"activeAssetCtx": _ctx,
    b"orderUpdates": codec_account.order_updates,
    b"userFills": codec_account.user_fills,
    b"user": codec_account.user_event,
    b"userFundings": codec_account.user_fundings,
    b"openOrders": codec_account.open_orders,
    b"clearinghouseState": codec_account.account,
    b"allDexsClearinghouseState": codec_account.all_accounts,
    b"post": _post,
    b"subscriptionResponse": _ack,
    b"pong": _pong,
    b"error": _error,
    b"gw": _gw,
}


def decode_frame(raw: bytes | str) -> Frame:
    """The typed value of one frame as received; ``Unread`` for a channel we don't read.

    ``MalformedFrame`` if it is not the venue's protocol, or a book or print has a price that is
    not positive and finite.
    """
    try:
        if isinstance(raw, str):
            raw = raw.encode()
        if raw[:19] == _BOOK_HEAD:  # most of all traffic: written out here, a call costs 1 %
            book = _book_frame(raw).data
            if book.levels[0] and _LOWER_F not in raw and _UPPER_F not in raw:
                return book
            return _checked(raw, book)
        if raw.startswith(_HEAD):
            channel = raw[12 : raw.index(b'"', 12)]
        else:
            channel = _envelope(raw).channel.encode()
        decode = _BY_CHANNEL.get(channel)
        if decode is not None:
            return decode(raw)
        return Unread(_envelope(raw).channel)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        raise MalformedFrame(f"{error} in {raw[:80]!r}") from error


def decode_info(raw: bytes, kind: type[T]) -> T:
    """An answer of ``/info`` as ``kind``, such as ``Meta`` or ``tuple[OpenOrder, ...]``.

    ``MalformedFrame`` if it is something else; ``null`` is, unless ``kind`` allows None.
    """
    try:
        return msgspec.json.decode(raw, type=kind, strict=False)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        raise MalformedFrame(f"{error} in {raw[:80]!r}") from error


# ── answers to our actions ───────────────────────────────────────────────────────────────────


class _Resting(msgspec.Struct, frozen=True):
    oid: Oid


class _Filled(msgspec.Struct, frozen=True, rename="camel"):
    oid: Oid
    total_sz: Decimal
    avg_px: Decimal


class _Status(msgspec.Struct, frozen=True):
    """One of the three."""

    resting: _Resting | None = None
    filled: _Filled | None = None
    error: str | None = None


class _Statuses(msgspec.Struct, frozen=True):
    statuses: tuple[str | _Status, ...]


class _Response(msgspec.Struct, frozen=True):
    type: str
    data: _Statuses | None = None


class _Answer(msgspec.Struct, frozen=True):
    status: str
    response: str | _Response


_answer: Final = _lax(_Answer)


def _statuses(payload: bytes | msgspec.Raw, count: int) -> tuple[str | _Status, ...]:
    """One status an item; a refusal of the whole batch stands for each of its items."""
    try:
        answer = _answer(bytes(payload))
    except (msgspec.MsgspecError, ValueError) as error:
        raise OutcomeUnknown(f"an answer that cannot be read: {error}") from error
    if isinstance(answer.response, str):
        if answer.status != "err":
            raise OutcomeUnknown(f"an answer of status {answer.status!r}: {answer.response}")
        return (_Status(error=answer.response),) * count
    statuses = answer.response.data.statuses if answer.response.data else ()
    if len(statuses) == 1 and isinstance(statuses[0], _Status) and statuses[0].error is not None:
        return statuses * count
    if answer.status != "ok" or len(statuses) != count:
        raise OutcomeUnknown(f"{count} items were sent and {len(statuses)} statuses came back")
    return statuses


def decode_order_answer(payload: bytes | msgspec.Raw, count: int) -> tuple[OrderResult, ...]:
    """The venue's word on each of the ``count`` orders of one action, in the order sent.

    One error for the whole batch is repeated ``count`` times. ``OutcomeUnknown`` if the answer
    cannot be read or does not fit: what was sent may rest.
    """
    return tuple(_order_result(status) for status in _statuses(payload, count))


def _order_result(status: str | _Status) -> OrderResult:
    if isinstance(status, str):  # waitingForFill, waitingForTrigger: accepted, no oid told
        return OrderResult("resting", text=status)
    if status.resting is not None:
        return OrderResult("resting", oid=status.resting.oid)
    if status.filled is not None:
        filled = status.filled
        if not (filled.total_sz.is_finite() and filled.avg_px.is_finite()):
            raise OutcomeUnknown(f"filled {filled.total_sz} at {filled.avg_px}")
        return OrderResult(
            "filled", oid=filled.oid, filled_sz=filled.total_sz, avg_px=filled.avg_px
        )
    if status.error is not None:
        return OrderResult("refused", text=status.error)
    raise OutcomeUnknown("a status that says neither resting, filled nor error")


def decode_cancel_answer(payload: bytes | msgspec.Raw, count: int) -> tuple[str | None, ...]:
    """None for each item cancelled, else the venue's text; errors as ``decode_order_answer``."""
    return tuple(_cancel_error(status) for status in _statuses(payload, count))


def _cancel_error(status: str | _Status) -> str | None:
    if status == "success":
        return None
    if isinstance(status, _Status) and status.error is not None:
        return status.error
    raise OutcomeUnknown(f"a cancel's status is {status!r}")


# ── what we send ─────────────────────────────────────────────────────────────────────────────

_KINDS: Final = {tif: OrderKind(limit=LimitTif(tif)) for tif in ("Alo", "Ioc")}


def encode_place(orders: Sequence[NewOrder], asset_id: int) -> OrderAction:
    """The action that places these orders in one market."""
    return OrderAction(
        orders=tuple(
            OrderWire(
                a=asset_id,
                b=order.side is Side.BID,
                p=wire(order.px),
                s=wire(order.sz),
                r=order.reduce_only,
                t=_KINDS[order.tif],
                c=order.cloid,
            )
            for order in orders
        ),
        grouping="na",
    )


def encode_cancel(cloids: Sequence[Cloid], asset_id: int) -> CancelByCloidAction:
    """The action that cancels these orders of one market."""
    return CancelByCloidAction(tuple(CancelByCloidWire(asset_id, cloid) for cloid in cloids))


def subscribe_frame(subscription: Mapping[str, object]) -> bytes:
    """Ask for a feed, such as ``{"type": "l2Book", "coin": "BTC"}``."""
    return msgspec.json.encode({"method": "subscribe", "subscription": subscription})


def unsubscribe_frame(subscription: Mapping[str, object]) -> bytes:
    """End a feed; ``subscription`` as it was asked for."""
    return msgspec.json.encode({"method": "unsubscribe", "subscription": subscription})


def post_frame(request_id: int, payload: object, kind: str = "action") -> bytes:
    """A post: ``payload`` is a signed body, or a request to /info where ``kind`` is ``info``."""
    request = {"type": kind, "payload": payload}
    return msgspec.json.encode({"method": "post", "id": request_id, "request": request})
