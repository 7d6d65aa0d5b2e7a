"""The model at one moment: risk aversion, the optimal distances, and each side's half-spread."""

from decimal import Decimal

import msgspec

from agents.estimators.estimates import Estimates
from agents.market.instrument import Instrument
from agents.market.types import Side
from agents.market.units import px_to_bps
from agents.settings import StrategySettings
from agents.skew import CLIPS_MAX, Flow, Problem, SkewTable
from agents.strategy.aversion import Aversion, aversion
from agents.strategy.components import HalfSpread, adverse_floor_bps, half_spread, may_be_tight
from agents.strategy.conditions import Conditions
from agents.strategy.floors import Floor, floors
from agents.strategy.glft import Spread, bounded_bps, glft_sides
from agents.strategy.presence import (
    BAND_MAX_BPS,
    PATIENT_CLIPS_MAX,
    PATIENT_SHARE_MAX,
    aside_max_bps,
    model_max_bps,
    slack_bps,
)


class Model(msgspec.Struct, frozen=True, gc=False):
    """What both sides share: GLFT at this moment's risk aversion, and what it was made from.

    ``flat_bps``: what the closed form is off by without inventory, bid and ask.
    """

    estimates: Estimates
    strategy: StrategySettings
    instrument: Instrument
    conditions: Conditions
    spread: Spread
    table: SkewTable | None
    clips: float
    inventory_share: float
    aversion: Aversion
    problem: Problem | None
    tight: bool
    local_skew_bps: float
    tick_bps: float
    kappa_per_bps: float
    flat_bps: tuple[float, float]
    market_half_bps: float
    present_max_bps: float | None
    retreat_max_bps: float

    @property
    def patient(self) -> bool:
        """Whether so little is held that reducing it may wait for a price that pays."""
        little = self.inventory_share <= PATIENT_SHARE_MAX
        return little and abs(self.clips) <= PATIENT_CLIPS_MAX

    def correction_bps(self, side: Side, clips: float) -> float:
        """What the closed form is off by: by the exact solution, or else by its bound."""
        return _correction_bps(
            self.table, self.spread, self.strategy, self.kappa_per_bps, side.sign, clips
        )

    def floors(self, side: Side) -> tuple[Floor, ...]:
        """What the side's half-spread may not be below."""
        strategy = self.strategy
        return floors(
            configured_bps=strategy.half_spread_floor_bps,
            maker_fee_bps=self.instrument.maker_fee_bps,
            edge_min_bps=strategy.edge_min_bps,
            tick_bps=self.tick_bps,
            sigma_bps=self.estimates.sigma_bps,
            latency_s=strategy.latency_s,
            adverse_bps=min(
                adverse_floor_bps(side, self.conditions, weight=strategy.adverse_weight),
                strategy.advanced.adverse_max_bps,
            ),
        )

    def half(self, side: Side, floor: Floor) -> HalfSpread:
        """Everything but the inventory, and not below ``floor``."""
        if side.sign > 0:
            model_bps = self.spread.bid_bps + self.flat_bps[0]
        else:
            model_bps = self.spread.ask_bps + self.flat_bps[1]
        return half_spread(
            side,
            model_bps=model_bps,
            fee_bps=self.instrument.maker_fee_bps,
            conditions=self.conditions,
            strategy=self.strategy,
            floor=floor,
            tight=self.tight,
            market_half_bps=self.market_half_bps,
            present_max_bps=self.present_max_bps,
            retreat_max_bps=self.retreat_max_bps,
        )

    def shift(self, side: Side) -> float:
        """What the inventory adds to the side's distance, bps."""
        clips = self.clips
        if not clips:
            return 0.0
        linear = side.sign * clips * self.spread.skew_bps
        flat = self.flat_bps[0 if side.sign > 0 else 1]
        return linear + self.correction_bps(side, clips) - flat


