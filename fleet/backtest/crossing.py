"""Many markets made at once, in the model itself: each by its GLFT, or by the portfolio's Gamma.

Prices are correlated Brownian motions, fills Poisson at the quoted distance, all in bps and clips:

    dS_i   = sigma*dW_i + drift*lean*dt           corr(dW_i, dW_j) = rho
    d lean = -lean/60 s*dt + shock*sqrt(2/60 s)*dW

Buyers come exp(lean) times as often as usual, sellers exp(-lean) times, in every market alike.

Quotes cost nothing to move, there is no queue and no latency, and every parameter is known: what is
shown is the formula, not the trade. ``fleet.backtest.paired`` shows what is left of it live.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from fleet.risk.covariance import Matrix
from fleet.risk.gamma import gamma_matrix

MARKETS: Final = 10
RHO: Final = 0.7
SIGMA_BPS: Final = 1.55
FILLS_PER_S: Final = 0.054
KAPPA_PER_BPS: Final = 0.3
GAMMA: Final = 0.01
LEAN_S: Final = 60.0
STEP_S: Final = 0.5
TAIL: Final = 95


class Flow(msgspec.Struct, frozen=True):
    """``shock``: deviation of the common lean; ``drift_bps``: a second, of prices along with it."""

    name: str
    shock: float = 0.0
    drift_bps: float = 0.0


class Outcome(msgspec.Struct, frozen=True):
    """Over paths, in bps of a clip. ``variance``: of the portfolio a second, mean over time."""

    flow: str
    mode: str
    mean: float
    sd: float
    variance: float
    drawdown_mean: float
    drawdown_95: float

    @property
    def ratio(self) -> float:
        return self.mean / self.sd


FLOWS: Final = (
    Flow("independent"),
    Flow("common shock 0.65", 0.65),
    Flow("common shock 0.65, adverse drift", 0.65, 0.02),
    Flow("common shock 1.3, adverse drift", 1.3, 0.02),
)


def covariance() -> Matrix:
    """Of all markets, bps^2/s."""
    found: Matrix = SIGMA_BPS**2 * (RHO * np.ones((MARKETS, MARKETS)) + (1 - RHO) * np.eye(MARKETS))
    return found


def gamma(*, cross: bool) -> Matrix:
    """The portfolio's, or only what each market has on its own."""
    scale = (1 + GAMMA / KAPPA_PER_BPS) ** -(1 + KAPPA_PER_BPS / GAMMA)
    liquidity = np.full(MARKETS, 2 * FILLS_PER_S * KAPPA_PER_BPS * scale)
    sigma = covariance()
    return gamma_matrix(
        sigma if cross else np.diag(np.diag(sigma)), np.full(MARKETS, GAMMA), liquidity
    )


def play(
    flow: Flow, *, cross: bool, chance: np.random.Generator, paths: int, seconds: float
) -> Outcome:
    """All paths at once; equal generators, equal outcomes."""
    table = gamma(cross=cross)
    half = math.log1p(GAMMA / KAPPA_PER_BPS) / GAMMA + np.diag(table) / 2
    sigma = covariance()
    root = np.linalg.cholesky(sigma) * math.sqrt(STEP_S)
    held = np.zeros((paths, MARKETS))
    pnl, peak, fall, lean = (np.zeros(paths) for _ in range(4))
    variance = 0.0
    steps = round(seconds / STEP_S)
    pull = STEP_S / LEAN_S
    for _ in range(steps):
        lean += flow.shock * math.sqrt(2 * pull) * chance.standard_normal(paths) - pull * lean
        skew = held @ table
        rate = FILLS_PER_S * STEP_S
        bids, asks = half + skew, half - skew
        bought = chance.poisson(rate * np.exp(-lean[:, None] - KAPPA_PER_BPS * bids))
        sold = chance.poisson(rate * np.exp(lean[:, None] - KAPPA_PER_BPS * asks))
        moved = chance.standard_normal((paths, MARKETS)) @ root.T
        moved += flow.drift_bps * STEP_S * lean[:, None]
        held += bought - sold
        pnl += (bought * bids + sold * asks + held * moved).sum(axis=1)
        peak = np.maximum(peak, pnl)
        fall = np.maximum(fall, peak - pnl)
        variance += float(np.einsum("pi,ij,pj->", held, sigma, held)) / paths
    return Outcome(
        flow=flow.name,
        mode="cross" if cross else "independent GLFT",
        mean=float(pnl.mean()),
        sd=float(pnl.std(ddof=1)),
        variance=variance / steps,
        drawdown_mean=float(fall.mean()),
        drawdown_95=float(np.percentile(fall, TAIL)),
    )


def table(
    chance: Sequence[np.random.Generator], *, paths: int, seconds: float
) -> list[tuple[Outcome, Outcome]]:
    """Every kind of flow, each market on its own and as a portfolio; a generator a row."""
    return [
        (
            play(flow, cross=False, chance=of, paths=paths, seconds=seconds),
            play(flow, cross=True, chance=of, paths=paths, seconds=seconds),
        )
        for flow, of in zip(FLOWS, chance, strict=True)
    ]
