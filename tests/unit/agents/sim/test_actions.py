"""Shapes of actions: what is taken, what is 422, and when in a block it runs."""

from typing import Any

import pytest

from agents.sim.actions import (
    BatchModify,
    action_count,
    modified,
    parse_action,
    parse_address,
    place_class,
)
from agents.sim.outputs import UnknownRequest
from tests.unit.agents.sim.desk import cloid, order, orders

LIMIT = order(0, "B", "84000", "0.1")


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"type": "launch"},
        {"type": "order"},
        {"type": "order", "orders": [LIMIT], "grouping": "tpsl"},
        orders(LIMIT | {"t": {"limit": {"tif": "GTC"}}}),
        orders(LIMIT | {"t": {"market": {}}}),
        orders(LIMIT | {"t": {"trigger": {"isMarket": True, "triggerPx": 1, "tpsl": "sl"}}}),
        orders(LIMIT | {"t": {}}),
        orders(LIMIT | {"a": -1}),
        orders(LIMIT | {"s": 0.1}),
        orders(LIMIT | {"p": "1e5"}),
        orders(LIMIT | {"p": "NaN"}),
        orders(LIMIT | {"p": "-1"}),
        orders(LIMIT | {"p": "9" * 40}),
        orders(LIMIT | {"c": "0x12"}),
        {"type": "cancel", "cancels": [{"asset": 0, "cloid": cloid(1)}]},
        {"type": "cancelByCloid", "cancels": [{"a": 0, "o": 1}]},
        {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 5.5},
    ],
)
def test_what_does_not_fit_is_unknown(action: dict[str, Any]) -> None:
    with pytest.raises(UnknownRequest, match="Failed to deserialize the JSON body"):
        parse_action(action)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (orders(LIMIT, LIMIT), 1),
        (orders(LIMIT, order(0, "B", "84000", "0.1", tif="Ioc")), 3),
        (orders(order(0, "B", "84000", "0.1", tif="Gtc")), 3),
        ({"type": "cancel", "cancels": [{"a": 0, "o": 1}], "f": True}, 2),
        ({"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": cloid(1)}]}, 2),
        ({"type": "noop"}, 1),
        ({"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 5}, 1),
        ({"type": "modify", "oid": 1, "order": LIMIT | {"t": {"limit": {"tif": "Gtc"}}}}, 1),
        ({"type": "modify", "oid": 1, "order": LIMIT | {"t": {"limit": {"tif": "Ioc"}}}}, 3),
        ({"type": "batchModify", "modifies": [{"oid": cloid(1), "order": LIMIT}]}, 1),
    ],
)
def test_class_inside_a_block(action: dict[str, Any], expected: int) -> None:
    assert place_class(parse_action(action)) == expected


def test_a_batch_counts_each_item() -> None:
    assert action_count(parse_action(orders(LIMIT, LIMIT, LIMIT))) == 3
    assert action_count(parse_action({"type": "noop"})) == 1


def test_a_modify_to_gtc_becomes_alo_unless_always_place() -> None:
    gtc = order(0, "B", "84000", "0.1", tif="Gtc")
    parsed = parse_action({"type": "batchModify", "modifies": [{"oid": 1, "order": gtc}]})
    assert isinstance(parsed, BatchModify)
    wire = parsed.modifies[0].order
    assert modified(wire, always=False).tif == "Alo"
    assert modified(wire, always=True) is wire


def test_addresses_are_lowercased_and_prefixed() -> None:
    assert parse_address("0x" + "AB" * 20) == "0x" + "ab" * 20
    assert parse_address("AB" * 20) == "0x" + "ab" * 20
    with pytest.raises(UnknownRequest):
        parse_address("0x12")
