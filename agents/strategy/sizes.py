"""How large one order is, and what each level of a ladder may show."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from agents.estimators.estimates import Estimates
from agents.market.instrument import Instrument
from agents.market.types import Side
from agents.settings import StrategySettings
from agents.strategy.allocate import Worth, allocate, in_lots, worth

BUDGET_USED_SHARE: Final = 0.97


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


def level_sizes(
    distances: Sequence[float],
    *,
    strategy: StrategySettings,
    instrument: Instrument,
    estimates: Estimates,
    clip_sz: Decimal,
    room_sz: Decimal,
) -> tuple[Decimal, ...]:
    """Kelly's allocation: each level by its chance to fill, its edge and its risk.

    A fill at distance d comes ``exp(-kappa*d)`` as often as at the mid and earns d less the fee,
    against the volatility over the time that a clip is held; the wealth is the operator's, or the
    room. No level shows more than two clips.
    """
    advanced = strategy.advanced
    kappa = estimates.kappa_per_bps
    sigma_bps = estimates.sigma_bps * math.sqrt(strategy.holding_s)
    wealth_sz = float(room_sz)
    if advanced.wealth_usd is not None:
        wealth_sz = advanced.wealth_usd / estimates.mid_px
    levels: list[Worth] = []
    for distance in distances:
        edge_bps = distance - instrument.maker_fee_bps
        value, cost = worth(
            fill_share=math.exp(-kappa * max(distance, 0.0)),
            edge_bps=edge_bps,
            sigma_bps=sigma_bps,
            kelly_share=advanced.kelly_share,
            wealth=wealth_sz * sigma_bps,
        )
        levels.append(Worth(value=value, cost=cost, cap=2 * float(clip_sz)))
    shares = allocate(levels, budget=float(room_sz))
    viable_sz = instrument.viable_sz(instrument.passive_px(estimates.mid_px / 1.2, Side.ASK))
    return in_lots(
        shares,
        levels,
        lot_sz=Decimal(1).scaleb(-instrument.sz_decimals),
        viable_szs=[viable_sz] * len(levels),
        budget_sz=room_sz,
    )
