"""The account's allowance: counted without gaps, its reserve kept, its burn told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.gateway.core.allowance import (
    FOR_LESS,
    HOUR_MS,
    TRICKLE_MS,
    Allowance,
    Told,
    reserve,
)


def told(used: int, volume_usd: float = 0.0, surplus: int = 0) -> Told:
    cap = 10_000 + int(volume_usd)
    return Told(used=used, cap=cap, surplus=surplus, volume_usd=volume_usd)


def known(used: int, volume_usd: float = 0.0) -> Allowance:
    allowance = Allowance()
    allowance.told(told(used, volume_usd), spent_then=0, now_ms=0)
    return allowance


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 40), st.floats(0, 500)), max_size=40
    )
)  # fmt: skip
def test_what_is_left_is_never_more_than_the_venue_would_say(
    rounds: list[tuple[int, int, float]],
) -> None:
    """Actions leave before and after each question; the venue may have seen the later ones."""
    allowance, used, volume_usd = known(0), 0, 0.0
    for before, after, traded_usd in rounds:
        allowance.spend(before, 0)
        used += before
        volume_usd += traded_usd
        asked = allowance.spent_total
        answer = told(used, volume_usd)
        allowance.spend(after, 0)
        used += after
        allowance.told(answer, spent_then=asked, now_ms=0)
        assert allowance.left == answer.cap - used
    assert allowance.cap == 10_000 + int(volume_usd)


@given(
    used=st.integers(0, 9_999),
    orders=st.integers(1, 40),
    open_orders=st.integers(0, 1_000),
    adding=st.booleans(),
)
def test_placements_leave_twice_as_many_as_there_are_orders(
    used: int, orders: int, open_orders: int, adding: bool
) -> None:
    allowance = known(used)
    first = allowance.admits(orders, open_orders, 1_000, adding=adding)
    left = allowance.left
    assert left is not None
    enough = left - orders >= reserve(open_orders + orders) + (FOR_LESS if adding else 0)
    assert reserve(open_orders) >= 2 * open_orders
    if enough:
        assert first
        assert allowance.admits(orders, open_orders, 1_001, adding=adding)
    else:  # one each ten seconds, and only while the venue still takes enough cancels
        assert not (first and allowance.admits(orders, open_orders, 1_001, adding=adding))
        cancels_left = allowance.cancels_left
        assert cancels_left is not None
        assert not first or cancels_left - orders >= 2 * open_orders


@given(st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=1, max_size=400))
def test_cancels_are_never_starved(steps: list[tuple[int, bool]]) -> None:
    """Place whenever it is admitted, cancel whatever rests, until nothing is left: each order that
    rests can still be cancelled twice over, by the venue's own limit for cancels.
    """
    allowance, resting, now_ms = known(9_000), 0, 0
    for number, wishes_to_place in steps:
        now_ms += TRICKLE_MS // 3
        if wishes_to_place and allowance.admits(number, resting, now_ms, adding=True):
            allowance.spend(number, now_ms)
            resting += number
        elif resting:
            allowance.spend(1, now_ms)
            resting -= 1
        cancels_left = allowance.cancels_left
        assert cancels_left is not None
        assert cancels_left >= 2 * resting


def test_an_account_that_has_used_up_everything_may_trickle() -> None:
    allowance = known(10_500)
    assert allowance.mood(0) == "exhausted"
    assert allowance.admits(2, 0, 1_000, adding=True)
    assert not allowance.admits(2, 0, 1_000 + TRICKLE_MS - 1, adding=True)
    assert allowance.admits(2, 0, 1_000 + TRICKLE_MS, adding=True)


def test_nothing_is_held_back_before_the_venue_told() -> None:
    allowance = Allowance()
    assert allowance.admits(40, 10_000, 0, adding=True)
    assert (allowance.left, allowance.mood(0), allowance.burn_per_h(HOUR_MS)) == (
        None, "unknown", None,
    )  # fmt: skip


def test_burn_is_what_was_spent_less_what_was_earned() -> None:
    allowance = known(0)
    for minute in range(1, 31):
        now_ms = minute * 60_000
        allowance.spend(30, now_ms - 30_000)
        spent = allowance.spent_total
        allowance.told(told(spent, 10.0 * minute), spent_then=spent, now_ms=now_ms - 1_000)
    now_ms = 30 * 60_000
    assert allowance.burn_per_h(now_ms) == pytest.approx(20 * 60)
    left = 10_000 + 300 - 900
    assert allowance.left == left
    assert allowance.hours_to_empty(now_ms) == pytest.approx(left / 1_200)


def test_what_grows_is_never_empty() -> None:
    allowance = known(0)
    allowance.told(told(10, 5_000.0), spent_then=0, now_ms=70_000)
    burn = allowance.burn_per_h(120_000)
    assert burn is not None
    assert burn < 0
    assert allowance.hours_to_empty(120_000) is None


def test_the_burn_of_the_last_hour_forgets_what_is_older() -> None:
    allowance = known(0)
    allowance.spend(5_000, 60_000)
    allowance.spend(10, 3 * HOUR_MS - 60_000)
    assert allowance.burn_per_h(3 * HOUR_MS) == pytest.approx(10)


def test_a_refusal_of_the_venue_is_believed() -> None:
    allowance = known(100)
    allowance.refused()
    assert allowance.left == 0


def test_requests_bought_and_not_used_count() -> None:
    allowance = Allowance()
    allowance.told(told(0, surplus=400), spent_then=0, now_ms=0)
    assert allowance.left == 10_400
