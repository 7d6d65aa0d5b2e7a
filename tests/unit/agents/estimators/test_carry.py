"""Funding is a drift, hourly; the oracle with its basis is a price of last resort."""

import pytest

from agents.estimators.carry import BasisEstimator, funding_drift_bps


def test_incident_56_funding_is_hourly_and_counts_in_bps() -> None:
    assert funding_drift_bps(0.0001, held_s=3_600.0) == pytest.approx(-1.0)
    assert funding_drift_bps(0.0001, held_s=8 * 3_600.0) == pytest.approx(-8.0)


def test_incident_54_a_short_earns_what_a_long_pays() -> None:
    assert funding_drift_bps(-0.0003, held_s=60.0) == -funding_drift_bps(0.0003, held_s=60.0)


def test_no_anchor_before_the_oracle_spoke() -> None:
    basis = BasisEstimator()
    basis.touched(100.0, 0)
    assert basis.basis_bps is None
    assert basis.anchor_px(0) is None


def test_the_anchor_is_the_oracle_with_the_usual_basis() -> None:
    basis = BasisEstimator()
    basis.told(100.0, 0)
    for at_ms in range(0, 30_000, 500):
        basis.touched(100.2, at_ms)
    assert basis.basis_bps == pytest.approx(20.0)
    basis.told(110.0, 31_000)
    assert basis.anchor_px(31_000) == pytest.approx(110.22)


def test_an_old_oracle_anchors_nothing() -> None:
    basis = BasisEstimator()
    basis.told(100.0, 0)
    basis.touched(100.2, 0)
    basis.touched(150.0, 120_000)
    assert basis.basis_bps == pytest.approx(20.0)
    assert basis.anchor_px(120_000) is None
