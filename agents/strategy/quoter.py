"""The one pricing function: estimates, inventory and room in; quotes and their derivation out."""

from decimal import Decimal
from typing import Final

import msgspec

from agents.estimators.panel import Estimates
from agents.market.instrument import Instrument
from agents.market.types import Quote, Side
from agents.market.units import px_to_bps
from agents.settings import StrategySettings
from agents.strategy.floors import binding_floor
from agents.strategy.glft import glft
from agents.strategy.ladder import Rung, distances_bps, ladder
from agents.strategy.presence import wanted_max_bps

BUDGET_USED_SHARE: Final = 0.97


class SideRoom(msgspec.Struct, frozen=True, gc=False):
    """What one side may show: ``room_sz`` in all, of which ``reducing_sz`` only reduces.

    ``reduce_only``: nothing but that; then one order for the whole position may be below the
    venue's minimum.
    """

    room_sz: Decimal
    reducing_sz: Decimal = Decimal(0)
    reduce_only: bool = False


class HalfSpread(msgspec.Struct, frozen=True, gc=False):
    """A half-spread as the sum of its named parts, in bps; ``total_bps`` is their exact sum."""

    model_bps: float
    fee_bps: float
    floor_bps: float
    floor_name: str

    @property
    def total_bps(self) -> float:
        return self.model_bps + self.fee_bps + self.floor_bps


class Quoting(msgspec.Struct, frozen=True, gc=False):
    """The ladder and why: ``skew_bps`` is the shift per clip, ``inventory_clips`` what is held.

    ``too_wide``: the half-spread is above its maximum, so no side adds.
    """

    bids: tuple[Quote, ...]
    asks: tuple[Quote, ...]
    half_spread: HalfSpread
    skew_bps: float
    inventory_clips: float
    clip_sz: Decimal
    too_wide: bool


def clip_size(
    *,
    settings: StrategySettings,
    instrument: Instrument,
    position_max_usd: float,
    reference_px: float,
) -> Decimal:
    """Size of one order: as told, else the side's budget over its levels; viable at least.

    All levels fit into the budget with a little to spare, so that a rise of the price by a percent
    does not clip the outermost.
    """
    clip_usd = settings.clip_usd
    if clip_usd is None:
        clip_usd = BUDGET_USED_SHARE * position_max_usd * settings.side_budget_share
        clip_usd /= settings.levels
    # A fifth above the venue's minimum, so that no small move of the price makes it unviable.
    viable_sz = instrument.viable_sz(instrument.passive_px(reference_px / 1.2, Side.ASK))
    return max(instrument.floor_sz(clip_usd / reference_px), viable_sz)


def half_spread(
    estimates: Estimates, *, settings: StrategySettings, instrument: Instrument, model_bps: float
) -> HalfSpread:
    """Model, fee, and what a floor adds: max(0, floor - sum of the others)."""
    floor = binding_floor(
        configured_bps=settings.half_spread_floor_bps,
        maker_fee_bps=instrument.maker_fee_bps,
        edge_min_bps=settings.edge_min_bps,
        tick_bps=px_to_bps(
            float(instrument.tick_px(estimates.mid_px)), reference_px=estimates.mid_px
        ),
        sigma_bps=estimates.sigma_bps,
        latency_s=settings.latency_s,
    )
    fee_bps = instrument.maker_fee_bps
    short_bps = floor.bps - (model_bps + fee_bps)
    return HalfSpread(
        model_bps=model_bps,
        fee_bps=fee_bps,
        floor_bps=max(short_bps, 0.0),
        floor_name=floor.name if short_bps > 0 else "",
    )


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
) -> Quoting:
    """Price and size the whole ladder.

    The distances are ``half-spread +- inventory * skew``: the adding side is never nearer than
    the half-spread, and the reducing side may come nearer, up to the post-only clamp, but only
    with size that reduces. Above ``half_spread_max_bps`` no side adds. ``present``: the skew moves
    the adding side's first level no further than where it still counts as quoting.
    """
    spread = glft(
        sigma_bps=estimates.sigma_bps,
        kappa_per_bps=estimates.kappa_per_bps,
        fills_per_s=estimates.fills_per_s,
        risk_aversion=settings.risk_aversion,
    )
    half = half_spread(
        estimates, settings=settings, instrument=instrument, model_bps=spread.half_spread_bps
    )
    total_bps = half.total_bps
    clips = float(position_sz) / float(clip_sz)
    too_wide = total_bps > settings.half_spread_max_bps

    def side_quotes(side: Side, room: SideRoom, opposite_px: float) -> tuple[Quote, ...]:
        adding_barred = room.reduce_only or too_wide
        room_sz = min(room.room_sz, room.reducing_sz) if adding_barred else room.room_sz
        if room_sz <= 0:
            return ()
        level0_bps = total_bps + side.sign * clips * spread.skew_bps
        rung = Rung(
            side=side,
            level0_bps=level0_bps,
            step_bps=total_bps,
            adding_min_bps=instrument.maker_fee_bps + settings.edge_min_bps,
            clip_sz=clip_sz,
            room_sz=room_sz,
            reducing_sz=room.reducing_sz,
            whole_sz=room.reducing_sz if room.reduce_only else None,
        )
        distances = distances_bps(
            level0_bps=level0_bps,
            step_bps=total_bps,
            ratio=settings.level_ratio,
            levels=settings.levels,
        )
        if present:
            distances[0] = min(level0_bps, wanted_max_bps(total_bps))
        return ladder(
            rung,
            distances=distances,
            fair_px=estimates.fair_px,
            opposite_px=opposite_px,
            instrument=instrument,
        )

    return Quoting(
        bids=side_quotes(Side.BID, bid_room, estimates.ask_px),
        asks=side_quotes(Side.ASK, ask_room, estimates.bid_px),
        half_spread=half,
        skew_bps=spread.skew_bps,
        inventory_clips=clips,
        clip_sz=clip_sz,
        too_wide=too_wide,
    )
