"""``userFees``: its dates and its schedule."""

from datetime import date

from agents.sim.info_fees import iso_date
from tests.unit.agents.sim.desk import ALICE, Desk

EPOCH = date(1970, 1, 1).toordinal()


def test_days_have_the_calendars_dates() -> None:
    for day in range(0, 60_000, 7):
        assert iso_date(day) == date.fromordinal(EPOCH + day).isoformat()
    for day in range(date(2099, 12, 1).toordinal() - EPOCH, date(2100, 4, 1).toordinal() - EPOCH):
        assert iso_date(day) == date.fromordinal(EPOCH + day).isoformat()


def test_the_schedule_lists_every_tier() -> None:
    fees = Desk().ask("userFees", user=ALICE)
    tiers = fees["feeSchedule"]["tiers"]
    assert [len(tiers["vip"]), len(tiers["mm"])] == [6, 3]
    assert tiers["vip"][-1]["spotCross"] == "0.00025"
    assert (fees["userCrossRate"], fees["userAddRate"]) == ("0.00045", "0.00015")
    assert fees["dailyUserVlm"][-1]["userCross"] == "0.0"
