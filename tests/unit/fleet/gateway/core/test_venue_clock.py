"""The venue's time from stamps that arrive late."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.gateway.core.venue_clock import WINDOW_MS, VenueClock


@given(offset_ms=st.integers(-5_000, 5_000), delays=st.lists(st.integers(0, 900), min_size=1))
def test_the_estimate_is_short_by_the_least_delay(offset_ms: int, delays: list[int]) -> None:
    clock = VenueClock()
    for at, delay_ms in enumerate(delays):
        clock.seen(1_000_000 + 10 * at + offset_ms - delay_ms, 1_000_000 + 10 * at)
    assert clock.offset_ms == offset_ms - min(delays)


def test_a_stepped_clock_is_forgotten_after_two_windows() -> None:
    clock = VenueClock()
    clock.seen(9_000_000, 0)
    for at_ms in range(0, 3 * WINDOW_MS, 1_000):
        clock.seen(at_ms - 50, at_ms)
    assert clock.offset_ms == -50


def test_unseen_is_our_own_time() -> None:
    assert VenueClock().venue_ms(7) == 7
