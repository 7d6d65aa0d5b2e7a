"""The report's numbers against ones worked out by hand."""

import math
import random

import pytest

from fleet.report.gather import (
    POINTS_MAX,
    Fill,
    by_depth,
    decay,
    fills_by_depth,
    markouts,
    mean_of,
    paths,
    sigma,
    thinned,
)
from fleet.report.page import MISFIT_MAX

MINUTE_MS = 60_000


def fill(px: float, mids: tuple[float | None, ...], *, sign: int = 1, at: int = 1) -> Fill:
    return Fill(at, sign, px, 2.0, 0.1, crossed=False, mids=mids)


def test_markouts_are_signed_and_only_of_what_was_seen() -> None:
    bought = fill(100.0, (100.1, 100.2, None, 99.9))
    sold = fill(100.0, (99.9, 99.9, 100.0, 100.0), sign=-1)
    found = {row.label: row for row in markouts([bought, sold])}
    assert found["0 s"].mean == pytest.approx(10.0)
    assert found["1 s"].mean == pytest.approx(15.0)
    assert (found["10 s"].count, found["10 s"].se) == (1, None)
    assert found["60 s"].mean == pytest.approx(-5.0)


def test_a_mean_comes_with_its_standard_error() -> None:
    found = mean_of("x", [1.0, 2.0, 3.0, 4.0])
    assert found.mean == 2.5
    assert found.se == pytest.approx(math.sqrt(5 / 3) / 2)


def test_pnl_is_cash_and_what_is_held_at_the_mid_net_of_fees() -> None:
    fills = [fill(100.0, (100.0,), at=10), fill(102.0, (102.0,), sign=-1, at=30)]
    pnl, position = paths(fills, [(0, 100.0), (20, 101.0), (40, 103.0)], held=1.0)
    assert position == [(10, 3.0), (30, 1.0)]
    assert [at for at, _ in pnl] == [0, 10, 20, 30, 40]
    assert [value for _, value in pnl] == pytest.approx([0.0, -0.1, 2.9, 5.8, 6.8])


def test_depth_is_told_by_buckets_from_the_mid() -> None:
    fills = [
        fill(100.0, (100.005, None, None, 100.01)),
        fill(100.0, (100.015, None, None, 100.0)),
        fill(100.0, (None, None, None, 100.0)),
    ]
    assert [(row.label, row.count) for row in by_depth(fills)] == [("0-1", 1), ("1-2", 1)]
    assert fills_by_depth(fills)[:3] == (("0-1", 1), ("1-2", 1), ("2-3", 0))


def test_volatility_of_known_minutes_is_found_and_gaps_are_left_out() -> None:
    chance, mid, at = random.Random(5), 100.0, 0
    marks = [(at, mid)]
    for _ in range(2_000):
        at += MINUTE_MS
        mid *= math.exp(chance.gauss(0.0, 2e-4 * math.sqrt(60)))
        marks.append((at, mid))
    found = sigma([*marks, (at + 10 * MINUTE_MS, mid * 3)])
    assert found is not None
    assert found.se is not None
    assert abs(found.mean - 2.0) < 3 * found.se
    assert sigma(marks[:20]) is None


def test_the_decay_of_fills_with_depth_is_found() -> None:
    chance, kappa = random.Random(6), 0.4
    fills = [
        fill(100.0, (100.0 * (1 + chance.expovariate(kappa) / 10_000), None, None, None))
        for _ in range(5_000)
    ]
    found = decay(fills, hours=10.0)
    assert found is not None
    assert abs(found.per_bps - kappa) < 0.1 * kappa
    assert abs(found.at_mid_per_h - 500 * kappa) < 0.1 * 500 * kappa
    few = decay(fills[:300], hours=10.0)
    assert few is not None
    assert few.misfit < MISFIT_MAX
    assert decay(fills[:20], hours=10.0) is None


def test_fills_at_one_distance_alone_do_not_thin_out_by_one_rate() -> None:
    depths = [0.5] * 100 + [1.5] * 5 + [5.0] * 100
    fills = [fill(100.0, (100.0 * (1 + bps / 10_000), None, None, None)) for bps in depths]
    found = decay(fills, hours=1.0)
    assert found is not None
    assert found.misfit > MISFIT_MAX


def test_a_long_path_keeps_its_ends() -> None:
    path = [(at, float(at)) for at in range(10_000)]
    thin = thinned(path)
    assert (len(thin), thin[0], thin[-1]) == (POINTS_MAX, path[0], path[-1])
    assert thinned(path[:5]) == tuple(path[:5])
