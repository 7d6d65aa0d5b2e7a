"""Engines on the embedded exchange: paths repeat, cross skew takes hold, the comparison is fair."""

import random

import pytest

from fleet.backtest.paired import Path, compare, walk
from fleet.backtest.shared_flow import Crowd


def test_a_path_repeats_and_what_is_off_is_not_on() -> None:
    crowd = Crowd(shock=1.0)

    def once(cross: str) -> Path:
        return walk(5, crowd, cross, random.Random(5), seconds=20, warm_s=30)  # type: ignore[arg-type]

    off, on = once("off"), once("on")
    assert off == once("off") == once("shadow")
    assert off.fills > 0
    assert off != on
    assert off.caps == 0


def test_changes_are_on_over_off_with_the_interval_round_them() -> None:
    def path(seed: int, pnl: float) -> Path:
        return Path(seed, pnl, pnl, 1.0, 2.0, 10, 20, 0)

    draw = random.Random(2)
    found = []
    for seed in range(80):
        usd = draw.gauss(10.0, 4.0)
        found.append((path(seed, usd), path(seed, 10.0 + (usd - 10.0) / 2)))
    told = compare(found, random.Random(1))
    assert told.paths == 80
    assert told.sd_change.value == pytest.approx(-0.5)
    assert told.sd_change.low <= -0.5 <= told.sd_change.high + 1e-9
    assert told.mean_change.low <= told.mean_change.value <= told.mean_change.high
    assert told.risk_change.value == 0.0
