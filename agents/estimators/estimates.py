"""What is believed of a market at one moment: frozen, with None for what is not known."""

import msgspec

from agents.estimators.cascade import Cascade
from agents.estimators.hawkes import Excitement
from agents.estimators.intensity import Intensity
from agents.estimators.markout import Markout
from agents.estimators.momentum import Momentum
from agents.estimators.regime import Regime
from agents.estimators.volatility import Volatility
from agents.market.types import Side


class SideMarkouts(msgspec.Struct, frozen=True, gc=False):
    """Of makers on one side, at 1, 10 and 60 s; negative is adverse."""

    s1: Markout | None
    s10: Markout | None
    s60: Markout | None


class Beliefs(msgspec.Struct, frozen=True, gc=False):
    """What changes slowly; renewed each half second of event time.

    ``bid``, ``ask``: A and kappa of orders on that side. ``fast``, ``medium``, ``slow``: volatility
    over 10 s, the settings' half-life and 600 s. ``own_bid``, ``own_ask``: markouts of our fills at
    their price; ``public_bid``, ``public_ask``: of any maker, at the mid before the trade.
    ``toxicity_share``: agreement of trade signs, 0 at random. ``depth_usd``: bids and asks within
    10 bps, ``depth_ratio`` the thinner over its usual. ``basis_bps``: mid over oracle.
    ``funding_per_h``: fraction a long pays an hour. ``busy_share``: this hour of the week against
    the mean hour. ``unknown``: what is None.
    """

    bid: Intensity
    ask: Intensity
    fast: Volatility | None = None
    medium: Volatility | None = None
    slow: Volatility | None = None
    regime: Regime | None = None
    momentum: Momentum | None = None
    own_bid: SideMarkouts | None = None
    own_ask: SideMarkouts | None = None
    public_bid: SideMarkouts | None = None
    public_ask: SideMarkouts | None = None
    toxicity_share: float | None = None
    excitement: Excitement | None = None
    cascade: Cascade | None = None
    depth_usd: tuple[float, float] | None = None
    depth_ratio: float = 1.0
    basis_bps: float | None = None
    funding_per_h: float | None = None
    busy_share: float = 1.0
    beta_lean: float = 0.0
    beta_flow_bps: float = 0.0

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of what is not known."""
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) is None)

    def intensity(self, side: Side) -> Intensity:
        return self.bid if side is Side.BID else self.ask

    def own(self, side: Side) -> SideMarkouts | None:
        return self.own_bid if side is Side.BID else self.own_ask

    def public(self, side: Side) -> SideMarkouts | None:
        return self.public_bid if side is Side.BID else self.public_ask


class Estimates(msgspec.Struct, frozen=True, gc=False):
    """What is believed of the market at one moment.

    ``sigma_bps`` bps/sqrt(s): the prior until ``sigma_known``; ``fills_per_s`` A per side, the mean
    of both; ``mark_px`` None until the venue told it; ``drift_bps``: what the mid is expected to do
    over the next three seconds, beyond what ``fair_px`` may show; ``ready`` from public data alone,
    ``warm_share`` how much of the wait for it is done.
    """

    bid_px: float
    ask_px: float
    mid_px: float
    fair_px: float
    sigma_bps: float
    sigma_known: bool
    fills_per_s: float
    kappa_per_bps: float
    mark_px: float | None
    ready: bool
    beliefs: Beliefs | None = None
    drift_bps: float = 0.0
    warm_share: float = 1.0
