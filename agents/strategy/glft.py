"""Guéant, Lehalle and Fernandez-Tapia: the optimal half-spread and skew, in closed form."""

import math

import msgspec


class Spread(msgspec.Struct, frozen=True, gc=False):
    """``half_spread_bps`` to each side without inventory; ``skew_bps`` the shift a clip held."""

    half_spread_bps: float
    skew_bps: float

    def distance_bps(self, inventory_clips: float, *, sign: int) -> float:
        """Distance of the bid (sign +1) or ask (-1) from fair; may be negative when reducing."""
        return self.half_spread_bps + sign * inventory_clips * self.skew_bps


def glft(
    *, sigma_bps: float, kappa_per_bps: float, fills_per_s: float, risk_aversion: float
) -> Spread:
    """Optimal half-spread and skew, far from the horizon.

        skew        = sigma * sqrt( rho / (2*A) * (1 + rho)^(1 + 1/rho) )
        half_spread = ln(1 + rho) / (rho * kappa) + skew / 2

    sigma_bps      volatility of the fair price, bps/sqrt(s)
    kappa_per_bps  how fast fills thin out with distance, 1/bps: rate(d) = A * exp(-kappa*d)
    fills_per_s    A, the fill rate at no distance, 1/s
    risk_aversion  rho = gamma / kappa, without dimension: gamma is the aversion per clip, 1/bps
    Source: Guéant, Lehalle & Fernandez-Tapia (2013), 'Dealing with the inventory risk';
            = Guéant (2017), arXiv:1605.01862, eq. 4.6-4.7 with xi = gamma = rho*kappa and
            Delta = one clip. The limits for rho to 0 are 1/kappa and sigma*sqrt(rho*e/(2*A)).
    """
    assert sigma_bps >= 0
    assert kappa_per_bps > 0
    assert fills_per_s > 0
    assert risk_aversion > 0
    log1p = math.log1p(risk_aversion)
    growth = math.exp((1 + 1 / risk_aversion) * log1p)
    skew = sigma_bps * math.sqrt(risk_aversion * growth / (2 * fills_per_s))
    return Spread(half_spread_bps=log1p / (risk_aversion * kappa_per_bps) + skew / 2, skew_bps=skew)
