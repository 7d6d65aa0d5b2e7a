"""The exact skew against two other solutions: its matrix's eigenvector, and brute force in time."""

import math

import pytest

from agents.skew import Flow, Problem, SkewTable
from agents.strategy.exact import solve
from agents.strategy.glft import Spread, bounded_bps, glft_sides

CALM = Problem(1.0, Flow(0.5, 0.15), Flow(0.5, 0.15), 0.1, 20)
ETHER = Problem(1.4, Flow(0.4, 1.0), Flow(0.4, 1.0), 0.01, 10)
THIN = Problem(0.3, Flow(0.5, 0.4), Flow(0.5, 0.4), 0.05, 12)
UNEQUAL = Problem(1.0, Flow(0.5, 0.15), Flow(0.35, 0.2), 0.1, 12)


def _closed(problem: Problem) -> Spread:
    return glft_sides(
        sigma_bps=problem.sigma_bps,
        bid=problem.bid,
        ask=problem.ask,
        risk_aversion=problem.risk_aversion,
    )


def _distance(table: SkewTable, clips: int, sign: int) -> float:
    closed = _closed(table.problem)
    correction = table.correction_bps(clips, sign=sign, skew_bps=closed.skew_bps)
    return closed.distance_bps(clips, sign=sign) + correction


def _brute(problem: Problem) -> dict[tuple[int, int], float]:
    """The HJB equation run in time until nothing changes, each distance searched for by hand.

    d theta/dt = -gamma*sigma^2*q^2/2 + sum over sides of max over d of
                 A*exp(-kappa*d) * (1 - exp(-gamma*(d - p))) / gamma
    """
    limit = problem.clips_max
    gamma = problem.risk_aversion * (problem.bid.kappa_per_bps + problem.ask.kappa_per_bps) / 2
    theta = dict.fromkeys(range(-limit, limit + 1), 0.0)

    def best(flow: Flow, given_up: float) -> tuple[float, float]:
        def worth(d: float) -> float:
            rate = flow.fills_per_s * math.exp(-flow.kappa_per_bps * d)
            return rate * (1 - math.exp(-gamma * (d - given_up))) / gamma

        low, high = given_up, given_up + 3 / flow.kappa_per_bps
        for _ in range(60):  # golden section, on a function with one maximum
            a, b = low + 0.382 * (high - low), low + 0.618 * (high - low)
            low, high = (a, high) if worth(a) < worth(b) else (low, b)
        return (low + high) / 2, worth((low + high) / 2)

    found: dict[tuple[int, int], float] = {}
    step_s = 0.5 / (problem.bid.fills_per_s + problem.ask.fills_per_s)
    for _ in range(4_000):
        change: dict[int, float] = {}
        for q, held in theta.items():
            change[q] = -gamma * problem.sigma_bps**2 * q * q / 2
            for sign, flow in ((1, problem.bid), (-1, problem.ask)):
                if -limit <= q + sign <= limit:
                    distance, value = best(flow, held - theta[q + sign])
                    found[q, sign] = distance
                    change[q] += value
        moved = max(abs(change[q] - change[0]) for q in theta)
        for q in theta:
            theta[q] += step_s * (change[q] - change[0])
        if moved < 1e-5:
            return found
    raise AssertionError("it does not settle")


