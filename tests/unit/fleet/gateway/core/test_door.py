"""What the door turns away, and under which word."""

from decimal import Decimal

import msgspec
import pytest

from agents.commands import NewOrder
from agents.exchange.codec import encode_place
from agents.exchange.wire import OrderAction
from agents.market.instrument import Instrument
from agents.market.types import Cloid, Coin, Side
from fleet.gateway.core.door import DIRECTIVE_MAX_MS, Door, Refused, check
from fleet.gateway.core.limits import Exposure

PREFIX = "f1eeabc1230001000001"
FLAT = Exposure(Decimal(0), Decimal(0), Decimal(0))
LONG = Exposure(Decimal(5), Decimal(0), Decimal(0))
OPEN = Door(
    instrument=Instrument(coin=Coin("BTC"), asset_id=3, sz_decimals=3, leverage_max=40),
    cloid_prefix=PREFIX, shut=None, latched=False, paused=False, draining=False, mode="normal",
    directive_age_ms=0, exposure=FLAT, mark_usd=100.0, position_max_usd=1_000.0,
    is_duplicate=lambda _: False,
)  # fmt: skip


def order(
    sequence: int = 1, *, side: Side = Side.BID, sz: str = "1", px: str = "99",
    reduce_only: bool = False,
) -> NewOrder:  # fmt: skip
    cloid = Cloid(f"0x{PREFIX}{sequence:012x}")
    return NewOrder(cloid, side, Decimal(px), Decimal(sz), reduce_only=reduce_only)


def placed(*orders: NewOrder, asset_id: int = 3) -> OrderAction:
    return encode_place(orders, asset_id)


def word(action: OrderAction, **changes: object) -> str | None:
    found = check(action, msgspec.structs.replace(OPEN, **changes))
    return found.reason if isinstance(found, Refused) else None


def test_a_plain_quote_passes_as_numbers() -> None:
    found = check(placed(order()), OPEN)
    assert not isinstance(found, Refused)
    assert (found[0].side, found[0].px, found[0].sz) == (Side.BID, Decimal(99), Decimal(1))


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (placed(order(), asset_id=4), "malformed"),
        (placed(msgspec.structs.replace(order(), tif="Ioc")), "not_post_only"),
        (placed(msgspec.structs.replace(order(), cloid=Cloid("0x" + "1" * 32))), "malformed"),
        (placed(order(1), order(1)), "duplicate"),
        (placed(order(px="99.12345")), "malformed"),
        (placed(order(sz="0.0001")), "malformed"),
        (placed(order(sz="11")), "limit:position"),
        (placed(order(1, sz="6"), order(2, sz="5")), "limit:position"),
        (OrderAction(orders=(), grouping="na"), "malformed"),
        (msgspec.structs.replace(placed(order()), grouping="normalTpsl"), "malformed"),
    ],
)
def test_what_is_turned_away_in_fair_weather(action: OrderAction, reason: str) -> None:
    assert word(action) == reason


def test_both_sides_of_a_ladder_have_the_limit_each() -> None:
    assert word(placed(order(1, sz="9"), order(2, sz="9", side=Side.ASK, px="101"))) is None


@pytest.mark.parametrize(
    "change",
    [
        {"shut": "halt: storm", "latched": True},
        {"shut": "own kill"},
        {"mode": "halt"},
        {"paused": True},
        {"draining": True},
        {"mode": None},
        {"mode": "reduce_only"},
        {"directive_age_ms": DIRECTIVE_MAX_MS + 1},
    ],
)
def test_whatever_shuts_the_door_shuts_it_for_new_risk(change: dict[str, object]) -> None:
    assert word(placed(order()), **change) == "fenced"


@pytest.mark.parametrize(
    "change", [{"draining": True}, {"mode": "reduce_only"}, {"directive_age_ms": 10**9}]
)
def test_quotes_that_reduce_inventory_are_left_alone(change: dict[str, object]) -> None:
    """I14: also where they are plain post-only orders."""
    reducing = placed(order(side=Side.ASK, px="101", sz="5"))
    assert word(reducing, exposure=LONG, **change) is None
    turning = placed(order(side=Side.ASK, px="101", sz="5.001"))
    assert word(turning, exposure=LONG, **change) == "fenced"


def test_reduce_only_passes_a_fence_but_not_the_latch() -> None:
    closing = placed(order(side=Side.ASK, px="101", sz="5", reduce_only=True))
    assert word(closing, exposure=LONG, shut="own kill") is None
    assert word(closing, exposure=LONG, shut="halt", latched=True) == "fenced"


def test_without_a_mark_nothing_is_valued_and_nothing_passes() -> None:
    assert word(placed(order()), mark_usd=None) == "limit:no_mark"


PRICED = {"references": (("mark", 100.0), ("oracle", 104.0)), "collar_bps": 500.0}


@pytest.mark.parametrize(
    ("side", "px", "reason"),
    [
        (Side.BID, "104.9", None),
        (Side.BID, "105.1", "collar"),  # beyond the mark
        (Side.ASK, "98.9", None),
        (Side.ASK, "98.7", "collar"),  # beyond the oracle
        (Side.BID, "50", None),  # too far to be filled costs nothing
    ],
)
def test_no_price_is_worse_for_us_than_the_collar(side: Side, px: str, reason: str | None) -> None:
    assert word(placed(order(side=side, px=px)), **PRICED) == reason


def test_a_close_that_takes_keeps_to_the_collar_and_a_quote_that_reduces_need_not() -> None:
    closing = order(side=Side.ASK, px="90", reduce_only=True)
    assert word(placed(closing), exposure=LONG, **PRICED) is None
    taking = msgspec.structs.replace(closing, tif="Ioc")
    assert word(placed(taking), exposure=LONG, **PRICED) == "collar"
    nearer = msgspec.structs.replace(taking, px=Decimal(99))
    assert word(placed(nearer), exposure=LONG, **PRICED) is None


ADDING = [
    ({"order_value_max_usd": 99.0}, "limit:order_value"),
    ({"caution": "the key ends in 3 h"}, "fenced"),
    ({"stale": "no book for 4 s"}, "stale"),
    ({"runs_away": "90000 USD traded within a minute"}, "throttle"),
    ({"sends": lambda _: False}, "throttle"),
    ({"capped": lambda _: "gross: 11 USD"}, "limit:gross"),
    ({"mark_usd": None}, "limit:no_mark"),
    (PRICED, "collar"),
]


@pytest.mark.parametrize(("change", "reason"), ADDING)
def test_a_control_turns_away_what_adds_and_never_what_reduces(
    change: dict[str, object], reason: str
) -> None:
    """I14, of each control alone."""
    px = "120"
    assert word(placed(order(px=px)), **change) == reason
    short = Exposure(Decimal(-5), Decimal(0), Decimal(0))
    assert word(placed(order(px=px, sz="5")), exposure=short, **change) is None


def test_the_caps_are_told_the_whole_batch() -> None:
    seen: list[dict[Side, Decimal]] = []

    def capped(added: dict[Side, Decimal]) -> None:
        seen.append(dict(added))

    batch = placed(order(1), order(2, sz="2"), order(3, side=Side.ASK, px="101", sz="4"))
    assert word(batch, capped=capped) is None
    assert seen == [{Side.BID: Decimal(3), Side.ASK: Decimal(4)}]


def test_a_used_cloid_is_a_duplicate() -> None:
    assert word(placed(order()), is_duplicate=lambda _: True) == "duplicate"
