"""What an agent is told to do with its market: frozen values with units, made from the manifest.

A lease carries them; the agent reads no file and no environment. Fleet's manifest schema holds the
same leaves with their ranges; ``fleet.manifests.compile`` turns one into the other.
"""

from typing import Literal

import msgspec

from agents.market.types import Coin


class AdvancedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What few need to touch. A weight of 0 or a maximum of 0 turns its part off.

    ``aversion_*``: weights of the factors of risk aversion, in log space. ``*_max_bps``,
    ``regime_*_bps``: caps of parts of the half-spread; ``jump_*``: bps a unit of the jump ratio,
    from a ratio on; ``market_cap_ratio`` of the market's own half-spread; ``tight_*``:
    prerequisites of ``tight_share``, depth as a multiple of its usual, hours UTC;
    ``kelly_share`` and ``wealth_usd``: for the allocation ``kelly`` (wealth None: the limit).
    """

    exact_skew: bool = True
    adverse_max_bps: float = 4.0
    momentum_max_bps: float = 0.0
    regime_high_bps: float = 0.0
    regime_extreme_bps: float = 0.0
    jump_weight_bps: float = 0.0
    jump_from_ratio: float = 1.5
    jump_max_bps: float = 5.0
    market_cap_ratio: float = 0.0
    aversion_volatility: float = 0.0
    aversion_toxicity: float = 0.0
    aversion_inventory: float = 0.0
    aversion_regime: float = 0.0
    aversion_hawkes: float = 0.0
    aversion_depth: float = 0.0
    aversion_warmup: float = 0.0
    aversion_hour: float = 0.0
    aversion_season: float = 0.0
    hours_avoided: tuple[int, ...] = (7, 14)
    tight_toxicity_max: float = 0.1
    tight_inventory_max: float = 0.3
    tight_depth_min: float = 0.5
    kelly_share: float = 0.25
    wealth_usd: float | None = None


class StrategySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to quote.

    ``risk_aversion`` is the dimensionless rho of GLFT (gamma = rho * kappa); ``clip_usd`` the
    notional of one order at level 0 (None: derived from the position limit). Levels are
    ``level_ratio`` apart, or ``level_step_bps`` where the spacing is linear. ``adverse_weight`` of
    what the mid takes after a trade widens a side; ``retreat_weight``: the side that an expected
    move runs into stands so many times that move further off; ``drift_weight`` of the mid's move
    shifts both, ``drift_max_bps`` at most. ``quoted_max_bps``: how far from the mid a clip may
    rest for the market to count as quoted; 0 leaves the first level to the model.
    ``reducing_edge_min_bps``: what a fill that reduces must earn beyond the fee while two clips
    and a fifth of the limit or less are held; negative lets it cost something.
    """

    risk_aversion: float = 0.3
    levels: int = 5
    level_spacing: Literal["geometric", "linear"] = "geometric"
    level_ratio: float = 1.5
    level_step_bps: float = 3.0
    allocation: Literal["equal", "kelly"] = "equal"
    half_spread_floor_bps: float = 8.0
    half_spread_max_bps: float = 50.0
    edge_min_bps: float = 0.5
    reducing_edge_min_bps: float = 2.0
    adverse_weight: float = 1.0
    retreat_weight: float = 6.0
    drift_weight: float = 0.0
    drift_max_bps: float = 3.0
    holding_s: float = 60.0
    tight_share: float = 0.0
    quoted_max_bps: float = 10.0
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
    advanced: AdvancedSettings = AdvancedSettings()


class MonitorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From where on a market's monitors act; ``agents.risk.monitors`` says what each one does.

    ``*_share`` are fractions: of the position limit, of the price, of the peak. A price's move is
    its range over 5 s, a position's growth that of a minute. ``*_sigmas``: of an hour's move,
    between mark and the venue's liquidation price. A weight of 0 turns widening off.
    """

    position_kill_ratio: float = 2.0
    growth_max_share: float = 0.9
    growth_hold_s: float = 60.0
    stuck_max_s: float = 120.0
    stuck_loss_max_share: float = 0.05
    move_pull_share: float = 0.01
    move_kill_share: float = 0.05
    cascade_widen_bps: float = 5.0
    oracle_age_max_s: float = 60.0
    oracle_away_max_bps: float = 100.0
    stream_age_max_s: float = 60.0
    answer_max_s: float = 1.5
    rate_limited_max_per_min: int = 3
    liquidation_warn_sigmas: float = 8.0
    liquidation_reduce_sigmas: float = 5.0
    liquidation_flatten_sigmas: float = 3.0
    recovery_after_s: float = 30.0
    kills_max_per_day: int = 3
    resume_ramp_s: float = 300.0


class RiskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the market may lose and hold. All in USD at the token's mark, the user's own numbers.

    ``order_value_max_usd`` of one order (None: the position limit) and ``collar_bps``, how far a
    bid may be above mark or oracle and an ask below, are the gateway's to keep.
    ``drawdown_max_share``: the fall from the peak that stops the market, of margin and what it
    had gained by then.
    """

    position_max_usd: float
    daily_loss_max_usd: float
    order_value_max_usd: float | None = None
    collar_bps: float = 1_000.0
    drawdown_max_share: float = 0.1
    data_age_max_s: float = 3.0
    data_age_halt_s: float = 30.0
    directive_age_max_s: float = 10.0
    directive_age_cancel_s: float = 30.0
    directive_age_halt_s: float = 120.0
    advanced: MonitorSettings = MonitorSettings()


class DrainSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a market leaves: passive for ``passive_s``, then hold the rest or flatten it."""

    passive_s: float = 900.0
    then: Literal["hold", "flatten"] = "hold"


class OrphanSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the caretaker does with a position whose agent stays away."""

    after_s: float = 120.0
    do: Literal["hold", "reduce", "flatten"] = "reduce"
    collar_bps: float = 50.0


class ProtectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands at the venue for a position; ``stop_bps`` None: nothing."""

    stop_bps: float | None = None


class MarketSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One market, whole: what a lease hands to its agent."""

    market: Coin
    margin_usd: float
    leverage: int
    risk: RiskSettings
    strategy: StrategySettings = StrategySettings()
    drain: DrainSettings = DrainSettings()
    on_orphan: OrphanSettings = OrphanSettings()
    protect: ProtectSettings = ProtectSettings()
    isolated: bool = False
    underlying: str = ""
    nets: bool = False
