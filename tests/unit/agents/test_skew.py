"""The solved skew between whole clips, beyond its limit, and at another scale."""

import pytest

from agents.skew import Flow, Problem, SkewTable

TABLE = SkewTable(
    problem=Problem(1.0, Flow(1.0, 1.0), Flow(1.0, 1.0), 0.1, 1),
    bid_bps=(-1.0, 0.0, 2.0),
    ask_bps=(2.0, 0.0, -1.0),
    skew_bps=2.0,
)


@pytest.mark.parametrize(
    ("clips", "bps"), [(-1, -1.0), (-0.5, -0.5), (0, 0.0), (0.25, 0.5), (1, 2.0), (7, 2.0)]
)
def test_linear_between_clips_and_constant_beyond_the_limit(clips: float, bps: float) -> None:
    assert TABLE.correction_bps(clips, sign=1, skew_bps=2.0) == pytest.approx(bps)
    assert TABLE.correction_bps(-clips, sign=-1, skew_bps=2.0) == pytest.approx(bps)


def test_it_scales_with_the_skew() -> None:
    assert TABLE.correction_bps(1, sign=1, skew_bps=1.0) == pytest.approx(1.0)
