"""The one pricing function: estimates, inventory and room in; quotes and their derivation out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from agents.estimators.estimates import Estimates
from agents.market.instrument import Instrument
from agents.market.types import Quote, Side
from agents.market.units import BPS, px_to_bps
from agents.portfolio import CROSS_SHARE_MAX, CrossSkew
from agents.settings import StrategySettings
from agents.skew import Problem, SkewTable
from agents.strategy.aversion import Aversion
from agents.strategy.components import HalfSpread
from agents.strategy.conditions import CALM, Conditions
from agents.strategy.floors import Floor, binding
from agents.strategy.ladder import Rung, distances_bps, ladder, linear_bps
from agents.strategy.model import Model, model_of
from agents.strategy.presence import retreat_max_bps, wanted_max_bps
from agents.strategy.sizes import level_sizes

NOTHING: Final = Decimal(0)
BID, ASK = Side.BID, Side.ASK


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
    ``shift_bps`` what the inventory moves bid and ask by, ``patience_bps`` what of it is taken back
    where little is held, ``first_bps`` where the first levels are wanted; ``centre_px`` the fair
    price with the expected move in it. ``cross_bps``: what positions in other markets move both
    sides by, ``crossed_bps`` what bid and ask get of it, ``cross_capped`` that it is not all.
    ``too_wide``: the half-spread is above its maximum, so no side adds. ``problem``: what the exact
    skew is to be solved for (None: not to be).
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
    patience_bps: tuple[float, float]
    first_bps: tuple[float, float]
    floors: tuple[tuple[Floor, ...], tuple[Floor, ...]]
    centre_px: float
    drift_bps: float
    aversion: Aversion
    tight: bool
    problem: Problem | None
    exact: bool
    cross_bps: float
    crossed_bps: tuple[float, float]
    cross_capped: bool


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
    cross: CrossSkew | None = None,
) -> Quoting:
    """Price and size the whole ladder.

    The distances are ``half-spread +- inventory * skew`` from the centre: the adding side is never
    nearer than the half-spread, and the reducing side may come nearer, up to the post-only clamp,
    but only with size that reduces. Above ``half_spread_max_bps`` no side adds. ``present``: so
    little is held that the skew moves the adding side's first level no further than where it still
    counts as quoting; where still less is held, the reducing side comes no nearer than where it
    pays its fee; what positions in other markets move a side by comes on top of that.
    ``table``: the exact skew, used if it was solved for about this market. ``cross``: what
    positions in other markets are worth to this one's quotes (None: it quotes for itself alone).
    """
    model = model_of(
        estimates,
        settings=settings,
        instrument=instrument,
        position_sz=position_sz,
        clip_sz=clip_sz,
        limit_sz=limit_sz,
        conditions=conditions,
        table=table,
        own_share=1.0 if cross is None else cross.own_share,
    )
    drift_bps = _drift_bps(settings, conditions)
    centre_px, mid_px = estimates.fair_px * (1.0 + drift_bps / BPS), estimates.mid_px
    bid_floors, ask_floors = model.floors(BID), model.floors(ASK)
    bid, ask = model.half(BID, binding(bid_floors)), model.half(ASK, binding(ask_floors))
    mean = _mean(bid, ask)
    bid_bps, ask_bps = bid.total_bps, ask.total_bps
    too_wide = mean.total_bps > settings.half_spread_max_bps
    bid_own, ask_own = model.shift(BID), model.shift(ASK)
    cross_bps, capped = _cross_bps(model, cross, mean.total_bps)
    bid_shift = _crossed(model, bid_bps, bid_own, cross_bps)
    ask_shift = _crossed(model, ask_bps, ask_own, -cross_bps)
    off_bps = px_to_bps(centre_px - mid_px, reference_px=mid_px)
    bid_kept, ask_kept = _kept(model, bid_bps, bid_shift), _kept(model, ask_bps, ask_shift)
    bid_levels = _levels(
        model, 1, bid_bps, bid_kept, ask_bps + ask_kept, off_bps, cross_bps, present=present
    )
    ask_levels = _levels(
        model, -1, ask_bps, ask_kept, bid_bps + bid_kept, off_bps, -cross_bps, present=present
    )
    return Quoting(
        bids=_side_quotes(model, BID, bid_room, bid_levels, clip_sz, centre_px, barred=too_wide),
        asks=_side_quotes(model, ASK, ask_room, ask_levels, clip_sz, centre_px, barred=too_wide),
        half_spread=mean,
        skew_bps=model.spread.skew_bps,
        inventory_clips=model.clips,
        clip_sz=clip_sz,
        too_wide=too_wide,
        bid=bid,
        ask=ask,
        shift_bps=(bid_own, ask_own),
        patience_bps=(bid_kept - bid_shift, ask_kept - ask_shift),
        first_bps=(bid_levels[0], ask_levels[0]),
        floors=(bid_floors, ask_floors),
        centre_px=centre_px,
        drift_bps=drift_bps,
        aversion=model.aversion,
        tight=model.tight,
        problem=model.problem,
        exact=model.table is not None,
        cross_bps=cross_bps,
        crossed_bps=(bid_shift - bid_own, ask_shift - ask_own),
        cross_capped=capped,
    )


def _cross_bps(model: Model, cross: CrossSkew | None, half_spread_bps: float) -> tuple[float, bool]:
    """What the portfolio moves both sides by, the bid outwards; at most ``CROSS_SHARE_MAX``
    half-spreads, and whether that bound it.
    """
    if cross is None:
        return 0.0, False
    wanted_bps = cross.clips * model.local_skew_bps
    most_bps = CROSS_SHARE_MAX * half_spread_bps
    return min(max(wanted_bps, -most_bps), most_bps), abs(wanted_bps) > most_bps


def _crossed(model: Model, total_bps: float, own_bps: float, cross_bps: float) -> float:
    """Both shifts of a side; for others' sake it comes no nearer to fair than where it pays its
    fee.
    """
    nearest_bps = min(own_bps, model.instrument.maker_fee_bps - total_bps)
    return max(own_bps + cross_bps, nearest_bps)


def _drift_bps(settings: StrategySettings, conditions: Conditions) -> float:
    """What the reservation price is moved by, bounded."""
    drift_bps = settings.drift_weight * (conditions.drift_bps + conditions.funding_bps)
    return min(max(drift_bps, -settings.drift_max_bps), settings.drift_max_bps)


def _levels(
    model: Model,
    sign: int,
    total_bps: float,
    kept_bps: float,
    other0_bps: float,
    off_bps: float,
    cross_bps: float,
    *,
    present: bool,
) -> list[float]:
    """Each level's distance from the centre; ``kept_bps``: what patience leaves of the shift.

    ``other0_bps``: the other side's first level; ``off_bps``: how far the centre is from the mid;
    ``cross_bps``: of the shift, what positions in other markets move the side outwards by.
    """
    distances = _distances(model.strategy, total_bps, kept_bps)
    if present:
        aside_bps = max(cross_bps, 0.0)
        own_bps, kept_own_bps = distances[0] - aside_bps, kept_bps - aside_bps
        present_bps = _present(own_bps, total_bps, kept_own_bps, sign * off_bps)
        present_bps += aside_bps
        # Not so near that it meets our own reducing side, which skew may take past the centre.
        distances[0] = max(present_bps, min(total_bps - other0_bps, distances[0]))
    return distances


def _kept(model: Model, total_bps: float, shift_bps: float) -> float:
    """The inventory's shift; where little is held, only as far as the reducing side pays."""
    if shift_bps >= 0 or not model.patient:
        return shift_bps
    least_bps = model.instrument.maker_fee_bps + model.strategy.reducing_edge_min_bps
    return max(shift_bps, min(least_bps - total_bps, 0.0))


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
    model: Model,
    side: Side,
    room: SideRoom,
    distances: Sequence[float],
    clip_sz: Decimal,
    centre_px: float,
    *,
    barred: bool,
) -> tuple[Quote, ...]:
    """``barred``: nothing may add."""
    barred = barred or room.reduce_only
    room_sz = min(room.room_sz, room.reducing_sz) if barred else room.room_sz
    if room_sz <= 0:
        return ()
    strategy, instrument = model.strategy, model.instrument
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
            estimates=model.estimates,
            clip_sz=clip_sz,
            room_sz=room_sz,
        ),
    )
    return ladder(
        rung,
        distances=distances,
        fair_px=centre_px,
        opposite_px=model.estimates.ask_px if side is BID else model.estimates.bid_px,
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
        risk_bps=(bid.risk_bps + ask.risk_bps) / 2,
        retreat_bps=(bid.retreat_bps + ask.retreat_bps) / 2,
        floor_bps=(bid.floor_bps + ask.floor_bps) / 2,
        floor_name=bid.floor_name or ask.floor_name,
    )