@pytest.mark.parametrize("problem", [CALM, ETHER, THIN], ids=["calm", "ether", "thin"])
def test_closed_form_and_exact_agree_to_a_tenth_of_a_bp_up_to_half_the_limit(
    problem: Problem,
) -> None:
    table, closed = solve(problem), _closed(problem)
    for clips in range(-problem.clips_max // 2, problem.clips_max // 2 + 1):
        for sign in (1, -1):
            assert _distance(table, clips, sign) == pytest.approx(
                closed.distance_bps(clips, sign=sign), abs=0.1
            )


@pytest.mark.parametrize("problem", [CALM, ETHER, THIN], ids=["calm", "ether", "thin"])
def test_the_gap_grows_towards_the_limit(problem: Problem) -> None:
    """Near the limit the exact bid backs off more: one more clip may not be sold back in time."""
    table = solve(problem)
    limit = problem.clips_max
    gaps = [abs(table.bid_bps[limit + q]) for q in range(1, limit)]
    assert max(gaps[limit // 2 :]) > 3 * max(gaps[: limit // 2])


@pytest.mark.parametrize(
    "problem",
    [ETHER, THIN, Problem(1.0, Flow(0.5, 0.3), Flow(0.4, 0.4), 0.2, 5)],
    ids=["ether", "thin", "unequal"],
)
def test_brute_force_finds_the_same_distances(problem: Problem) -> None:
    smaller = Problem(problem.sigma_bps, problem.bid, problem.ask, problem.risk_aversion, 5)
    table = solve(smaller)
    for (clips, sign), distance in _brute(smaller).items():
        assert _distance(table, clips, sign) == pytest.approx(distance, abs=5e-3)


def test_it_is_the_eigenvector_of_the_smallest_eigenvalue() -> None:
    """M v = lambda v with v = exp(kappa*theta), checked row by row, and v > 0 (Perron)."""
    problem = ETHER
    kappa, limit = problem.bid.kappa_per_bps, problem.clips_max
    gamma = problem.risk_aversion * kappa
    rate = problem.bid.fills_per_s * (1 + gamma / kappa) ** -(1 + kappa / gamma)
    edge = math.log1p(gamma / kappa) / gamma
    table = solve(problem)
    v = [1.0]
    for q in range(-limit, limit):
        v.append(v[-1] * math.exp(-kappa * (_distance(table, q, 1) - edge)))
    values = []
    for row, q in enumerate(range(-limit, limit + 1)):
        beside = (v[row - 1] if row else 0.0) + (v[row + 1] if row < 2 * limit else 0.0)
        cost = kappa * gamma * problem.sigma_bps**2 * q * q / 2
        values.append(cost - rate * beside / v[row])
    assert all(value == pytest.approx(values[0], rel=1e-8) for value in values)
    assert min(v) > 0


def test_without_a_table_the_skew_is_bounded_as_the_exact_one_is() -> None:
    """Where kappa * skew is 2.6 the straight line asks for three times too much."""
    alt = Problem(2.5, Flow(0.04, 0.31), Flow(0.04, 0.31), 0.3, 10)
    table, closed = solve(alt), _closed(alt)
    for clips in range(-5, 6):
        away = abs(table.correction_bps(clips, sign=1, skew_bps=closed.skew_bps))
        bounded = bounded_bps(closed, kappa_per_bps=0.31, clips=clips)
        left = abs(table.correction_bps(clips, sign=1, skew_bps=closed.skew_bps) - bounded)
        assert left <= max(0.25 * away, 3.0)
    assert bounded_bps(closed, kappa_per_bps=0.31, clips=0.0) == 0.0
    calm = _closed(CALM)
    assert abs(bounded_bps(calm, kappa_per_bps=0.15, clips=5.0)) < 0.1


def test_unequal_sides_tilt_the_exact_and_the_closed_form_alike() -> None:
    table, closed = solve(UNEQUAL), _closed(UNEQUAL)
    assert closed.tilt_bps != 0
    for clips in (-3, 0, 3):
        for sign in (1, -1):
            assert _distance(table, clips, sign) == pytest.approx(
                closed.distance_bps(clips, sign=sign), abs=0.35
            )


def test_a_mirrored_problem_has_the_mirrored_table() -> None:
    mirrored = Problem(UNEQUAL.sigma_bps, UNEQUAL.ask, UNEQUAL.bid, UNEQUAL.risk_aversion, 12)
    one, other = solve(UNEQUAL), solve(mirrored)
    assert one.bid_bps == pytest.approx(tuple(reversed(other.ask_bps)), abs=1e-9)
    assert _closed(UNEQUAL).tilt_bps == -_closed(mirrored).tilt_bps


def test_monotone_in_the_inventory() -> None:
    table = solve(ETHER)
    bids = [_distance(table, q, 1) for q in range(-10, 10)]
    asks = [_distance(table, q, -1) for q in range(-9, 11)]
    assert bids == sorted(bids)
    assert asks == sorted(asks, reverse=True)


def test_no_risk_still_minds_the_limit() -> None:
    still = solve(Problem(0.0, Flow(0.1, 0.5), Flow(0.1, 0.5), 0.1, 3))
    assert _distance(still, 2, 1) > _distance(still, 0, 1)
    assert still.correction_bps(1, sign=1, skew_bps=0.0) != 0


def test_it_serves_what_is_near_and_nothing_else() -> None:
    table = solve(ETHER)
    near = Problem(1.5, Flow(0.42, 1.1), Flow(0.38, 0.95), 0.011, 10)
    assert table.serves(near)
    assert not table.serves(Problem(2.0, ETHER.bid, ETHER.ask, 0.01, 10))
    assert not table.serves(Problem(1.4, ETHER.bid, ETHER.ask, 0.01, 11))
