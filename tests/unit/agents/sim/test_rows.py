"""Numbers and rows exactly as the venue writes them."""

from decimal import Decimal

import pytest

from agents.market.types import Coin, Side
from agents.sim import rows
from agents.sim.accounts import OrderRecord
from agents.sim.universe import default_universe
from tests.unit.agents.sim.desk import make_resting


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("80000", "80000.0"), ("8E+4", "80000.0"), ("0", "0.0"), ("-0", "0.0"), ("-0.00", "0.0"),
        ("378.9950", "378.995"), ("-0.0000097638", "-0.0000097638"), ("1e-8", "0.00000001"),
        ("100.000", "100.0"),
    ],
)  # fmt: skip
def test_number_is_shortest_with_one_decimal(value: str, text: str) -> None:
    assert rows.number(Decimal(value)) == text


def test_places_of_money_rates_and_prices() -> None:
    assert rows.micro(Decimal("1.23456789")) == "1.234568"
    assert rows.fine(Decimal(1) / 3) == "0.3333333333"
    btc = default_universe().listings[Coin("BTC")]
    assert rows.px_number(Decimal("81327.6543"), btc) == "81327.7"


def test_ids_are_stable_and_of_the_right_width() -> None:
    assert rows.trade_id(1, 2) == rows.trade_id(1, 2) != rows.trade_id(2, 1)
    assert 0 <= rows.trade_id(1, 2) < 2**50
    assert len(rows.transaction_hash(3, 1)) == 66
    assert rows.pseudo_address("taker-1") == rows.pseudo_address("taker-1")
    assert len(rows.pseudo_address("taker-1")) == 42


def test_optional_keys_are_absent_from_order_rows_and_null_in_frontend_rows() -> None:
    plain = make_resting(7, Side.BID, "84000", "0.1")
    record = OrderRecord(Coin("BTC"), plain, "Alo", "open", 5, plain.sz)
    row = rows.order_row(record, Decimal("0.05"))
    assert list(row) == ["coin", "side", "limitPx", "sz", "oid", "timestamp", "origSz"]
    assert (row["sz"], row["origSz"]) == ("0.05", "0.1")
    frontend = rows.frontend_row(record, plain.sz)
    assert frontend["cloid"] is None
    assert frontend["reduceOnly"] is False
    assert frontend["tif"] == "Alo"
    plain.cloid, plain.reduce_only = "0x" + "0" * 32, True
    assert list(rows.order_row(record, plain.sz))[-2:] == ["cloid", "reduceOnly"]
