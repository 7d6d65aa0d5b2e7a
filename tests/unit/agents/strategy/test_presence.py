"""How near the mid a quote counts, and the room kept to that edge."""

import pytest

from agents.strategy.presence import (
    aside_max_bps,
    band_bps,
    kept_max_bps,
    model_max_bps,
    slack_bps,
    wanted_max_bps,
)


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
    kept_bps = kept_max_bps(half_spread_bps)
    assert wanted_max_bps(half_spread_bps) <= kept_bps < band_bps(half_spread_bps)


def test_a_wide_half_spread_is_never_narrowed() -> None:
    assert wanted_max_bps(14.0) == 14.0


def test_where_the_mid_jumps_the_first_level_stands_nearer_and_is_followed_sooner() -> None:
    calm, wild = (slack_bps(sigma_bps=sigma, latency_s=0.25) for sigma in (0.3, 2.5))
    assert model_max_bps(10.0, calm) == 5.0
    assert 3.5 <= model_max_bps(10.0, wild) < 5.0
    assert kept_max_bps(5.0, calm) > kept_max_bps(5.0, wild) >= 6.0
    # What beliefs would put further off, and the band draws nearer, is followed as near as it is.
    near_bps = kept_max_bps(12.0, wild, wanted_bps=4.0)
    assert near_bps == kept_max_bps(5.0, wild, wanted_bps=4.0) < kept_max_bps(12.0, wild)
    assert aside_max_bps(10.0, calm) > aside_max_bps(10.0, wild)
    for slack in (0.0, calm, wild, 99.0):
        assert model_max_bps(10.0, slack) <= aside_max_bps(10.0, slack) < 10.0
        assert model_max_bps(10.0, slack) < kept_max_bps(5.0, slack) < 10.0
