"""Guéant, Lehalle and Fernandez-Tapia: the optimal half-spread and skew, in closed form."""

import math

import msgspec

from agents.skew import Flow


class Spread(msgspec.Struct, frozen=True, gc=False):
    """``bid_bps`` and ``ask_bps``: distance of each side without inventory; ``skew_bps``: the
    shift a clip held. ``edge_bps``: of the half-spread, what a fill earns beyond its inventory
    risk, mean of both sides.
    """

    bid_bps: float
    ask_bps: float
    skew_bps: float
    edge_bps: float

    @property
    def half_spread_bps(self) -> float:
        """The mean of both sides."""
        return (self.bid_bps + self.ask_bps) / 2

    @property
    def tilt_bps(self) -> float:
        """How much further the bid stands than the ask: sellers are more frequent or keener."""
        return (self.bid_bps - self.ask_bps) / 2

    def of_portfolio(self, own_share: float) -> "Spread":
        """As one market of several that move together: ``own_share`` of the skew, and with it of
        the half of it that is in the half-spread.
        """
        if own_share == 1.0:
            return self
        less_bps = (1.0 - own_share) * self.skew_bps / 2
        return Spread(
            bid_bps=self.bid_bps - less_bps,
            ask_bps=self.ask_bps - less_bps,
            skew_bps=own_share * self.skew_bps,
            edge_bps=self.edge_bps,
        )

    def distance_bps(self, inventory_clips: float, *, sign: int) -> float:
        """Distance of the bid (sign +1) or ask (-1) from fair; may be negative when reducing."""
        own_bps = self.bid_bps if sign > 0 else self.ask_bps
        return own_bps + sign * inventory_clips * self.skew_bps


def glft(
    *, sigma_bps: float, kappa_per_bps: float, fills_per_s: float, risk_aversion: float
) -> Spread:
    """Optimal half-spread and skew, far from the horizon and from the limit, equal sides.

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
    flow = Flow(fills_per_s=fills_per_s, kappa_per_bps=kappa_per_bps)
    return glft_sides(sigma_bps=sigma_bps, bid=flow, ask=flow, risk_aversion=risk_aversion)


def bounded_bps(spread: Spread, *, kappa_per_bps: float, clips: float) -> float:
    """What the linear skew is off by on a side, ``clips`` held towards it; 0 without inventory.

        S(x) = (2/kappa) * asinh( kappa * skew * x / 2 )
        found: S(clips + 1/2) - S(1/2) - skew * clips

    The linear skew is the value's slope near no inventory; where kappa * skew is not small it soon
    asks for more than any fill is worth. Derivation: the stationary equation of ``exact.solve``
    with the slope of theta, s(q), for both of its steps is cosh(kappa*s) - 1 = (kappa*skew*q)^2/2.
    It knows no limit: for where the exact table is not at hand.
    """
    half = kappa_per_bps * spread.skew_bps / 2.0
    steps = math.asinh(half * (clips + 0.5)) - math.asinh(half * 0.5)
    return 2.0 / kappa_per_bps * steps - spread.skew_bps * clips


def glft_sides(*, sigma_bps: float, bid: Flow, ask: Flow, risk_aversion: float) -> Spread:
    """The same where the sides differ; with equal sides it is ``glft``.

        gamma  = rho * (kappa_b + kappa_a) / 2
        c_s    = ln(1 + gamma/kappa_s) / gamma                    what a fill of side s earns
        r_s    = A_s * (1 + gamma/kappa_s)^-(1 + kappa_s/gamma)   how often, at that distance
        R      = exp( (kappa_a*ln(r_b) + kappa_b*ln(r_a)) / (kappa_b + kappa_a) )
        skew   = sigma * sqrt( gamma / (R * (kappa_b + kappa_a)) )
        tilt   = ln( r_b / r_a ) / (kappa_b + kappa_a)
        bid    = c_b + tilt + skew/2         ask = c_a - tilt + skew/2

    Derivation: the stationary equation of ``exact.solve`` for a value quadratic in the inventory,
    theta = -(skew*q^2/2 + tilt*q), to second order in q. The tilt makes both sides fill alike at
    no inventory; skew is the paper's with the geometric mean of the sides' rates.
    """
    assert sigma_bps >= 0
    assert min(bid.kappa_per_bps, ask.kappa_per_bps) > 0
    assert min(bid.fills_per_s, ask.fills_per_s) > 0
    assert risk_aversion > 0
    kappas = bid.kappa_per_bps + ask.kappa_per_bps
    gamma = risk_aversion * kappas / 2
    bid_edge_bps, bid_log_rate = _side(bid, gamma)
    if bid == ask:
        ask_edge_bps, ask_log_rate = bid_edge_bps, bid_log_rate
    else:
        ask_edge_bps, ask_log_rate = _side(ask, gamma)
    log_rate = (ask.kappa_per_bps * bid_log_rate + bid.kappa_per_bps * ask_log_rate) / kappas
    skew_bps = sigma_bps * math.sqrt(gamma / (math.exp(log_rate) * kappas))
    tilt_bps = (bid_log_rate - ask_log_rate) / kappas
    return Spread(
        bid_bps=bid_edge_bps + tilt_bps + skew_bps / 2,
        ask_bps=ask_edge_bps - tilt_bps + skew_bps / 2,
        skew_bps=skew_bps,
        edge_bps=(bid_edge_bps + ask_edge_bps) / 2,
    )


def _side(flow: Flow, gamma: float) -> tuple[float, float]:
    """``c`` in bps, and the logarithm of ``r``."""
    log1p = math.log1p(gamma / flow.kappa_per_bps)
    growth = (1 + flow.kappa_per_bps / gamma) * log1p
    return log1p / gamma, math.log(flow.fills_per_s) - growth
