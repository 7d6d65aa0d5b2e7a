"""Fee tiers by volume and by the share of the venue's volume that an account makes."""

from decimal import Decimal

import pytest

from agents.market.types import Side
from agents.sim.accounts import Account, Daily
from agents.sim.exchange import Exchange
from agents.sim.universe import default_universe
from agents.sim.volumes import DAY_MS, account_rate
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, Desk, order


def test_fee_tiers_follow_fourteen_days_of_volume() -> None:
    floor = Exchange(default_universe()).floor
    floor.now_ms = 100 * DAY_MS
    account = Account("0x" + "1" * 40)
    account.daily = {100: Daily(Decimal(10**9)), 99: Daily(Decimal(3 * 10**6), Decimal(3 * 10**6))}
    assert account_rate(floor, account, crossed=True) == Decimal("0.0004")
    assert account_rate(floor, account, crossed=False) == Decimal("0.00012")
    account.daily[86] = Daily(Decimal(20 * 10**6))
    assert account_rate(floor, account, crossed=True) == Decimal("0.00035")
    floor.now_ms += DAY_MS
    assert account_rate(floor, account, crossed=True) == Decimal("0.00028")


@pytest.mark.parametrize(
    ("share", "rate"),
    [("0.005", "0.00012"), ("0.0051", "-0.00001"), ("0.02", "-0.00002"), ("0.5", "-0.00003")],
)
def test_who_makes_much_of_the_venues_volume_is_paid(share: str, rate: str) -> None:
    floor = Exchange(default_universe()).floor
    floor.now_ms = 100 * DAY_MS
    floor.daily_usd.update({85: Decimal(10**12), 86: Decimal(10**9), 99: Decimal(10**9)})
    account = Account("0x" + "1" * 40)
    account.daily = {99: Daily(Decimal(10**7), 2 * 10**9 * Decimal(share))}
    expected = Decimal(rate)
    if share == "0.5":  # a billion: the tier by volume alone would be zero
        assert account_rate(floor, account, crossed=True) == Decimal("0.00028")
    assert account_rate(floor, account, crossed=False) == expected


def test_yesterdays_volume_is_shown_and_pays_today() -> None:
    desk = Desk(usd=10_000_000)
    desk.flow("BTC", Side.ASK, "84000", "1")
    desk.place(BOB, order(BTC, "A", "84000", "70"))
    desk.place(ALICE, order(BTC, "B", "84000", "71", tif="Ioc"))
    day = str(desk.ask("userFees", user=BOB)["dailyUserVlm"][-1]["date"])
    desk.now_ms += DAY_MS
    desk.block()
    fees = desk.ask("userFees", user=BOB)
    assert len(fees["dailyUserVlm"]) == 15
    assert fees["dailyUserVlm"][-2] == {
        "date": day, "userCross": "0.0", "userAdd": "5880000.0", "exchange": "5964000.0",
    }  # fmt: skip
    assert (fees["userCrossRate"], fees["userAddRate"]) == ("0.0004", "-0.00003")
    desk.flow("BTC", Side.BID, "83000", "1")
    desk.place(ALICE, order(BTC, "A", "83000", "1", tif="Ioc"))
    assert desk.fills(ALICE)[0]["fee"] == "33.2"
    desk.place(BOB, order(BTC, "B", "83000", "1"))
    desk.place(ALICE, order(BTC, "A", "83000", "1", tif="Ioc"))
    assert desk.fills(BOB)[0]["fee"] == "-2.49"
