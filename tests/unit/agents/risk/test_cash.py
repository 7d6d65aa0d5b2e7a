"""The count of one market's money: over restarts, and over midnight."""

import pytest

from agents.kept import Kept
from agents.risk.cash import DAY_MS, Counted, DayCash, counted

DAY = 20_000
NOON_MS = DAY * DAY_MS + DAY_MS // 2
MIDNIGHT_MS = (DAY + 1) * DAY_MS


def count(
    kept: Kept, cash: DayCash, own_usd: float, unrealized_usd: float | None, now_ms: int = NOON_MS
) -> Counted:
    return counted(kept, cash, own_usd=own_usd, unrealized_usd=unrealized_usd, now_ms=now_ms)


def test_it_counts_from_what_the_day_began_with() -> None:
    cash = DayCash(-5.0, NOON_MS)
    first = count(Kept(), cash, 0.0, -20.0)
    assert (first.pnl_day_usd, first.pnl_usd) == (-5.0, 0.0)
    second = count(first.kept, cash, 3.0, -40.0)
    assert (second.pnl_day_usd, second.pnl_usd) == (-22.0, -17.0)
    assert second.kept.peak_usd == 0.0


def test_incident_73_a_restart_in_the_middle_of_a_drawdown_forgives_nothing() -> None:
    cash = DayCash(0.0, NOON_MS)
    gained = count(count(Kept(), cash, 0.0, 0.0).kept, cash, 0.0, 30.0)
    lost = count(gained.kept, cash, -1.0, -60.0)
    again = count(lost.kept, DayCash(-1.0, NOON_MS), 0.0, -60.0)  # the gateway counted the 1 USD
    assert (again.pnl_day_usd, again.pnl_usd) == (lost.pnl_day_usd, lost.pnl_usd) == (-61.0, -61.0)
    assert again.kept.peak_usd == 30.0


def test_at_midnight_a_new_day_begins_at_zero_and_the_peak_stays() -> None:
    cash = DayCash(0.0, NOON_MS)
    kept = count(count(Kept(), cash, 0.0, 0.0).kept, cash, 10.0, 5.0).kept
    late = count(kept, cash, 10.0, -25.0, MIDNIGHT_MS - 1)
    early = count(late.kept, cash, 10.0, -25.0, MIDNIGHT_MS)
    assert (early.pnl_day_usd, early.pnl_usd) == (0.0, -15.0)
    assert early.kept.peak_usd == 15.0
    after = count(early.kept, cash, 12.0, -25.0, MIDNIGHT_MS + 1)
    assert (after.pnl_day_usd, after.pnl_usd) == (2.0, -13.0)


def test_incident_73_a_restart_over_midnight_begins_the_day_where_the_last_one_ended() -> None:
    cash = DayCash(-40.0, NOON_MS)
    kept = count(count(Kept(), cash, 0.0, 0.0).kept, cash, 0.0, -9.0).kept
    assert kept.day == DAY
    early = count(kept, DayCash(0.0, MIDNIGHT_MS + 60_000), 0.0, -11.0, MIDNIGHT_MS + 60_000)
    assert (early.pnl_day_usd, early.pnl_usd) == (-2.0, -11.0)


def test_the_gateways_word_holds_funding_too_and_yesterdays_is_old() -> None:
    cash = DayCash(0.0, NOON_MS)
    kept = count(Kept(), cash, 0.0, 0.0).kept
    cash.told(DAY, -7.5, -6.0)  # our fills brought -6, an hour's funding -1.5
    assert count(kept, cash, -6.0, 0.0).pnl_day_usd == -7.5
    assert count(kept, cash, -5.0, 0.0).pnl_day_usd == -6.5
    cash.told(DAY - 1, 99.0, 0.0)
    assert count(kept, cash, -5.0, 0.0).pnl_day_usd == -6.5


def test_without_a_price_cash_alone_tells_a_day_that_is_lost_already() -> None:
    unpriced = count(Kept(), DayCash(-100.0, NOON_MS), 0.0, None)
    assert (unpriced.pnl_day_usd, unpriced.pnl_usd) == (-100.0, None)
    kept = count(Kept(), DayCash(0.0, NOON_MS), 0.0, 4.0).kept
    assert count(kept, DayCash(0.0, NOON_MS), 0.0, None).pnl_day_usd is None


def test_a_clock_that_steps_back_over_midnight_keeps_the_day() -> None:
    cash = DayCash(0.0, MIDNIGHT_MS)
    kept = count(Kept(), cash, 0.0, 0.0, MIDNIGHT_MS).kept
    back = count(kept, cash, -3.0, 0.0, MIDNIGHT_MS - 1)
    assert back.kept.day == DAY + 1
    assert back.pnl_day_usd == pytest.approx(-3.0)
