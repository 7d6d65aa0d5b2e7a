"""The manifest's ``strategy``: what a user may write of how to quote."""

from typing import Annotated, Literal

from pydantic import Field

from fleet.manifests.section import Section


class Advanced(Section):
    """What few need to touch; a weight or a maximum of 0 turns its part off."""

    exact_skew: bool = Field(default=True, description="whether the skew is solved with its limit")
    adverse_max_bps: float = Field(
        default=4.0,
        ge=0,
        le=50,
        description="the most that adverse selection widens a side, in bps",
    )
    momentum_max_bps: float = Field(
        default=0.0, ge=0, le=50, description="the most that the endangered side backs off, in bps"
    )
    regime_high_bps: float = Field(
        default=0.0, ge=0, le=50, description="the widening in high volatility, in bps"
    )
    regime_extreme_bps: float = Field(
        default=0.0, ge=0, le=100, description="the widening in extreme volatility, in bps"
    )
    jump_weight_bps: float = Field(
        default=0.0, ge=0, le=50, description="the widening a unit of the jump ratio, in bps"
    )
    jump_from_ratio: float = Field(
        default=1.5, ge=1, le=10, description="the jump ratio that widening begins at"
    )
    jump_max_bps: float = Field(
        default=5.0, ge=0, le=50, description="the most that jumps widen, in bps"
    )
    market_cap_ratio: float = Field(
        default=0.0, ge=0, le=100, description="the half-spread's cap as a multiple of the market's"
    )
    aversion_volatility: float = Field(
        default=0.0,
        ge=0,
        le=5,
        description="the weight of fast over slow volatility in risk aversion",
    )
    aversion_toxicity: float = Field(
        default=0.0, ge=0, le=10, description="the weight of one-sided flow in risk aversion"
    )
    aversion_inventory: float = Field(
        default=0.0, ge=0, le=10, description="the weight of the inventory in risk aversion"
    )
    aversion_regime: float = Field(
        default=0.0, ge=0, le=5, description="the weight of the regime in risk aversion"
    )
    aversion_hawkes: float = Field(
        default=0.0, ge=0, le=5, description="the weight of bursts of trades in risk aversion"
    )
    aversion_depth: float = Field(
        default=0.0, ge=0, le=5, description="the weight of a thin book in risk aversion"
    )
    aversion_warmup: float = Field(
        default=0.0, ge=0, le=5, description="the weight of the warm-up in risk aversion"
    )
    aversion_hour: float = Field(
        default=0.0, ge=0, le=5, description="the weight of avoided hours in risk aversion"
    )
    aversion_season: float = Field(
        default=0.0, ge=0, le=5, description="the weight of the hour of the week in risk aversion"
    )
    hours_avoided: tuple[Annotated[int, Field(ge=0, le=23)], ...] = Field(
        default=(7, 14),
        strict=False,
        description="the hours of the UTC day without tight quoting",
        examples=["[7, 14]"],
    )
    tight_toxicity_max: float = Field(
        default=0.1, ge=0, le=1, description="the one-sidedness of flow that ends tight quoting"
    )
    tight_inventory_max: float = Field(
        default=0.3, ge=0, le=1, description="the share of the limit that ends tight quoting"
    )
    tight_depth_min: float = Field(
        default=0.5, ge=0, le=10, description="the depth, over its usual, that tight quoting needs"
    )
    kelly_share: float = Field(
        default=0.25,
        ge=0.01,
        le=1,
        description="the share of Kelly's fraction that the allocation takes",
    )
    wealth_usd: float | None = Field(
        default=None,
        gt=0,
        le=1e9,
        description="the wealth in USD that the allocation reckons with",
        examples=[10000],
    )


class Strategy(Section):
    """How to quote."""

    risk_aversion: float = Field(
        default=0.3, gt=0, le=10, description="the risk aversion rho of GLFT"
    )
    levels: int = Field(default=5, ge=1, le=25, description="the number of orders a side")
    level_spacing: Literal["geometric", "linear"] = Field(
        default="geometric", description="how the levels behind the first are spaced"
    )
    level_ratio: float = Field(
        default=1.5,
        ge=1,
        le=5,
        description="the distance of each level as a multiple of the one before",
    )
    level_step_bps: float = Field(
        default=3.0, gt=0, le=100, description="the step between levels if linear, in bps"
    )
    allocation: Literal["equal", "kelly"] = Field(
        default="equal", description="how the levels share what a side may show"
    )
    half_spread_floor_bps: float = Field(
        default=8.0, gt=0, le=500, description="the smallest distance from the fair price, in bps"
    )
    half_spread_max_bps: float = Field(
        default=50.0, gt=0, le=1000, description="the largest distance from the fair price, in bps"
    )
    edge_min_bps: float = Field(
        default=0.5, ge=0, le=100, description="what a fill must earn beyond the fee, in bps"
    )
    reducing_edge_min_bps: float = Field(
        default=2.0,
        ge=-100,
        le=100,
        description="what reducing earns beyond the fee while little is held, in bps",
    )
    adverse_weight: float = Field(
        default=1.0,
        ge=0,
        le=5,
        description="the share of what the mid takes after trades that widens a side",
    )
    retreat_weight: float = Field(
        default=6.0,
        ge=0,
        le=50,
        description="how many times an expected move the side that it runs into stands back",
    )
    drift_weight: float = Field(
        default=0.0, ge=0, le=5, description="the share of the expected move that shifts the quotes"
    )
    drift_max_bps: float = Field(
        default=3.0, ge=0, le=50, description="the furthest that an expected move shifts, in bps"
    )
    holding_s: float = Field(
        default=60.0, gt=0, le=86_400, description="the time that a clip is held, in s"
    )
    tight_share: float = Field(
        default=0.0, ge=0, lt=1, description="the share of the half-spread given up in calm"
    )
    quoted_max_bps: float = Field(
        default=10.0,
        ge=0,
        le=100,
        description="the distance from the mid that counts as quoting, in bps; 0 is any",
    )
    clip_usd: float | None = Field(
        default=None,
        ge=10,
        le=10_000_000,
        description="the notional of one order in USD",
        examples=[250],
    )
    side_budget_share: float = Field(
        default=0.5, gt=0, le=1, description="the share of the position limit that one side may add"
    )
    requote_tolerance_share: float = Field(
        default=0.25,
        ge=0,
        le=1,
        description="the move, as a share of the half-spread, that is let pass",
    )
    order_age_min_s: float = Field(
        default=0.3, ge=0, le=60, description="the least age of an order before it is moved, in s"
    )
    latency_s: float = Field(default=0.25, ge=0, le=10, description="the time to an ack, in s")
    kappa_prior_per_bps: float = Field(
        default=0.15,
        gt=0,
        le=10,
        description="the decay of the fill rate before any was seen, in 1/bps",
    )
    fills_per_s_prior: float = Field(
        default=0.05,
        gt=0,
        le=1000,
        description="the fill rate at the mid before any was seen, in 1/s",
    )
    sigma_half_life_s: float = Field(
        default=60.0, ge=1, le=86_400, description="the memory of the volatility estimate, in s"
    )
    warmup_s: float = Field(
        default=10.0, ge=0, le=3_600, description="the least time of watching before quoting, in s"
    )
    warmup_max_s: float = Field(
        default=120.0, ge=0, le=86_400, description="the time after which priors must do, in s"
    )
    advanced: Advanced = Advanced()