def _correction_bps(
    table: SkewTable | None,
    spread: Spread,
    strategy: StrategySettings,
    kappa_per_bps: float,
    sign: int,
    clips: float,
) -> float:
    if table is not None:
        return table.correction_bps(clips, sign=sign, skew_bps=spread.skew_bps)
    if not strategy.advanced.exact_skew:
        return 0.0
    return bounded_bps(spread, kappa_per_bps=kappa_per_bps, clips=sign * clips)


def model_of(
    estimates: Estimates,
    *,
    settings: StrategySettings,
    instrument: Instrument,
    position_sz: Decimal,
    clip_sz: Decimal,
    limit_sz: Decimal | None,
    conditions: Conditions,
    table: SkewTable | None,
    own_share: float = 1.0,
) -> Model:
    """The model of this moment: risk aversion, GLFT, and the exact skew if it serves.

    ``own_share``: of the market's own skew, what is left to it beside the markets it moves with.
    """
    clips = inventory_share = 0.0
    if position_sz:
        clips = float(position_sz) / float(clip_sz)
    if not limit_sz:
        inventory_share = 1.0
    elif position_sz:
        inventory_share = min(abs(float(position_sz / limit_sz)), 1.0)
    averse = aversion(
        settings.risk_aversion,
        conditions=conditions,
        inventory_share=inventory_share,
        advanced=settings.advanced,
    )
    bid_flow, ask_flow = flows(estimates)
    spread = glft_sides(
        sigma_bps=estimates.sigma_bps, bid=bid_flow, ask=ask_flow, risk_aversion=averse.rho
    )
    problem = None
    clips_max = 0 if limit_sz is None else round(limit_sz / clip_sz)
    if settings.advanced.exact_skew and 1 <= clips_max <= CLIPS_MAX:
        problem = Problem(
            sigma_bps=estimates.sigma_bps,
            bid=bid_flow,
            ask=ask_flow,
            risk_aversion=averse.rho,
            clips_max=clips_max,
        )
    if table is not None and (problem is None or not table.serves(problem)):
        table = None
    kappa_per_bps = (bid_flow.kappa_per_bps + ask_flow.kappa_per_bps) / 2
    local_skew_bps, spread = spread.skew_bps, spread.of_portfolio(own_share)
    mid_px, quoted = estimates.mid_px, settings.quoted_max_bps
    slack = slack_bps(sigma_bps=estimates.sigma_bps, latency_s=settings.latency_s)
    return Model(
        estimates=estimates,
        strategy=settings,
        instrument=instrument,
        conditions=conditions,
        spread=spread,
        local_skew_bps=local_skew_bps,
        table=table,
        clips=clips,
        inventory_share=inventory_share,
        aversion=averse,
        problem=problem,
        tight=may_be_tight(conditions, inventory_share=inventory_share, strategy=settings),
        kappa_per_bps=kappa_per_bps,
        tick_bps=px_to_bps(float(instrument.tick_px(mid_px)), reference_px=mid_px),
        flat_bps=(
            _correction_bps(table, spread, settings, kappa_per_bps, 1, 0.0),
            _correction_bps(table, spread, settings, kappa_per_bps, -1, 0.0),
        ),
        market_half_bps=px_to_bps(estimates.ask_px - estimates.bid_px, reference_px=2 * mid_px),
        present_max_bps=model_max_bps(quoted, slack) if quoted > 0 else None,
        retreat_max_bps=aside_max_bps(quoted or BAND_MAX_BPS, slack),
    )


def flows(estimates: Estimates) -> tuple[Flow, Flow]:
    """Who trades against our bid, and against our ask."""
    beliefs = estimates.beliefs
    if beliefs is None:
        both = Flow(fills_per_s=estimates.fills_per_s, kappa_per_bps=estimates.kappa_per_bps)
        return both, both
    bid, ask = beliefs.bid, beliefs.ask
    return (
        Flow(fills_per_s=bid.fills_per_s, kappa_per_bps=bid.kappa_per_bps),
        Flow(fills_per_s=ask.fills_per_s, kappa_per_bps=ask.kappa_per_bps),
    )
