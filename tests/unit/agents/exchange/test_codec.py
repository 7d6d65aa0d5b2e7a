"""Frames to values and back: what is refused, what is tolerated, what an answer means."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agents.commands import NewOrder
from agents.events import AssetCtx, Bbo, Book, OrderResult, Trades
from agents.exchange import codec
from agents.exchange.downstream import PauseFrame, ToAgent
from agents.exchange.errors import MalformedFrame, OutcomeUnknown
from agents.exchange.wire import Meta
from agents.market.types import Cloid, Coin, Level, Side, Tid, Trade

CLOID = Cloid("0x" + "0f" * 16)


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


# ── answers ──────────────────────────────────────────────────────────────────────────────────


def _answer(*statuses: object, kind: str = "order") -> bytes:
    response = {"type": kind, "data": {"statuses": statuses}}
    return msgspec.json.encode({"status": "ok", "response": response})


def test_each_order_gets_its_own_word() -> None:
    payload = _answer(
        {"resting": {"oid": 5, "cloid": CLOID}},
        {"filled": {"totalSz": "0.02", "avgPx": "1891.4", "oid": 6}},
        {"error": "Insufficient margin to place order. asset=4"},
        "waitingForTrigger",
    )
    resting, filled, refused, waiting = codec.decode_order_answer(payload, 4)
    assert (resting.kind, resting.oid) == ("resting", 5)
    assert (filled.kind, filled.oid, filled.filled_sz, filled.avg_px) == (
        "filled",
        6,
        Decimal("0.02"),
        Decimal("1891.4"),
    )
    assert (refused.kind, refused.text[:19]) == ("refused", "Insufficient margin")
    assert (waiting.kind, waiting.oid) == ("resting", None)


def test_one_error_for_the_batch_is_every_orders_error() -> None:
    assert (
        codec.decode_order_answer(_answer({"error": "no"}), 3)
        == (OrderResult("refused", text="no"),) * 3
    )
    refused = b'{"status":"err","response":"Action already expired"}'
    assert codec.decode_cancel_answer(refused, 2) == ("Action already expired",) * 2


def test_a_cancel_is_done_or_has_a_reason() -> None:
    payload = _answer("success", {"error": "Order was never placed"}, kind="cancel")
    assert codec.decode_cancel_answer(payload, 2) == (None, "Order was never placed")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"<html>",
        b"null",
        b'{"status":"ok","response":{"type":"default"}}',
        b'{"status":"ok","response":"what"}',
        _answer({"resting": {"oid": 1}}, {"resting": {"oid": 2}}, {"resting": {"oid": 3}}),
        _answer({"resting": {"oid": 1}}),
        _answer({}, {}),
        _answer(
            {"filled": {"totalSz": "nan", "avgPx": "1", "oid": 1}},
            {"filled": {"totalSz": "1", "avgPx": "1", "oid": 1}},
        ),
    ],
)
def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown(payload: bytes) -> None:
    with pytest.raises(OutcomeUnknown) as raised:
        codec.decode_order_answer(payload, 2)
    assert raised.value.may_have_happened


def test_a_cancels_answer_that_cannot_be_read_leaves_the_outcome_unknown() -> None:
    with pytest.raises(OutcomeUnknown):
        codec.decode_cancel_answer(_answer("perhaps", kind="cancel"), 1)


# ── what we send ─────────────────────────────────────────────────────────────────────────────


def test_a_placement_is_written_in_hash_order_with_exact_numbers() -> None:
    order = NewOrder(CLOID, Side.BID, Decimal("83760.0"), Decimal("0.0010"))
    taking = NewOrder(CLOID, Side.ASK, Decimal("1E+5"), Decimal(2), reduce_only=True, tif="Ioc")
    assert msgspec.json.encode(codec.encode_place([order, taking], 110000)) == (
        b'{"type":"order","orders":['
        b'{"a":110000,"b":true,"p":"83760","s":"0.001","r":false,"t":{"limit":{"tif":"Alo"}},'
        b'"c":"%b"},'
        b'{"a":110000,"b":false,"p":"100000","s":"2","r":true,"t":{"limit":{"tif":"Ioc"}},'
        b'"c":"%b"}],"grouping":"na"}' % (CLOID.encode(), CLOID.encode())
    )


def test_a_cancel_names_asset_and_cloid() -> None:
    assert msgspec.json.encode(codec.encode_cancel([CLOID], 7)) == (
        b'{"type":"cancelByCloid","cancels":[{"asset":7,"cloid":"%b"}]}' % CLOID.encode()
    )


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
