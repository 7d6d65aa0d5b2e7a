"""The price and size grid, by the venue's own examples."""

from decimal import Decimal

import pytest

from agents.market.instrument import Instrument, wire
from agents.market.types import Coin, Side


def instrument(sz_decimals: int) -> Instrument:
    return Instrument(coin=Coin("X"), asset_id=0, sz_decimals=sz_decimals, leverage_max=10)


@pytest.mark.parametrize(
    ("px", "sz_decimals", "bid", "ask"),
    [
        (30.9057, 2, "30.905", "30.906"),
        (0.0123456, 0, "0.012345", "0.012346"),
        (91234.5, 5, "91234", "91235"),
        (123456.7, 5, "123456", "123457"),
        (9.99995, 2, "9.9999", "10"),
        (99999.96, 0, "99999", "100000"),
    ],
)
def test_passive_px_rounds_away_from_the_other_side(
    px: float, sz_decimals: int, bid: str, ask: str
) -> None:
    grid = instrument(sz_decimals)
    assert wire(grid.passive_px(px, Side.BID)) == bid
    assert wire(grid.passive_px(px, Side.ASK)) == ask


@pytest.mark.parametrize(
    ("sz_decimals", "px", "accepted"),
    [
        (5, "85811", True), (5, "85811.5", False), (5, "9999.5", True), (5, "9999.55", False),
        (5, "123456", True), (4, "2640.6", True), (4, "2640.65", False), (1, "0.01234", True),
        (1, "0.012345", False), (0, "0.003844", True), (0, "0.0012345", False), (3, "378.99", True),
        (3, "378.995", False), (3, "89.714", True), (3, "2185.3", True), (4, "31175", True),
        (4, "0", False),
    ],
)  # fmt: skip
def test_accepts_px_as_the_venue_does(sz_decimals: int, px: str, accepted: bool) -> None:
    assert instrument(sz_decimals).accepts_px(Decimal(px)) is accepted


@pytest.mark.parametrize(
    ("px", "sz_decimals", "sz"), [("30.90", 2, "0.33"), ("91234", 5, "0.00011")]
)
def test_viable_sz_is_the_least_of_ten_dollars(px: str, sz_decimals: int, sz: str) -> None:
    assert wire(instrument(sz_decimals).viable_sz(Decimal(px))) == sz


def test_floor_sz_never_goes_negative() -> None:
    assert instrument(2).floor_sz(-1.0) == 0
    assert instrument(2).floor_sz(1.239) == Decimal("1.23")


@pytest.mark.parametrize(
    ("value", "text"), [("1E+5", "100000"), ("0.10", "0.1"), ("-0.0", "0"), ("5", "5")]
)
def test_wire_has_no_exponent_and_no_trailing_zero(value: str, text: str) -> None:
    assert wire(Decimal(value)) == text
