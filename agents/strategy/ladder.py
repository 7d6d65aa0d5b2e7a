"""From distances to orders on the venue's grid: prices apart, sizes within what a side may hold."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from agents.market.instrument import NOTIONAL_MIN, Instrument
from agents.market.types import Quote, Side
from agents.market.units import BPS


class Rung(msgspec.Struct, frozen=True, gc=False):
    """Where one side's ladder stands and how much it may hold.

    ``level0_bps`` distance of the first level from fair (negative: beyond fair, to reduce);
    ``step_bps`` the half-spread that the geometric spacing grows from; ``adding_min_bps`` the
    least distance of any size beyond ``reducing_sz``; ``whole_sz`` the one size that may be below
    the venue's minimum, because it closes the position (None: no such order).
    """

    side: Side
    level0_bps: float
    step_bps: float
    adding_min_bps: float
    clip_sz: Decimal
    room_sz: Decimal
    reducing_sz: Decimal
    whole_sz: Decimal | None = None


def capacity_sz(
    *, side: Side, limit_sz: Decimal, position_sz: Decimal, open_sz: Decimal
) -> Decimal:
    """What may still be added on ``side`` so that all of it filling keeps within the limit.

    ``open_sz``: everything of ours on that side that rests or may rest. Never negative.
    """
    return max(limit_sz - side.sign * position_sz - open_sz, Decimal(0))


def distances_bps(*, level0_bps: float, step_bps: float, ratio: float, levels: int) -> list[float]:
    """``level0 + step * (ratio^i - 1)``: without skew the levels are ``half-spread * ratio^i``."""
    return [level0_bps + step_bps * (ratio**index - 1.0) for index in range(levels)]


def ladder(
    rung: Rung,
    *,
    distances: Sequence[float],
    fair_px: float,
    opposite_px: float,
    instrument: Instrument,
) -> tuple[Quote, ...]:
    """Quotes of one side, best first: on the grid, a tick apart at least, never taking.

    Sizes fill from the inside out until the room is used; a level below the venue's minimum ends
    the ladder. Prices only ever move away from the other side: rounding, the post-only clamp and
    the spacing all do.
    """
    side, sign = rung.side, rung.side.sign
    quotes: list[Quote] = []
    used_sz = Decimal(0)
    inner_px = instrument.passive_px(opposite_px, side)
    for distance in distances:
        left_sz = rung.room_sz - used_sz
        sz = rung.clip_sz if rung.clip_sz <= left_sz else instrument.floor_sz(left_sz)
        adds = used_sz + sz > rung.reducing_sz
        distance_bps = max(distance, rung.adding_min_bps) if adds else distance
        px = instrument.passive_px(fair_px * (1.0 - sign * distance_bps / BPS), side)
        if sign * (inner_px - px) <= 0:
            # A step of this decade's tick stays on the grid across the decade's edges: downwards
            # into a finer one, upwards onto a power of ten.
            px = inner_px - sign * instrument.tick_px(inner_px)
        if px <= 0 or sz <= 0 or (sz * px < NOTIONAL_MIN and sz != rung.whole_sz):
            break
        quotes.append(Quote(side=side, px=px, sz=sz))
        used_sz += sz
        inner_px = px
    return tuple(quotes)
