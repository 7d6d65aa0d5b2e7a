"""Loss and drawdown are measured against what was, not against what a restart finds."""

from fleet.risk.baseline import DAY_MS, day_pnl_usd, drawdown_share, resumed, roll

NOON_MS = 20_000 * DAY_MS + DAY_MS // 2


def test_a_loss_is_counted_from_the_days_opening() -> None:
    opened = roll(None, 1_000.0, NOON_MS)
    later = roll(roll(opened, 1_100.0, NOON_MS + 1), 900.0, NOON_MS + 2)
    assert day_pnl_usd(later, 900.0) == -100.0
    assert drawdown_share(later, 900.0) == (1_100.0 - 900.0) / 1_100.0


def test_a_new_day_opens_anew_and_the_peak_stays() -> None:
    kept = roll(None, 1_000.0, NOON_MS)
    morning = roll(kept, 900.0, NOON_MS + DAY_MS)
    assert day_pnl_usd(morning, 900.0) == 0.0
    assert drawdown_share(morning, 900.0) == 0.1


def test_a_resume_forgives_the_drawdown_but_not_the_day() -> None:
    kept = resumed(roll(None, 1_000.0, NOON_MS), 800.0)
    assert drawdown_share(kept, 800.0) == 0.0
    assert day_pnl_usd(kept, 800.0) == -200.0


def test_an_account_without_funds_has_no_drawdown() -> None:
    assert drawdown_share(roll(None, 0.0, NOON_MS), 0.0) == 0.0
