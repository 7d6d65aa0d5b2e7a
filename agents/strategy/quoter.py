"""The one pricing function: estimates, inventory and room in; quotes and their derivation out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from agents.estimators.estimates import Estimates
from agents.market.instrument import Instrument
from agents.market.types import Quote, Side
from agents.market.units import BPS, px_to_bps
from agents.settings import StrategySettings
from agents.skew import CLIPS_MAX, Flow, Problem, SkewTable
from agents.strategy.aversion import Aversion, aversion
from agents.strategy.components import HalfSpread, adverse_floor_bps, half_spread, may_be_tight
from agents.strategy.conditions import CALM, Conditions
from agents.strategy.floors import binding_floor
from agents.strategy.glft import Spread, glft_sides
from agents.strategy.ladder import Rung, distances_bps, ladder, linear_bps
from agents.strategy.presence import (
    PATIENT_CLIPS_MAX,
    PATIENT_SHARE_MAX,
    model_max_bps,
    retreat_max_bps,
    wanted_max_bps,
)
from agents.strategy.sizes import level_sizes

NOTHING: Final = Decimal(0)


class SideRoom(msgspec.Struct, frozen=True, gc=False):
    """What one side may show: ``room_sz`` in all, of which ``reducing_sz`` only reduces.

    ``reduce_only``: nothing but that; then one order for the whole position may be below the
    venue's minimum.
    """

    room_sz: Decimal
    reducing_sz: Decimal = NOTHING
    reduce_only: bool = False


class Quoting(msgspec.Struct, frozen=True, gc=False):
    """The ladder and why.

    ``half_spread``: the mean of both sides; ``skew_bps`` the shift a clip at no inventory,
    ``shift_bps`` what the inventory moves bid and ask by; ``centre_px`` the fair price with the
    expected move in it. ``too_wide``: the half-spread is above its maximum, so no side adds.
    ``problem``: what the exact skew is to be solved for (None: not to be).
    """

    bids: tuple[Quote, ...]
    asks: tuple[Quote, ...]
    half_spread: HalfSpread
    skew_bps: float
    inventory_clips: float
    clip_sz: Decimal
    too_wide: bool
    bid: HalfSpread
    ask: HalfSpread
    shift_bps: tuple[float, float]
    centre_px: float
    drift_bps: float
    aversion: Aversion
    tight: bool
    problem: Problem | None
    exact: bool


class _Pricing(msgspec.Struct, frozen=True, gc=False):
    """What both sides share."""

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

    @property
    def patient(self) -> bool:
        """Whether so little is held that reducing it may wait for a price that pays."""
        little = self.inventory_share <= PATIENT_SHARE_MAX
        return little and abs(self.clips) <= PATIENT_CLIPS_MAX

    def correction_bps(self, side: Side, clips: float) -> float:
        if self.table is None:
            return 0.0
        return self.table.correction_bps(clips, sign=side.sign, skew_bps=self.spread.skew_bps)

    def half(self, side: Side) -> HalfSpread:
        """Everything but the inventory."""
        estimates, strategy, instrument = self.estimates, self.strategy, self.instrument
        tick_px = float(instrument.tick_px(estimates.mid_px))
        floor = binding_floor(
            configured_bps=strategy.half_spread_floor_bps,
            maker_fee_bps=instrument.maker_fee_bps,
            edge_min_bps=strategy.edge_min_bps,
            tick_bps=px_to_bps(tick_px, reference_px=estimates.mid_px),
            sigma_bps=estimates.sigma_bps,
            latency_s=strategy.latency_s,
            adverse_bps=min(
                adverse_floor_bps(side, self.conditions, weight=strategy.adverse_weight),
                strategy.advanced.adverse_max_bps,
            ),
        )
        model_bps = self.spread.bid_bps if side is Side.BID else self.spread.ask_bps
        quoted = strategy.quoted_max_bps
        return half_spread(
            side,
            model_bps=model_bps + self.correction_bps(side, 0.0),
            fee_bps=instrument.maker_fee_bps,
            conditions=self.conditions,
            strategy=strategy,
            floor=floor,
            tight=self.tight,
            market_half_bps=px_to_bps(
                estimates.ask_px - estimates.bid_px, reference_px=2 * estimates.mid_px
            ),
            present_max_bps=model_max_bps(quoted) if quoted > 0 else None,
        )

    def shift(self, side: Side) -> float:
        """What the inventory adds to the side's distance, bps."""
        linear = side.sign * self.clips * self.spread.skew_bps
        return linear + self.correction_bps(side, self.clips) - self.correction_bps(side, 0.0)


