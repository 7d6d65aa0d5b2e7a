"""The portfolio's risk as a whole: sqrt(x'Sigma*x) over an hour, and who adds to it.

    risk_usd  = sqrt( sum_ij x_i*x_j*Sigma_ij )                 Sigma of returns over an hour
    share_i   = x_i*(Sigma*x)_i / (x'Sigma*x)                   they add up to 1; below 0 it hedges
    beta_i    = b_i*sigma_i / median(b_j*sigma_j)               b: loadings on the one factor

What is not known counts as too much: two markets without a common past are taken to move as one
against us, ``RHO_UNKNOWN`` in the direction that hurts. The same ticker on two DEXs is not the same
risk: held against one another they count as apart, unless both markets say that they net; then at
most ``NETTED_SHARE`` of what they have in common is believed.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from agents.market.units import BPS
from fleet.risk.covariance import SAMPLES_MIN, Covariance, Matrix
from fleet.risk.exposure import NETTED_SHARE

HOUR_S: Final = 3_600.0
RHO_UNKNOWN: Final = 0.7


class Holding(msgspec.Struct, frozen=True):
    """One market's position in USD; ``sigma_bps`` as its agent reports it, in bps/sqrt(s)."""

    market: str
    underlying: str
    usd: float
    sigma_bps: float | None = None
    nets: bool = False


class PortfolioRisk(msgspec.Struct, frozen=True):
    """``shares`` of the variance, by market; ``unknown``: held, and nobody knows how they move;
    ``beta_net_usd``: net in USD of a typical market (None: no factor is known).
    """

    risk_usd: float
    shares: dict[str, float]
    beta_net_usd: float | None
    unknown: tuple[str, ...] = ()


def portfolio_risk(holdings: Sequence[Holding], covariance: Covariance) -> PortfolioRisk:
    """Of what is held now."""
    held = [row for row in holdings if row.usd]
    sigmas = {row.market: _sigma_bps(row, covariance) for row in held}
    unknown = tuple(row.market for row in held if sigmas[row.market] is None)
    known = [row for row in held if sigmas[row.market] is not None]
    if not known:
        return PortfolioRisk(0.0, {}, None, unknown)
    sigma = np.array([sigmas[row.market] or 0.0 for row in known])
    usd = np.array([row.usd for row in known])
    hourly_usd = usd * sigma * math.sqrt(HOUR_S) / BPS
    rho = _against_us(known, covariance)
    marginal = rho @ hourly_usd
    variance = float(hourly_usd @ marginal)
    parts = hourly_usd * marginal
    risk_usd = math.sqrt(max(variance, 0.0))
    shares = {
        row.market: float(part) / variance if variance > 0 else 0.0
        for row, part in zip(known, parts, strict=True)
    }
    return PortfolioRisk(risk_usd, shares, _beta_net_usd(known, sigma, usd, covariance), unknown)


def _sigma_bps(row: Holding, covariance: Covariance) -> float | None:
    """The higher of the sampled volatility and the agent's faster one."""
    found = [s for s in (covariance.sigma_bps(row.market), row.sigma_bps) if s is not None]
    sane = [s for s in found if math.isfinite(s) and s >= 0]
    return max(sane, default=None)


def _against_us(rows: Sequence[Holding], covariance: Covariance) -> Matrix:
    """Correlations as the limit believes them: measured ones, and doubt in the direction that
    hurts.
    """
    size = len(rows)
    ready = [at for at, row in enumerate(rows) if covariance.ready(row.market)]
    names = [rows[at].market for at in ready]
    measured = covariance.correlation(names)
    counts = covariance.samples(names)
    rho: Matrix = np.full((size, size), math.nan)
    for i, at in enumerate(ready):
        for j, other in enumerate(ready):
            if counts[i, j] >= SAMPLES_MIN:
                rho[at, other] = measured[i, j]
    for i, one in enumerate(rows):
        rho[i, i] = 1.0
        for j in range(i):
            rho[i, j] = rho[j, i] = _believed(one, rows[j], float(rho[i, j]))
    return rho


def _believed(one: Holding, other: Holding, measured: float) -> float:
    sign = 1.0 if one.usd * other.usd > 0 else -1.0
    if one.underlying == other.underlying:
        if sign > 0:
            return 1.0
        nets = one.nets and other.nets and measured > 0
        return min(measured, NETTED_SHARE) if nets else 0.0
    return sign * RHO_UNKNOWN if math.isnan(measured) else measured


def _beta_net_usd(
    rows: Sequence[Holding], sigma: Matrix, usd: Matrix, covariance: Covariance
) -> float | None:
    """By all markets that are ready, not only those held: the factor is the market's."""
    names = [market for market in covariance.markets if covariance.ready(market)]
    if len(names) < 2:
        return None
    loadings = covariance.factor(names).tolist()
    vols = [abs(b) * (covariance.sigma_bps(m) or 0.0) for m, b in zip(names, loadings, strict=True)]
    typical = float(np.median(vols))
    if typical <= 0:
        return None
    of = dict(zip(names, loadings, strict=True))
    betas = np.array([of.get(row.market, 1.0) for row in rows]) * sigma / typical
    return float(betas @ usd)
