"""The venue's bad moods: entered and left by rule, and they hold back new risk alone."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.gateway.core.strain import (
    LIMITED_MAX_MS,
    LIMITED_MS,
    POST_ONLY_MS,
    PROBE_MS,
    QUICK_MS,
    SLOW_MS,
    Strain,
)


def test_late_answers_are_congestion_and_a_quick_one_ends_it() -> None:
    strain = Strain()
    strain.answered(SLOW_MS + 1)
    assert strain.states(0) == ("congested",)
    strain.answered(QUICK_MS)
    assert strain.states(0) == ("congested",)
    strain.answered(QUICK_MS - 1)
    assert strain.states(0) == ()


def test_one_late_answer_of_twenty_is_none() -> None:
    strain = Strain()
    for _ in range(19):
        strain.answered(100)
    strain.answered(5_000)
    assert strain.states(0) == ()
    strain.answered(5_000)
    assert strain.states(0) == ("congested",)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=60))
def test_it_always_ends_with_a_quick_answer(took: list[int]) -> None:
    strain = Strain()
    for ms in took:
        strain.answered(ms)
    strain.answered(QUICK_MS - 1)
    assert strain.states(0) == ()


def test_while_congested_one_placement_each_two_seconds_finds_out() -> None:
    strain = Strain()
    strain.expired()
    assert strain.holds_back(0) is None
    assert strain.holds_back(PROBE_MS - 1) is not None
    assert strain.holds_back(PROBE_MS) is None


def test_a_lost_connection_is_not_taken_for_a_slow_venue() -> None:
    strain = Strain()
    strain.silent(SLOW_MS - 1)
    assert strain.states(0) == ()
    strain.silent(SLOW_MS)
    assert strain.states(0) == ()
    strain.silent(SLOW_MS + 1)
    assert strain.states(0) == ("congested",)


def test_each_429_within_a_minute_doubles_the_wait() -> None:
    strain, now_ms, waits = Strain(), 1_000_000, list[int]()
    for _ in range(8):
        strain.limited(now_ms)
        began_ms = now_ms
        while strain.holds_back(now_ms) is not None:
            now_ms += 100
        waits.append(now_ms - began_ms)
    assert waits[:3] == [LIMITED_MS, 2 * LIMITED_MS, 4 * LIMITED_MS]
    assert waits[-1] == LIMITED_MAX_MS
    now_ms += LIMITED_MAX_MS
    strain.limited(now_ms)
    assert strain.holds_back(now_ms + LIMITED_MS) is None


def test_a_post_only_window_is_told_and_holds_no_quote_back() -> None:
    strain = Strain()
    strain.post_only(0)
    assert strain.states(1) == ("post_only",)
    assert strain.holds_back(1) is None
    assert strain.states(POST_ONLY_MS) == ()
