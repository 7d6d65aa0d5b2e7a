"""The schema of a market's monitors: from where on each acts, under ``risk.advanced``."""

from pydantic import Field

from fleet.manifests.section import Section


class RiskAdvanced(Section):
    """What few need to touch; ``agents.settings.MonitorSettings`` holds the same leaves."""

    position_kill_ratio: float = Field(
        default=2.0,
        ge=1.1,
        le=100,
        description="the position, in limits, at which the kill switch is thrown",
    )
    growth_max_share: float = Field(
        default=0.9,
        gt=0,
        le=10,
        description="the share of the limit that a minute may add before the adding side goes",
    )
    growth_hold_s: float = Field(
        default=60.0, ge=0, le=3_600, description="for how long the adding side then stays away, s"
    )
    stuck_max_s: float = Field(
        default=120.0,
        gt=0,
        le=86_400,
        description="how long a position may have no order that reduces it, s",
    )
    stuck_loss_max_share: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="the unrealised loss, of the limit, at which only what reduces is quoted",
    )
    move_pull_share: float = Field(
        default=0.01,
        gt=0,
        le=1,
        description="the price's range over 5 s at which quotes are pulled",
    )
    move_kill_share: float = Field(
        default=0.05, gt=0, le=1, description="the price's range over 5 s that stops the market"
    )
    cascade_widen_bps: float = Field(
        default=5.0,
        ge=0,
        le=500,
        description="how far the adding side stands back from forced flow at its worst, in bps",
    )
    oracle_age_max_s: float = Field(
        default=60.0,
        gt=0,
        le=86_400,
        description="how long a deployer's oracle may stand still while the market moves, s",
    )
    oracle_away_max_bps: float = Field(
        default=100.0, gt=0, le=5_000, description="the mark's distance from the oracle, in bps"
    )
    stream_age_max_s: float = Field(
        default=60.0, gt=0, le=3_600, description="the age of marks and of the account, s"
    )
    answer_max_s: float = Field(
        default=1.5, gt=0, le=60, description="how long an answer may take before quotes widen, s"
    )
    rate_limited_max_per_min: int = Field(
        default=3,
        ge=1,
        le=1_000,
        description="the refusals a minute by rate limits at which quotes are pulled",
    )
    liquidation_warn_sigmas: float = Field(
        default=8.0, ge=0, le=100, description="the distance from liquidation that warns, sigmas"
    )
    liquidation_reduce_sigmas: float = Field(
        default=5.0, ge=0, le=100, description="the distance at which it only reduces, sigmas"
    )
    liquidation_flatten_sigmas: float = Field(
        default=3.0, ge=0, le=100, description="the distance at which it is closed, in sigmas"
    )
    recovery_after_s: float = Field(
        default=30.0, ge=0, le=86_400, description="how long a passing cause must be over, s"
    )
    kills_max_per_day: int = Field(
        default=3, ge=1, le=1_000, description="from which kill of a day on a person must look"
    )
    resume_ramp_s: float = Field(
        default=300.0, gt=0, le=86_400, description="how long sizes take from 25 % to 100 %, in s"
    )
