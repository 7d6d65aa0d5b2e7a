"""Actions as they are hashed, and what the venue's answers to them mean."""

from decimal import Decimal

import msgspec
import pytest

from agents.commands import NewOrder
from agents.events import OrderResult
from agents.exchange import codec
from agents.exchange.errors import OutcomeUnknown
from agents.market.types import Cloid, Side

CLOID = Cloid("0x" + "0f" * 16)


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


def test_a_replacement_names_the_old_order_and_holds_the_new_one() -> None:
    old, new = Cloid("0x" + "1" * 32), Cloid("0x" + "2" * 32)
    order = NewOrder(new, Side.BID, Decimal("83761.0"), Decimal("0.001"), replaces=old)
    assert msgspec.json.encode(codec.encode_replace([order], 0)) == (
        b'{"type":"batchModify","modifies":[{"oid":"%b","order":{"a":0,"b":true,"p":"83761",'
        b'"s":"0.001","r":false,"t":{"limit":{"tif":"Alo"}},"c":"%b"}}]}'
        % (old.encode(), new.encode())
    )


def test_a_cancel_names_asset_and_cloid() -> None:
    assert msgspec.json.encode(codec.encode_cancel([CLOID], 7)) == (
        b'{"type":"cancelByCloid","cancels":[{"asset":7,"cloid":"%b"}]}' % CLOID.encode()
    )
