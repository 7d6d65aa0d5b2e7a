"""Frames to values and back: what is refused, what is tolerated."""

import json
from typing import Any

import msgspec
import pytest

from agents.events import AssetCtx, Bbo, Book, Trades
from agents.exchange import codec
from agents.exchange.downstream import PauseFrame, ToAgent
from agents.exchange.errors import MalformedFrame
from agents.exchange.wire import Meta
from agents.market.types import Coin, Level, Side, Tid, Trade


def _frame(channel: str, data: object) -> bytes:
    return msgspec.json.encode({"channel": channel, "data": data})


def _level(px: object = "100.5", sz: object = "2.0", n: object = 3) -> dict[str, object]:
    return {"px": px, "sz": sz, "n": n}


def _book(bids: list[Any], asks: list[Any], **more: object) -> bytes:
    return _frame("l2Book", {"coin": "BTC", "time": 5, "levels": [bids, asks], **more})


def test_a_book_is_typed_with_floats() -> None:
    book = codec.decode_frame(_book([_level()], [_level("101.0"), _level("102.0", "0.5", 1)]))
    assert book == Book(
        Coin("BTC"), 5, ((Level(100.5, 2.0, 3),), (Level(101.0, 2.0, 3), Level(102.0, 0.5, 1)))
    )


def test_spaces_other_key_order_and_str_decode_alike() -> None:
    data = {"levels": [[_level()], []], "time": 5, "coin": "xyz:TSLA", "spread": "1.0"}
    expected = codec.decode_frame(_frame("l2Book", data))
    assert isinstance(expected, Book)
    assert codec.decode_frame(json.dumps({"channel": "l2Book", "data": data})) == expected
    assert codec.decode_frame(json.dumps({"data": data, "channel": "l2Book"})) == expected


def test_a_book_may_be_empty_but_must_say_so() -> None:
    assert codec.decode_frame(_book([], [])) == Book(Coin("BTC"), 5)
    with pytest.raises(MalformedFrame):
        codec.decode_frame(_frame("l2Book", {"coin": "BTC", "time": 5}))
    with pytest.raises(MalformedFrame):
        codec.decode_frame(_frame("l2Book", None))


BAD_NUMBERS: list[object] = [
    "nan",
    "NaN",
    "-nan",
    "inf",
    "Infinity",
    "INF",
    "-inf",
    "1e999",
    "-1.0",
    "",
    "1,0",
    "0x10",
    None,
    True,
    [],
    {},
    -1,
]


@pytest.mark.parametrize("bad", BAD_NUMBERS)
@pytest.mark.parametrize("coin", ["BTC", "FARTCOIN"])
def test_no_unusable_number_enters_a_book_a_touch_or_a_print(bad: object, coin: str) -> None:
    for key in ("px", "sz"):
        level = _level() | {key: bad}
        trade = {"coin": coin, "side": "A", "px": "1.0", "sz": "1.0", "time": 1} | {key: bad}
        for raw in (
            _frame("l2Book", {"coin": coin, "time": 5, "levels": [[_level()], [level]]}),
            _frame("l2Book", {"coin": coin, "time": 5, "levels": [[level], []]}),
            _frame("bbo", {"coin": coin, "time": 5, "bbo": [level, None]}),
            _frame("trades", [trade]),
        ):
            with pytest.raises(MalformedFrame):
                codec.decode_frame(raw)


@pytest.mark.parametrize("zero", ["0", "0.0", "0e5", 0])
def test_a_price_of_zero_is_malformed(zero: object) -> None:
    with pytest.raises(MalformedFrame):
        codec.decode_frame(_book([_level(px=zero)], []))
    with pytest.raises(MalformedFrame):
        codec.decode_frame(
            _frame("activeAssetCtx", {"coin": "BTC", "ctx": {"markPx": zero, "oraclePx": "1"}})
        )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"channel":"',
        b'{"channel":"l2Book"',
        b'{"channel":"l2Book"}',
        b'{"channel":5}',
        b'{"channel":"pong"',
        b'{"channel":"news","data":',
        b'{"channel":"trades","data":{}}',
        b'{"channel":"post","data":{"id":"x"}}',
        "Websocket connection established.",
        "\ud800",
        b'{"channel":"news","data":' + b"[" * 100_000,
    ],
)
def test_garbage_is_a_malformed_frame(raw: bytes | str) -> None:
    with pytest.raises(MalformedFrame):
        codec.decode_frame(raw)


def test_the_touch_may_lack_a_side() -> None:
    raw = _frame("bbo", {"coin": "BTC", "time": 7, "bbo": [None, _level()]})
    assert codec.decode_frame(raw) == Bbo(Coin("BTC"), 7, (None, Level(100.5, 2.0, 3)))


def test_prints_carry_the_aggressors_side() -> None:
    raw = _frame(
        "trades",
        [{"coin": "BTC", "side": "A", "px": "9.5", "sz": "1.0", "time": 8, "tid": 4, "hash": "0x"}],
    )
    assert codec.decode_frame(raw) == Trades((Trade(Coin("BTC"), Side.ASK, 9.5, 1.0, 8, Tid(4)),))


def test_a_context_keeps_mark_oracle_and_hourly_funding() -> None:
    ctx = {"markPx": "2.0", "oraclePx": "2.5", "funding": "-0.00001", "midPx": None}
    raw = _frame("activeAssetCtx", {"coin": "BTC", "ctx": ctx})
    assert codec.decode_frame(raw) == AssetCtx(Coin("BTC"), 2.0, 2.5, -0.00001)


def test_a_posts_answer_keeps_its_payload_as_received() -> None:
    raw = b'{"channel":"post","data":{"id":9,"response":{"type":"action","payload":{"b": 1}}}}'
    frame = codec.decode_frame(raw)
    assert isinstance(frame, codec.PostFrame)
    assert (frame.id, frame.kind, bytes(frame.payload_raw)) == (9, "action", b'{"b": 1}')


def test_the_gateways_own_channel_is_read() -> None:
    raw = msgspec.json.encode(ToAgent(PauseFrame(paused=True)))
    assert codec.decode_frame(raw) == codec.GwFrame(PauseFrame(paused=True))
    with pytest.raises(MalformedFrame):
        codec.decode_frame(_frame("gw", {"type": "pause", "paused": "maybe"}))


def test_other_channels_are_let_be() -> None:
    assert codec.decode_frame(_frame("candle", {"t": 1})) == codec.Unread("candle")
    assert codec.decode_frame(b'{"channel":"pong"}') == codec.Pong()


def test_requests_are_framed_as_the_venue_expects() -> None:
    assert codec.PING == b'{"method":"ping"}'
    assert codec.subscribe_frame({"type": "bbo", "coin": "BTC"}) == (
        b'{"method":"subscribe","subscription":{"type":"bbo","coin":"BTC"}}'
    )
    assert codec.unsubscribe_frame({"type": "bbo"}) == (
        b'{"method":"unsubscribe","subscription":{"type":"bbo"}}'
    )
    assert codec.post_frame(4, {"nonce": 1}) == (
        b'{"method":"post","id":4,"request":{"type":"action","payload":{"nonce":1}}}'
    )


def test_answers_of_info_are_typed_or_malformed() -> None:
    raw = b'{"universe":[{"name":"BTC","szDecimals":5,"maxLeverage":40,"marginTableId":56}]}'
    assert codec.decode_info(raw, Meta).universe[0].name == "BTC"
    for bad in (b"null", b"{", b'{"universe":[{}]}'):
        with pytest.raises(MalformedFrame):
            codec.decode_info(bad, Meta)