def quote(
    estimates: Estimates,
    *,
    settings: StrategySettings,
    instrument: Instrument,
    position_sz: Decimal,
    clip_sz: Decimal,
    bid_room: SideRoom,
    ask_room: SideRoom,
    present: bool = False,
    limit_sz: Decimal | None = None,
    conditions: Conditions = CALM,
    table: SkewTable | None = None,
) -> Quoting:
    """Price and size the whole ladder.

    The distances are ``half-spread +- inventory * skew`` from the centre: the adding side is never
    nearer than the half-spread, and the reducing side may come nearer, up to the post-only clamp,
    but only with size that reduces. Above ``half_spread_max_bps`` no side adds. ``present``: so
    little is held that the skew moves the adding side's first level no further than where it still
    counts as quoting; where still less is held, the reducing side comes no nearer than where it
    pays its fee.
    ``table``: the exact skew, used if it was solved for about this market.
    """
    pricing = _pricing(
        estimates,
        settings=settings,
        instrument=instrument,
        position_sz=position_sz,
        clip_sz=clip_sz,
        limit_sz=limit_sz,
        conditions=conditions,
        table=table,
    )
    drift_bps = settings.drift_weight * (conditions.drift_bps + conditions.funding_bps)
    drift_bps = min(max(drift_bps, -settings.drift_max_bps), settings.drift_max_bps)
    centre_px = estimates.fair_px * (1.0 + drift_bps / BPS)
    bid, ask = pricing.half(Side.BID), pricing.half(Side.ASK)
    mean = _mean(bid, ask)
    too_wide = mean.total_bps > settings.half_spread_max_bps
    shifts = pricing.shift(Side.BID), pricing.shift(Side.ASK)
    sides: list[tuple[Quote, ...]] = []
    off_bps = px_to_bps(centre_px - estimates.mid_px, reference_px=estimates.mid_px)
    level0s = bid.total_bps + shifts[0], ask.total_bps + shifts[1]
    for side, half, shift_bps, other0_bps, room, opposite_px in (
        (Side.BID, bid, shifts[0], level0s[1], bid_room, estimates.ask_px),
        (Side.ASK, ask, shifts[1], level0s[0], ask_room, estimates.bid_px),
    ):
        if shift_bps < 0 and pricing.patient:
            least_bps = instrument.maker_fee_bps + settings.reducing_edge_min_bps
            shift_bps = max(shift_bps, min(least_bps - half.total_bps, 0.0))  # noqa: PLW2901
        distances = _distances(settings, half.total_bps, shift_bps)
        if present:
            present_bps = _present(distances[0], half.total_bps, shift_bps, side.sign * off_bps)
            # Not so near that it meets our own reducing side, which skew may take past the centre.
            distances[0] = max(present_bps, min(half.total_bps - other0_bps, distances[0]))
        sides.append(
            _side_quotes(
                pricing, side, room, distances, clip_sz, centre_px, opposite_px, too_wide=too_wide
            )
        )
    return Quoting(
        bids=sides[0],
        asks=sides[1],
        half_spread=mean,
        skew_bps=pricing.spread.skew_bps,
        inventory_clips=pricing.clips,
        clip_sz=clip_sz,
        too_wide=too_wide,
        bid=bid,
        ask=ask,
        shift_bps=shifts,
        centre_px=centre_px,
        drift_bps=drift_bps,
        aversion=pricing.aversion,
        tight=pricing.tight,
        problem=pricing.problem,
        exact=pricing.table is not None,
    )


