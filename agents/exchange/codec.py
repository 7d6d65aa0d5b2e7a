"""From the venue's frames to typed values, and from what we ask to frames: the door for JSON.

One decoder reads every channel: the frame's ``channel`` says which type its data have. What is not
the protocol raises ``MalformedFrame`` and nothing else.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from agents.events import AssetCtx, Bbo, Book, Trades
from agents.exchange import codec_account
from agents.exchange.codec_actions import (
    decode_cancel_answer,
    decode_order_answer,
    encode_cancel,
    encode_place,
    encode_replace,
)
from agents.exchange.downstream import GatewayFrame
from agents.exchange.errors import MalformedFrame
from agents.exchange.frames import (
    AccountFrame,
    Ack,
    AllAccountsFrame,
    ErrorFrame,
    Frame,
    FundingRow,
    FundingRows,
    GwFrame,
    LedgerRows,
    NonUserCancels,
    OpenOrdersFrame,
    Pong,
    PostFrame,
    Unread,
    UserFills,
    UserOrderUpdates,
)
from agents.exchange.wire_market import ActiveAssetCtxWire, BboWire, BookWire
from agents.market.types import Level, Trade

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
    "LedgerRows",
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
    "encode_replace",
    "post_frame",
    "subscribe_frame",
    "unsubscribe_frame",
]

PING: Final = b'{"method":"ping"}'
_LOWER_F: Final = ord("f")
_UPPER_F: Final = ord("F")

T = TypeVar("T")


class _Envelope(msgspec.Struct, frozen=True):
    channel: str


class _BookFrame(codec_account.Channel, frozen=True, gc=False, tag="l2Book"):
    data: Book


class _BboFrame(codec_account.Channel, frozen=True, gc=False, tag="bbo"):
    data: BboWire


class _TradesFrame(codec_account.Channel, frozen=True, gc=False, tag="trades"):
    data: tuple[Trade, ...]


class _CtxFrame(codec_account.Channel, frozen=True, gc=False, tag="activeAssetCtx"):
    data: ActiveAssetCtxWire


class _AckFrame(codec_account.Channel, frozen=True, gc=False, tag="subscriptionResponse"):
    data: Ack


class _ErrorFrame(codec_account.Channel, frozen=True, gc=False, tag="error"):
    data: str


class _PongFrame(codec_account.Channel, frozen=True, gc=False, tag="pong"):
    pass


class _GwFrame(codec_account.Channel, frozen=True, gc=False, tag="gw"):
    data: GatewayFrame


class _PostResponse(msgspec.Struct, frozen=True):
    type: str
    payload: msgspec.Raw


class _PostData(msgspec.Struct, frozen=True):
    id: int
    response: _PostResponse


class _PostFrame(codec_account.Channel, frozen=True, gc=False, tag="post"):
    data: _PostData


class _SaidBookFrame(msgspec.Struct, frozen=True):
    """A book whose levels must be there; in ``events.Book`` they may be left out."""

    data: BookWire


_Any = (
    _BookFrame
    | _BboFrame
    | _TradesFrame
    | _CtxFrame
    | _AckFrame
    | _ErrorFrame
    | _PongFrame
    | _GwFrame
    | _PostFrame
    | codec_account.AccountChannel
)
# Not strict: the venue writes numbers as strings.
_decode: Final[Callable[[bytes], msgspec.Struct]] = msgspec.json.Decoder(_Any, strict=False).decode
_said_book: Final = msgspec.json.Decoder(_SaidBookFrame, strict=False).decode
_envelope: Final = msgspec.json.Decoder(_Envelope).decode


def _bbo(frame: _BboFrame) -> Frame:
    data = frame.data
    for level in data.bbo:  # positive they are by type
        if level is not None and math.inf in (level.px, level.sz):
            raise ValueError("a price or size is infinite")
    return Bbo(data.coin, data.time, data.bbo)


def _trades(frame: _TradesFrame) -> Frame:
    _require_finite(*frame.data)
    return Trades(frame.data)


def _ctx(frame: _CtxFrame) -> Frame:
    ctx = frame.data.ctx
    return AssetCtx(frame.data.coin, ctx.mark_px, ctx.oracle_px, ctx.funding)


def _post(frame: _PostFrame) -> Frame:
    response = frame.data.response
    # A copy, so that a small answer does not keep its whole frame alive.
    return PostFrame(frame.data.id, response.type, response.payload.copy())


_READ: Final[dict[type[msgspec.Struct], Callable[[Any], Frame]]] = {
    _BboFrame: _bbo,
    _TradesFrame: _trades,
    _CtxFrame: _ctx,
    _AckFrame: lambda frame: frame.data,
    _ErrorFrame: lambda frame: ErrorFrame(frame.data),
    _PongFrame: lambda _: Pong(),
    _GwFrame: lambda frame: GwFrame(frame.data),
    _PostFrame: _post,
    **codec_account.READ,
}
_CHANNELS: Final = {"l2Book"} | {kind.__struct_config__.tag for kind in _READ}


def decode_frame(raw: bytes | str) -> Frame:
    """The typed value of one frame as received; ``Unread`` for a channel we don't read.

    ``MalformedFrame`` if it is not the venue's protocol, or a book or print has a price that is
    not positive and finite.
    """
    try:
        if isinstance(raw, str):
            raw = raw.encode()
        frame = _decode(raw)
        if type(frame) is _BookFrame:  # most of all traffic
            book = frame.data
            if book.levels[0] and _LOWER_F not in raw and _UPPER_F not in raw:
                return book
            return _checked(raw, book)
        return _READ[type(frame)](frame)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        return _unread(raw, error)


def _checked(raw: bytes, book: Book) -> Book:
    """The book, if what the quick path cannot see is in order."""
    if not book.levels[0]:
        _said_book(raw)
    _require_finite(*book.levels[0], *book.levels[1])  # only a text with an f spells infinity
    return book


def _require_finite(*items: Level | Trade) -> None:
    for item in items:
        if math.isinf(item.px) or math.isinf(item.sz):
            raise ValueError("a price or size is infinite")


def _unread(raw: bytes | str, error: Exception) -> Unread:
    """A well-formed frame of a channel not ours to read is no error; the rest is."""
    try:
        channel = _envelope(raw).channel
    except (msgspec.MsgspecError, ValueError, RecursionError):
        channel = None
    if channel is None or channel in _CHANNELS:
        raise MalformedFrame(f"{error} in {raw[:80]!r}") from error
    return Unread(channel)


def decode_info(raw: bytes, kind: type[T]) -> T:
    """An answer of ``/info`` as ``kind``, such as ``Meta`` or ``tuple[OpenOrder, ...]``.

    ``MalformedFrame`` if it is something else; ``null`` is, unless ``kind`` allows None.
    """
    try:
        return msgspec.json.decode(raw, type=kind, strict=False)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        raise MalformedFrame(f"{error} in {raw[:80]!r}") from error


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
