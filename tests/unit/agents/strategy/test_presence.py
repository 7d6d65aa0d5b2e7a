"""How near the mid a quote counts, and the room kept to that edge."""

import pytest

from agents.strategy.presence import band_bps, kept_max_bps, wanted_max_bps


@pytest.mark.parametrize(
    ("half_spread_bps", "band"), [(2.0, 4.0), (4.9, 9.8), (5.0, 10.0), (8.0, 10.0)]
)
def test_the_band_is_twice_the_half_spread_and_ten_bps_at_most(
    half_spread_bps: float, band: float
) -> None:
    assert band_bps(half_spread_bps) == band


@pytest.mark.parametrize("half_spread_bps", [0.5, 3.0, 5.0, 7.9])
def test_what_is_wanted_lies_within_what_is_kept_within_the_band(half_spread_bps: float) -> None:
    assert half_spread_bps <= wanted_max_bps(half_spread_bps)
    assert wanted_max_bps(half_spread_bps) <= kept_max_bps(half_spread_bps)
    assert kept_max_bps(half_spread_bps) < band_bps(half_spread_bps)


def test_a_wide_half_spread_is_never_narrowed() -> None:
    assert wanted_max_bps(14.0) == 14.0
