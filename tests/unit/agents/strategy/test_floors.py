"""Floors: the highest binds, and is named."""

import math
from typing import Any

import pytest

from agents.strategy.floors import binding, floors

QUIET: dict[str, float] = {
    "configured_bps": 2.0,
    "maker_fee_bps": 1.5,
    "edge_min_bps": 0.25,
    "tick_bps": 0.1,
    "sigma_bps": 0.5,
    "latency_s": 0.25,
}


@pytest.mark.parametrize(
    ("changed", "name", "bps"),
    [
        ({}, "configured", 2.0),
        ({"edge_min_bps": 1.0}, "edge", 2.5),
        ({"tick_bps": 3.2}, "tick", 3.2),
        ({"sigma_bps": 9.0}, "latency", 9.0 * math.sqrt(0.5)),
        ({"sigma_bps": 3.0, "latency_s": 2.0}, "latency", 6.0),
        ({"maker_fee_bps": -3.0}, "configured", 2.0),
    ],
)
def test_the_highest_binds(changed: dict[str, Any], name: str, bps: float) -> None:
    floor = binding(floors(**{**QUIET, **changed}))
    assert floor.name == name
    assert floor.bps == pytest.approx(bps)


def test_all_are_named_and_of_equals_the_operators_own_binds() -> None:
    candidates = floors(**{**QUIET, "edge_min_bps": 0.5})
    assert [floor.name for floor in candidates] == [
        "configured", "edge", "adverse", "tick", "latency",
    ]  # fmt: skip
    assert binding(candidates).name == "configured"
