"""What a position in one market is worth to the quotes of all: the matrix Gamma, in closed form.

    Gamma = S^-1/2 * ( S^1/2 * G^1/2 * Sigma * G^1/2 * S^1/2 )^1/2 * S^-1/2

    Sigma_ij  covariance of returns, bps^2/s
    G_ii      gamma_i = rho_i * kappa_i / clip_i: risk aversion, 1/(USD*bps)
    S_ii      2 * A_i * kappa_i * C_i * clip_i:   liquidity, USD/(bps*s)
    C_i       (1 + rho_i)^-(1 + 1/rho_i)

Gamma_ij is in bps of market i's price a USD held in market j: the reservation price of market i
moves by -(Gamma*x)_i for the positions x in USD. Without correlation Gamma is diagonal, and
``Gamma_ii * clip_i`` is the skew of ``agents.strategy.glft``. With one gamma for all markets it is
the paper's, and Gamma*S*Gamma = gamma*Sigma; each market's own rho is kept by weighing Sigma with
the root of both sides' aversions, which leaves it symmetric and positive.
Source: Bergault, Evangelista, Guéant & Vieira (2021), arXiv:1810.04383, ergodic limit.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from fleet.risk.covariance import Matrix


class Liquid(msgspec.Struct, frozen=True):
    """One market as its agent reports it: sigma in bps/sqrt(s), A in 1/s a side, kappa in 1/bps;
    ``risk_aversion`` rho and ``clip_usd`` as its settings say.
    """

    sigma_bps: float
    fills_per_s: float
    kappa_per_bps: float
    risk_aversion: float
    clip_usd: float

    @property
    def sane(self) -> bool:
        """Whether a matrix may be built on it."""
        numbers = msgspec.structs.astuple(self)
        return all(math.isfinite(x) and 0 < x < 1e12 for x in numbers)

    @property
    def gamma(self) -> float:
        """Risk aversion, 1/(USD*bps)."""
        return self.risk_aversion * self.kappa_per_bps / self.clip_usd

    @property
    def liquidity(self) -> float:
        """USD/(bps*s): how fast a bps of skew moves inventory."""
        rho = self.risk_aversion
        rate = self.fills_per_s * math.exp(-(1 + 1 / rho) * math.log1p(rho))
        return 2 * rate * self.kappa_per_bps * self.clip_usd

    @property
    def own_bps_per_usd(self) -> float:
        """The diagonal of a market on its own: GLFT's skew a USD."""
        return self.sigma_bps * math.sqrt(self.gamma / self.liquidity)


def gamma_matrix(covariance: Matrix, gammas: Matrix, liquidity: Matrix) -> Matrix:
    """Gamma of these markets; ``gammas`` and ``liquidity`` are vectors, all positive."""
    root = np.sqrt(liquidity)
    weight = root * np.sqrt(gammas)
    values, vectors = np.linalg.eigh(weight[:, None] * covariance * weight[None, :])
    inner = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    found: Matrix = inner / root[:, None] / root[None, :]
    return (found + found.T) / 2


def gamma_of(markets: Sequence[Liquid], correlation: Matrix) -> Matrix:
    """Gamma of markets by their own volatilities and the correlation between them."""
    sigma = np.array([market.sigma_bps for market in markets])
    return gamma_matrix(
        correlation * np.outer(sigma, sigma),
        np.array([market.gamma for market in markets]),
        np.array([market.liquidity for market in markets]),
    )
