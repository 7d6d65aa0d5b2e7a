"""From distances to orders on the venue's grid: prices apart, sizes within what a side may hold."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from agents.market.instrument import Instrument
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
    touch_px = instrument.passive_px(opposite_px, side)
    worst_px = touch_px - sign * instrument.tick_px(touch_px)
    for distance in distances:
        sz = instrument.floor_sz(min(rung.clip_sz, rung.room_sz - used_sz))
        if sz <= 0:
            break
        if used_sz + sz > rung.reducing_sz:
            distance_bps = max(distance, rung.adding_min_bps)
        else:
            distance_bps = distance
        px = instrument.passive_px(fair_px * (1.0 - sign * distance_bps / BPS), side)
        px = min(px, worst_px) if sign > 0 else max(px, worst_px)
        if px <= 0:
            break
        if sz != rung.whole_sz and sz < instrument.viable_sz(px):
            break
        quotes.append(Quote(side=side, px=px, sz=sz))
        used_sz += sz
        # The next level at least a tick further out, also across a decade of the grid.
        worst_px = instrument.passive_px(px - sign * instrument.tick_px(px), side)
    return tuple(quotes)
