"""Conversions there and back."""

import pytest

from agents.market import units


def test_bps_there_and_back() -> None:
    assert units.px_to_bps(1.5, reference_px=10_000.0) == pytest.approx(1.5)
    assert units.bps_to_px(2.0, reference_px=50_000.0) == pytest.approx(10.0)


def test_seconds_become_whole_nanoseconds() -> None:
    assert units.s_to_ns(0.3) == 300_000_000
