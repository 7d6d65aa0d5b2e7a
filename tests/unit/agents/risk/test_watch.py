"""What the monitors remember of seconds and minutes."""

import pytest

from agents.market.units import s_to_ns
from agents.risk.watch import Watch


def test_growth_is_of_a_minute_and_a_position_taken_over_did_not_grow() -> None:
    watch = Watch(40.0)
    for second in range(110):
        held = 40.0 if second < 30 else 80.0
        watch.look(100.0, held, held / 100.0, 0.35, s_to_ns(second))
        if second == 29:
            assert watch.growth_hold_s(s_to_ns(29)) is None
        if second == 31:
            assert watch.grown_share == pytest.approx(0.4)
    assert watch.grown_share == 0.0
    hold_s = watch.growth_hold_s(s_to_ns(109))
    assert hold_s is not None
    assert 10 < hold_s < 30


def test_what_a_limit_inherits_only_shrinks() -> None:
    watch = Watch(-40.0)
    for held in (40.0, 30.0, 60.0):
        watch.look(100.0, held, 0.1, 9.0, 1)
    assert watch.inherited_sz == 30.0
    watch.limits_changed(-60.0)
    assert watch.inherited_sz == 60.0


def test_the_oldest_missing_answer_counts_until_it_is_given_up() -> None:
    watch = Watch(0.0)
    watch.asked(1, 0)
    watch.asked(2, s_to_ns(1.0))
    watch.answered(2, s_to_ns(1.3))
    assert watch.answer_s(s_to_ns(2.0)) == 2.0
    watch.answered(1, s_to_ns(2.5))
    assert watch.answer_s(s_to_ns(2.6)) == 2.5
    assert watch.answer_s(s_to_ns(40.0)) == 0.0
    watch.asked(3, s_to_ns(40.0))
    watch.answer_s(s_to_ns(71.0))
    assert watch.answer_s(s_to_ns(72.0)) == 0.0


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Too many cumulative requests sent (9 > 8) for cumulative volume traded $1", True),
        ("rejected 429 Too Many Requests", True),
        ("Post only order would have immediately matched", False),
        ("Insufficient margin to place order", False),
    ],
)
def test_incident_71_only_rate_limits_count_and_once_a_request(text: str, counts: bool) -> None:
    watch = Watch(0.0)
    watch.refused(text, 1)
    assert watch.rate_limited(2) == int(counts)


def test_the_oracle_is_as_old_as_its_last_change() -> None:
    watch = Watch(0.0)
    watch.told_ctx(101.0, 100.0, 0)
    watch.look(100.0, 0.0, 0.0, 9.0, 0)
    watch.told_ctx(101.0, 100.0, s_to_ns(30.0))
    assert watch.oracle_age_s(s_to_ns(40.0)) == 40.0
    assert watch.oracle_behind_bps(100.5) == pytest.approx(50.0)
    assert watch.mark_away_bps == pytest.approx(100.0)
    watch.told_ctx(101.0, 100.2, s_to_ns(41.0))
    watch.look(100.5, 0.0, 0.0, 9.0, s_to_ns(41.0))
    assert watch.oracle_age_s(s_to_ns(41.0)) == 0.0
    assert watch.oracle_behind_bps(100.5) == 0.0


def test_fills_of_no_order_of_ours_add_up_for_five_seconds() -> None:
    watch = Watch(0.0)
    watch.foreign(-3.0, 0)
    watch.foreign(-2.0, s_to_ns(3.0))
    assert watch.foreign_sz(s_to_ns(4.0)) == -5.0
    assert watch.foreign_sz(s_to_ns(6.0)) == -2.0
