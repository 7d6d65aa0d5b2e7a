"""Whatever arrives, a frame decodes or is malformed; what decodes is usable."""

import contextlib
import math
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from agents.events import Bbo, Book, Trades
from agents.exchange import codec
from agents.exchange.errors import MalformedFrame, OutcomeUnknown

CHANNELS = [
    "l2Book",
    "bbo",
    "trades",
    "activeAssetCtx",
    "orderUpdates",
    "userFills",
    "user",
    "userFundings",
    "openOrders",
    "clearinghouseState",
    "allDexsClearinghouseState",
    "post",
    "subscriptionResponse",
    "pong",
    "error",
    "gw",
    "news",
]
NUMBERS = st.one_of(
    st.sampled_from(["nan", "inf", "-inf", "1e999", "0", "0.0", "-1", "1.5", "", "x", "Infinity"]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats().map(repr),
    st.integers(-(2**70), 2**70),
    st.none(),
    st.booleans(),
)
KEYS = st.sampled_from(
    [
        "coin",
        "time",
        "levels",
        "px",
        "sz",
        "n",
        "side",
        "tid",
        "bbo",
        "ctx",
        "markPx",
        "oraclePx",
        "funding",
        "order",
        "status",
        "oid",
        "cloid",
        "user",
        "fills",
        "isSnapshot",
        "orders",
        "dex",
        "response",
        "id",
        "type",
        "payload",
        "limitPx",
        "origSz",
        "timestamp",
        "fee",
    ]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    NUMBERS | st.text(max_size=8) | st.sampled_from(["BTC", "B", "A", "open"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)
LEVELS = st.lists(st.fixed_dictionaries({"px": NUMBERS, "sz": NUMBERS, "n": NUMBERS}), max_size=3)
BOOKS = st.fixed_dictionaries(
    {
        "coin": st.sampled_from(["BTC", "FARTCOIN", "xyz:NVDA", 5]),
        "time": NUMBERS | st.just(1),
        "levels": st.lists(LEVELS, min_size=1, max_size=3) | JSON,
    }
)


def _decode(raw: bytes | str) -> codec.Frame | None:
    try:
        return codec.decode_frame(raw)
    except MalformedFrame:
        return None


@given(st.binary(max_size=200) | st.text(max_size=200))
@example(b'{"channel":"l2Book","data":{"coin":"B","time":1,"levels":[[],[{"px":"inF","sz":"1"}]]}}')
def test_any_bytes_decode_or_are_malformed(raw: bytes | str) -> None:
    _decode(raw)


@given(st.sampled_from(CHANNELS), st.binary(max_size=80))
def test_any_tail_of_a_known_channel_decodes_or_is_malformed(channel: str, tail: bytes) -> None:
    _decode(b'{"channel":"' + channel.encode() + b'"' + tail)


@given(st.sampled_from(CHANNELS), JSON)
def test_any_data_on_a_known_channel_decodes_or_is_malformed(channel: str, data: Any) -> None:
    _decode(msgspec.json.encode({"channel": channel, "data": data}))


@given(BOOKS)
def test_a_book_that_decodes_holds_usable_numbers(data: Any) -> None:
    frame = _decode(msgspec.json.encode({"channel": "l2Book", "data": data}))
    if frame is not None:
        assert isinstance(frame, Book)
        for level in (*frame.bids, *frame.asks):
            assert 0 < level.px < math.inf
            assert 0 <= level.sz < math.inf


@given(NUMBERS, NUMBERS)
def test_a_touch_or_print_that_decodes_holds_usable_numbers(px: Any, sz: Any) -> None:
    level = {"px": px, "sz": sz, "n": 1}
    touch = _decode(
        msgspec.json.encode(
            {"channel": "bbo", "data": {"coin": "BTC", "time": 1, "bbo": [None, level]}}
        )
    )
    trade = {"coin": "BTC", "side": "B", "px": px, "sz": sz, "time": 1, "tid": 2}
    prints = _decode(msgspec.json.encode({"channel": "trades", "data": [trade]}))
    assert (touch is None) == (prints is None)
    if isinstance(touch, Bbo) and isinstance(prints, Trades):
        ask = touch.bbo[1]
        assert ask is not None
        for number in (ask.px, prints.trades[0].px):
            assert 0 < number < math.inf
        assert 0 <= ask.sz < math.inf


@given(st.binary(max_size=60) | JSON.map(msgspec.json.encode), st.integers(1, 4))
def test_any_answer_is_read_or_leaves_the_outcome_unknown(payload: bytes, count: int) -> None:
    with contextlib.suppress(OutcomeUnknown):
        assert len(codec.decode_order_answer(payload, count)) == count
    with contextlib.suppress(OutcomeUnknown):
        assert len(codec.decode_cancel_answer(payload, count)) == count