def _pricing(
    estimates: Estimates,
    *,
    settings: StrategySettings,
    instrument: Instrument,
    position_sz: Decimal,
    clip_sz: Decimal,
    limit_sz: Decimal | None,
    conditions: Conditions,
    table: SkewTable | None,
) -> _Pricing:
    """The model of this moment: risk aversion, GLFT, and the exact skew if it serves."""
    clips = float(position_sz) / float(clip_sz)
    inventory_share = 1.0 if not limit_sz else min(abs(float(position_sz / limit_sz)), 1.0)
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
    exact = table is not None and problem is not None and table.serves(problem)
    return _Pricing(
        estimates=estimates,
        strategy=settings,
        instrument=instrument,
        conditions=conditions,
        spread=spread,
        table=table if exact else None,
        clips=clips,
        inventory_share=inventory_share,
        aversion=averse,
        problem=problem,
        tight=may_be_tight(conditions, inventory_share=inventory_share, strategy=settings),
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


def _distances(settings: StrategySettings, total_bps: float, shift_bps: float) -> list[float]:
    level0_bps = total_bps + shift_bps
    if settings.level_spacing == "linear":
        return linear_bps(
            level0_bps=level0_bps, step_bps=settings.level_step_bps, levels=settings.levels
        )
    return distances_bps(
        level0_bps=level0_bps,
        step_bps=total_bps,
        ratio=settings.level_ratio,
        levels=settings.levels,
    )


def _present(level0_bps: float, total_bps: float, shift_bps: float, off_bps: float) -> float:
    """The first level no further from the mid than where it counts: for the skew's sake a little
    further than the half-spread, for an expected move's a little more.
    """
    skewed = min(level0_bps, wanted_max_bps(total_bps)) if shift_bps > 0 else level0_bps
    if skewed - off_bps <= retreat_max_bps(total_bps):
        return skewed
    return retreat_max_bps(total_bps) + off_bps


def _side_quotes(
    pricing: _Pricing,
    side: Side,
    room: SideRoom,
    distances: Sequence[float],
    clip_sz: Decimal,
    centre_px: float,
    opposite_px: float,
    *,
    too_wide: bool,
) -> tuple[Quote, ...]:
    adding_barred = room.reduce_only or too_wide
    room_sz = min(room.room_sz, room.reducing_sz) if adding_barred else room.room_sz
    if room_sz <= 0:
        return ()
    strategy, instrument = pricing.strategy, pricing.instrument
    rung = Rung(
        side=side,
        adding_min_bps=instrument.maker_fee_bps + strategy.edge_min_bps,
        clip_sz=clip_sz,
        room_sz=room_sz,
        reducing_sz=room.reducing_sz,
        whole_sz=room.reducing_sz if room.reduce_only else None,
        sizes=None
        if strategy.allocation == "equal" or room.reduce_only
        else level_sizes(
            distances,
            strategy=strategy,
            instrument=instrument,
            estimates=pricing.estimates,
            clip_sz=clip_sz,
            room_sz=room_sz,
        ),
    )
    return ladder(
        rung,
        distances=distances,
        fair_px=centre_px,
        opposite_px=opposite_px,
        instrument=instrument,
    )


def _mean(bid: HalfSpread, ask: HalfSpread) -> HalfSpread:
    """Part by part; the floor's name is the bid's, or else the ask's."""
    if bid == ask:
        return bid
    return HalfSpread(
        model_bps=(bid.model_bps + ask.model_bps) / 2,
        fee_bps=(bid.fee_bps + ask.fee_bps) / 2,
        adverse_bps=(bid.adverse_bps + ask.adverse_bps) / 2,
        regime_bps=(bid.regime_bps + ask.regime_bps) / 2,
        jump_bps=(bid.jump_bps + ask.jump_bps) / 2,
        momentum_bps=(bid.momentum_bps + ask.momentum_bps) / 2,
        tight_bps=(bid.tight_bps + ask.tight_bps) / 2,
        cap_bps=(bid.cap_bps + ask.cap_bps) / 2,
        presence_bps=(bid.presence_bps + ask.presence_bps) / 2,
        floor_bps=(bid.floor_bps + ask.floor_bps) / 2,
        floor_name=bid.floor_name or ask.floor_name,
    )
