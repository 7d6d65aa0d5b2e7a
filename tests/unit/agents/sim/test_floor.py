"""Marks, mids, oracle, and ids of the floor."""

from decimal import Decimal

import pytest

from agents.market.types import Coin, Side
from tests.unit.agents.sim.desk import BOB, BTC, Desk, order

COIN = Coin("BTC")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_mark_is_the_mid_or_the_last_trade(desk: Desk) -> None:
    floor = desk.exchange.floor
    assert floor.mark_px(COIN) == 84000  # nothing traded yet: the listing's start price
    desk.flow("BTC", Side.ASK, "84011", "0.1")
    desk.flow("BTC", Side.BID, "84000", "0.1")
    assert floor.mark_px(COIN) == Decimal("84005.5")
    desk.place(BOB, order(BTC, "B", "84011", "0.1", tif="Ioc"))
    assert floor.mid_px(COIN) is None
    assert floor.mark_px(COIN) == 84011


def test_marks_have_the_decimals_of_marks(desk: Desk) -> None:
    coin = Coin("xyz:NVDA")
    desk.flow(coin, Side.ASK, "182.001", "1")
    desk.flow(coin, Side.BID, "182", "1")
    assert desk.exchange.floor.mid_px(coin) == Decimal("182.0005")
    assert desk.exchange.floor.mark_px(coin) == Decimal("182.000")


def test_oracle_is_the_mark_until_it_is_set(desk: Desk) -> None:
    floor = desk.exchange.floor
    assert floor.oracle_px(COIN) == 84000
    desk.exchange.set_oracle(COIN, Decimal(83500))
    assert floor.oracle_px(COIN) == 83500
    assert desk.exchange.ctx(COIN)["oraclePx"] == "83500.0"


def test_ids_rise_across_markets(desk: Desk) -> None:
    first = desk.exchange.next_oid()
    assert desk.exchange.next_oid() == first + 1
    assert desk.exchange.floor.next_hash() != desk.exchange.floor.next_hash()
