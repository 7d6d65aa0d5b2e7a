"""Frames of market data: passed on byte for byte, and read for touch, mark and freshness."""

from typing import Final

import msgspec

from agents.events import AssetCtx, Bbo
from agents.exchange.codec import decode_frame
from agents.exchange.errors import MalformedFrame
from fleet.gateway.core.account import Touch
from fleet.gateway.core.effects import Effect, Record, Tell
from fleet.gateway.core.routing import MARKET_CHANNELS
from fleet.gateway.core.state import State
from fleet.gateway.records import MarketSeen

_SLOTTED: Final = frozenset({"bbo", "l2Book", "activeAssetCtx"})
_TOUCH: Final = frozenset({"bbo", "l2Book"})


class _Coin(msgspec.Struct, frozen=True, gc=False):
    coin: str
    fast: bool = False


class _Px(msgspec.Struct, frozen=True, gc=False):
    px: float


class _Book(msgspec.Struct, frozen=True, gc=False):
    coin: str
    time: int
    levels: tuple[tuple[_Px, ...], tuple[_Px, ...]]
    fast: bool = False


class _Peek(msgspec.Struct, frozen=True, gc=False):
    channel: str
    data: msgspec.Raw = msgspec.Raw(b"null")


_peek = msgspec.json.Decoder(_Peek).decode
_coin = msgspec.json.Decoder(_Coin).decode
_coins = msgspec.json.Decoder(list[_Coin]).decode
_book = msgspec.json.Decoder(_Book, strict=False).decode


def take(state: State, raw: bytes, now_ms: int) -> list[Effect] | None:
    """A market-data frame to its subscribers; None if it is another channel's.

    ``MalformedFrame`` if it can't be read.
    """
    try:
        peek = _peek(raw)
        if peek.channel not in MARKET_CHANNELS:
            return None
        if peek.channel == "trades":
            prints = _coins(peek.data)
            if not prints:
                return []
            head = prints[0]
        else:
            head = _coin(peek.data)
    except msgspec.MsgspecError as error:
        raise MalformedFrame(f"{error} in {raw[:80]!r}") from error
    key = (peek.channel, head.coin, peek.channel == "l2Book" and head.fast)
    sessions = state.routing.frame(key, raw) or ()
    slot = f"{peek.channel}:{head.coin}:{head.fast}" if peek.channel in _SLOTTED else None
    if peek.channel in {"bbo", "activeAssetCtx"}:
        _learn(state, raw, now_ms)
    elif peek.channel == "l2Book":
        touch = state.account.touches.get(head.coin)
        if touch is not None:
            seen = msgspec.structs.replace(touch, seen_ms=now_ms)
            state.account.touches[head.coin] = seen
        if head.fast:
            _clocked(state, peek.data, now_ms)
    if peek.channel in _TOUCH and state.feeds.silent(head.coin, now_ms):
        return []
    return [Tell(session=s, data=raw, slot=slot) for s in sessions]


def _clocked(state: State, data: msgspec.Raw, now_ms: int) -> None:
    book = _book(data)
    bids, asks = book.levels
    state.feeds.clocked(book.coin, now_ms)
    state.feeds.told(
        book.coin, "l2Book", book.time, bids[0].px if bids else None, asks[0].px if asks else None
    )


def _learn(state: State, raw: bytes, now_ms: int) -> None:
    frame = decode_frame(raw)
    if isinstance(frame, Bbo):
        bid, ask = frame.bbo
        state.account.touches[frame.coin] = Touch(
            bid_px=bid.px if bid else None,
            ask_px=ask.px if ask else None,
            venue_ms=frame.venue_ms,
            seen_ms=now_ms,
        )
        touch = state.account.touches[frame.coin]
        state.feeds.told(frame.coin, "bbo", frame.venue_ms, touch.bid_px, touch.ask_px)
    elif isinstance(frame, AssetCtx):
        state.account.marks[frame.coin] = frame.mark_px
        state.account.oracles[frame.coin] = frame.oracle_px
        state.account.mark_seen_ms[frame.coin] = now_ms


def market_seen(state: State, coin: str) -> Effect | None:
    touch = state.account.touches.get(coin)
    if touch is None:
        return None
    return Record(
        body=MarketSeen(
            market=coin,
            venue_ms=touch.venue_ms,
            bid_px=touch.bid_px,
            ask_px=touch.ask_px,
            mark_px=state.account.marks.get(coin),
        )
    )
