"""GLFT against its published vectors, its limits, and its monotone directions."""

import math

import pytest

from agents.strategy.glft import glft

# rho, sigma (bps/sqrt(s)), A, m -> c1, skew, half, bid distance, ask distance; kappa 0.15/bps, bps
VECTORS = (
    (1e-4, 1.0, 0.05, 2, 6.666, 0.052, 6.692, 6.797, 6.588),
    (0.01, 1.0, 0.05, 2, 6.634, 0.523, 6.895, 7.940, 5.850),
    (0.05, 1.0, 0.05, 2, 6.505, 1.180, 7.095, 9.456, 4.735),
    (0.1, 1.0, 0.05, 2, 6.354, 1.689, 7.199, 10.577, 3.820),
    (0.3, 1.0, 0.05, 2, 5.830, 3.058, 7.359, 13.475, 1.243),
    (0.1, 2.0, 0.05, 1, 6.354, 3.378, 8.043, 11.421, 4.665),
    (0.1, 1.0, 0.01, 1, 6.354, 3.777, 8.243, 12.019, 4.466),
    (0.1, 1.0, 0.5, 1, 6.354, 0.534, 6.621, 7.155, 6.087),
)


@pytest.mark.parametrize("vector", VECTORS)
def test_vectors(vector: tuple[float, ...]) -> None:
    rho, sigma_bps, fills_per_s, clips, c1, skew, half, bid, ask = vector
    spread = glft(
        sigma_bps=sigma_bps, kappa_per_bps=0.15, fills_per_s=fills_per_s, risk_aversion=rho
    )
    assert spread.skew_bps == pytest.approx(skew, abs=6e-4)
    assert spread.half_spread_bps == pytest.approx(half, abs=6e-4)
    assert spread.half_spread_bps - spread.skew_bps / 2 == pytest.approx(c1, abs=6e-4)
    assert spread.distance_bps(clips, sign=1) == pytest.approx(bid, abs=1.1e-3)
    assert spread.distance_bps(clips, sign=-1) == pytest.approx(ask, abs=1.1e-3)


def test_without_risk_aversion_it_is_one_over_kappa() -> None:
    spread = glft(sigma_bps=1.0, kappa_per_bps=0.15, fills_per_s=0.05, risk_aversion=1e-9)
    assert spread.half_spread_bps == pytest.approx(1 / 0.15, rel=1e-3)
    assert spread.skew_bps == pytest.approx(math.sqrt(1e-9 * math.e / 0.1), rel=1e-6)


def test_incident_27_the_skew_is_not_zero_at_the_default() -> None:
    """At the default risk aversion a full inventory shifts the quotes by several bps."""
    spread = glft(sigma_bps=1.0, kappa_per_bps=0.15, fills_per_s=0.05, risk_aversion=0.3)
    assert 10 * spread.skew_bps > 10


def test_a_still_market_has_no_skew() -> None:
    spread = glft(sigma_bps=0.0, kappa_per_bps=1.0, fills_per_s=0.5, risk_aversion=0.3)
    assert spread.skew_bps == 0
