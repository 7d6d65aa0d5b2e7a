"""What an agent is told to do with its market: frozen values with units, made from the manifest.

A lease carries them; the agent reads no file and no environment. Fleet's manifest schema holds the
same leaves with their ranges; ``fleet.manifests.compile`` turns one into the other.
"""

from typing import Literal

import msgspec

from agents.market.types import Coin


class StrategySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to quote.

    ``risk_aversion`` is the dimensionless rho of GLFT (gamma = rho * kappa); ``clip_usd`` the
    notional of one order at level 0 (None: derived from the position limit).
    """

    risk_aversion: float = 0.3
    levels: int = 5
    level_ratio: float = 1.5
    half_spread_floor_bps: float = 8.0
    half_spread_max_bps: float = 50.0
    edge_min_bps: float = 0.5
    clip_usd: float | None = None
    side_budget_share: float = 0.5
    requote_tolerance_share: float = 0.25
    order_age_min_s: float = 0.3
    latency_s: float = 0.25
    kappa_prior_per_bps: float = 0.15
    fills_per_s_prior: float = 0.05
    sigma_half_life_s: float = 60.0
    warmup_s: float = 10.0
    warmup_max_s: float = 120.0


class RiskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the market may lose and hold. All in USD at the token's mark, the user's own numbers."""

    position_max_usd: float
    daily_loss_max_usd: float
    data_age_max_s: float = 3.0
    data_age_halt_s: float = 30.0
    directive_age_max_s: float = 10.0
    directive_age_cancel_s: float = 30.0
    directive_age_halt_s: float = 120.0


class DrainSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a market leaves: passive for ``passive_s``, then hold the rest or flatten it."""

    passive_s: float = 900.0
    then: Literal["hold", "flatten"] = "hold"


class OrphanSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the caretaker does with a position whose agent stays away."""

    after_s: float = 120.0
    do: Literal["hold", "reduce", "flatten"] = "reduce"
    collar_bps: float = 50.0


class MarketSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One market, whole: what a lease hands to its agent."""

    market: Coin
    margin_usd: float
    leverage: int
    risk: RiskSettings
    strategy: StrategySettings = StrategySettings()
    drain: DrainSettings = DrainSettings()
    on_orphan: OrphanSettings = OrphanSettings()
    isolated: bool = False
    underlying: str = ""
    nets: bool = False
