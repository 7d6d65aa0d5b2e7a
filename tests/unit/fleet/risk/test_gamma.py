"""Gamma: its equation, its limits, and an exact two-market solution to hold it against."""

import math

import numpy as np
import pytest

from agents.strategy.glft import glft
from fleet.risk.covariance import Matrix
from fleet.risk.gamma import Liquid, gamma_matrix, gamma_of

BTC = Liquid(sigma_bps=1.2, fills_per_s=0.3, kappa_per_bps=0.4, risk_aversion=0.3, clip_usd=900.0)
DOGE = Liquid(sigma_bps=3.4, fills_per_s=0.05, kappa_per_bps=0.2, risk_aversion=0.5, clip_usd=80.0)


def test_without_correlation_it_is_the_local_skew() -> None:
    gamma = gamma_of([BTC, DOGE], np.eye(2))
    for at, market in enumerate((BTC, DOGE)):
        skew_bps = glft(
            sigma_bps=market.sigma_bps,
            kappa_per_bps=market.kappa_per_bps,
            fills_per_s=market.fills_per_s,
            risk_aversion=market.risk_aversion,
        ).skew_bps
        assert gamma[at, at] * market.clip_usd == pytest.approx(skew_bps, rel=1e-12)
        assert market.own_bps_per_usd == pytest.approx(gamma[at, at], rel=1e-12)
    assert gamma[0, 1] == pytest.approx(0.0, abs=1e-18)


def test_its_equation_holds_to_ten_digits() -> None:
    rho = np.array([[1, 0.7, 0.2], [0.7, 1, -0.3], [0.2, -0.3, 1]])
    sigma = np.array([1.0, 2.0, 3.0])
    covariance = rho * np.outer(sigma, sigma)
    liquidity, aversion = np.array([3.0, 0.5, 40.0]), 2e-4
    gamma = gamma_matrix(covariance, np.full(3, aversion), liquidity)
    left = gamma @ np.diag(liquidity) @ gamma
    assert np.allclose(left, aversion * covariance, rtol=1e-10, atol=0)
    assert np.array_equal(gamma, gamma.T)
    assert np.linalg.eigvalsh(gamma)[0] > 0


def test_markets_that_move_as_one_share_one_inventory() -> None:
    twins = [BTC] * 3
    gamma = gamma_of(twins, np.full((3, 3), 1.0 - 1e-9) + 1e-9 * np.eye(3))
    assert np.allclose(gamma, gamma[0, 0], rtol=1e-3), "the skew depends on the sum alone"


@pytest.mark.parametrize(("rho", "share"), [(0.7, 1 / 1.31), (0.9, 1 / 1.71)])
def test_the_diagonal_is_not_the_local_one(rho: float, share: float) -> None:
    correlation = np.full((10, 10), rho) + (1 - rho) * np.eye(10)
    gamma = gamma_of([BTC] * 10, correlation)
    assert gamma[0, 0] / BTC.own_bps_per_usd == pytest.approx(share, rel=0.01)


@pytest.mark.parametrize("changed", [
    {"sigma_bps": math.nan}, {"fills_per_s": 0.0}, {"clip_usd": -1.0}, {"kappa_per_bps": math.inf},
])  # fmt: skip
def test_what_no_matrix_may_stand_on_is_not_sane(changed: dict[str, float]) -> None:
    import msgspec

    assert BTC.sane
    assert not msgspec.structs.replace(BTC, **changed).sane


# ── against the exact solution ───────────────────────────────────────────────────────────────

SIZE = 12  # clips held, each way
SIGMA = np.array([3.0, 4.0])
RATE = np.array([0.9, 0.5])
KAPPA = np.array([0.3, 0.25])
AVERSION = 0.01


def exact_distances(rho: float, xi: float) -> dict[tuple[int, int], list[float]]:
    """Bid and ask of both markets from the stationary HJB, by relative value iteration: the
    reduced value of 25 x 25 inventories integrated with Runge and Kutta until it only rises.
    """
    q = np.arange(-SIZE, SIZE + 1, dtype=float)
    cost = (
        AVERSION
        / 2
        * (
            (SIGMA[0] * q[:, None]) ** 2
            + (SIGMA[1] * q[None, :]) ** 2
            + 2 * rho * SIGMA[0] * SIGMA[1] * q[:, None] * q[None, :]
        )
    )
    scale = [math.exp(-1) if xi == 0 else (1 + xi / k) ** -(1 + k / xi) for k in KAPPA]

    def slope(value: Matrix) -> Matrix:
        out: Matrix = -cost
        for axis in (0, 1):
            step = np.diff(value, axis=axis)  # value(q+1) - value(q)
            gain = RATE[axis] / KAPPA[axis] * scale[axis]
            up = gain * np.exp(np.clip(KAPPA[axis] * step, -50, 50))
            down = gain * np.exp(np.clip(-KAPPA[axis] * step, -50, 50))
            pad_last = [(0, 0), (0, 0)]
            pad_first = [(0, 0), (0, 0)]
            pad_last[axis], pad_first[axis] = (0, 1), (1, 0)
            out = out + np.pad(up, pad_last) + np.pad(down, pad_first)
        return out

    value: Matrix = np.zeros((2 * SIZE + 1, 2 * SIZE + 1))
    dt = 0.25
    for _ in range(240):
        k1 = slope(value)
        k2 = slope(value + dt / 2 * k1)
        k3 = slope(value + dt / 2 * k2)
        k4 = slope(value + dt * k3)
        value = value + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        value = value - value[SIZE, SIZE]
    edge = [1 / k if xi == 0 else math.log1p(xi / k) / xi for k in KAPPA]
    found = {}
    for a in range(-4, 5):
        for b in range(-4, 5):
            i, j = a + SIZE, b + SIZE
            here = value[i, j]
            found[a, b] = [
                edge[0] + here - value[i + 1, j], edge[0] + here - value[i - 1, j],
                edge[1] + here - value[i, j + 1], edge[1] + here - value[i, j - 1],
            ]  # fmt: skip
    return found


@pytest.mark.parametrize(("rho", "xi"), [(0.0, 0.0), (0.5, AVERSION), (0.9, AVERSION)])
def test_the_closed_form_is_within_0_06_bps_of_the_exact_solution(rho: float, xi: float) -> None:
    """The note's case: mean error of both sides of both markets over |q| <= 4 clips."""
    correlation = np.array([[1.0, rho], [rho, 1.0]])
    scale = np.array([math.exp(-1) if xi == 0 else (1 + xi / k) ** -(1 + k / xi) for k in KAPPA])
    gamma = gamma_matrix(
        correlation * np.outer(SIGMA, SIGMA), np.full(2, AVERSION), 2 * RATE * KAPPA * scale
    )
    edge = np.array([1 / k if xi == 0 else math.log1p(xi / k) / xi for k in KAPPA])
    errors = []
    for (a, b), exact in exact_distances(rho, xi).items():
        skew = gamma @ np.array([a, b], dtype=float)
        half = edge + np.diag(gamma) / 2
        closed = [half[0] + skew[0], half[0] - skew[0], half[1] + skew[1], half[1] - skew[1]]
        errors += [abs(x - y) for x, y in zip(closed, exact, strict=True)]
    assert sum(errors) / len(errors) <= 0.06
    assert max(errors) <= 0.4
