"""Each fill and funding payment is booked once, in any order of arrival."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agents.market.types import Coin, Fill, Oid, Side, Tid
from fleet.gateway.core.bookings import DAY_MS, Bookings


def fill(time_ms: int, tid: int, oid: int, coin: str = "BTC") -> Fill:
    return Fill(
        coin=Coin(coin), side=Side.BID, px=Decimal(1), sz=Decimal(1), time_ms=time_ms,
        tid=Tid(tid), oid=Oid(oid), cloid=None, fee=Decimal(0), fee_token="USDC", crossed=False,
        start_position_sz=Decimal(0), closed_pnl=Decimal(0),
    )  # fmt: skip


keys = st.tuples(st.integers(10, 14), st.integers(0, 2), st.integers(1, 3))


@given(st.lists(keys, max_size=60))
def test_each_fill_once(drawn: list[tuple[int, int, int]]) -> None:
    bookings = Bookings(floor_ms=0)
    booked = [key for key in drawn if bookings.fill_is_new(fill(*key))]
    assert sorted(booked) == sorted(set(drawn))
    assert bookings.last_fill_ms == max((key[0] for key in drawn), default=0)


def test_fills_before_the_fleets_life_are_nobodys() -> None:
    bookings = Bookings(floor_ms=100)
    assert not bookings.fill_is_new(fill(99, 1, 1))
    assert bookings.fill_is_new(fill(100, 1, 1))


def test_one_funding_payment_a_market_and_moment() -> None:
    bookings = Bookings(floor_ms=0)
    assert bookings.funding_is_new("BTC", 3_600_012)
    assert not bookings.funding_is_new("BTC", 3_600_012)
    assert bookings.funding_is_new("ETH", 3_600_012)


def test_the_days_pnl_begins_anew_at_midnight_utc() -> None:
    bookings = Bookings(floor_ms=0)
    bookings.add_day("BTC", 5.0, DAY_MS - 1)
    bookings.add_day("BTC", 2.0, DAY_MS + 1)
    bookings.add_day("BTC", 9.0, DAY_MS - 1)  # late, of yesterday
    assert bookings.pnl_day_usd("BTC", DAY_MS + 5) == 2.0
    assert bookings.pnl_day_usd("ETH", DAY_MS + 5) == 0.0
    assert bookings.pnl_day_usd("BTC", 2 * DAY_MS) == 0.0
