"""From distances to orders on the venue's grid: prices apart, sizes within what a side may hold."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from agents.market.instrument import NOTIONAL_MIN, Instrument
from agents.market.types import Quote, Side
from agents.market.units import BPS


class Rung(msgspec.Struct, frozen=True, gc=False):
    """Where one side's ladder stands and how much it may hold.

    ``adding_min_bps`` the least distance from fair of any size beyond ``reducing_sz``;
    ``whole_sz`` the one size that may be below the venue's minimum, because it closes the position
    (None: no such order). ``sizes``: what each level may show at most, if not one clip each.
    """

    side: Side
    adding_min_bps: float
    clip_sz: Decimal
    room_sz: Decimal
    reducing_sz: Decimal
    whole_sz: Decimal | None = None
    sizes: tuple[Decimal, ...] | None = None


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


def linear_bps(*, level0_bps: float, step_bps: float, levels: int) -> list[float]:
    """Equal steps."""
    return [level0_bps + step_bps * index for index in range(levels)]


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
    sizes = _sizes(rung, len(distances), instrument)
    adds, left_sz, least_bps = False, rung.reducing_sz, rung.adding_min_bps
    wanted: list[float] = [opposite_px]
    for distance, sz in zip(distances, sizes, strict=False):
        if not adds:
            left_sz -= sz
            adds = left_sz < 0
        distance_bps = least_bps if adds and distance < least_bps else distance
        wanted.append(fair_px * (1.0 - sign * distance_bps / BPS))
    if not sizes or min(wanted) <= 0:
        return ()
    quotes: list[Quote] = []
    inner_px, *pxs = instrument.passive_pxs(wanted, side)
    for px, sz in zip(pxs, sizes, strict=True):
        if px >= inner_px if sign > 0 else px <= inner_px:
            # A step of this decade's tick stays on the grid across the decade's edges: downwards
            # into a finer one, upwards onto a power of ten.
            px = inner_px - sign * instrument.tick_px(inner_px)  # noqa: PLW2901
        if px <= 0 or (sz * px < NOTIONAL_MIN and sz != rung.whole_sz):
            break
        quotes.append(Quote(side, px, sz))
        inner_px = px
    return tuple(quotes)


def _sizes(rung: Rung, levels: int, instrument: Instrument) -> list[Decimal]:
    """One clip a level while there is room, and the rest of the room in whole lots."""
    if rung.sizes is not None:
        return _allotted(rung.sizes, rung.room_sz)
    clip_sz, left_sz = rung.clip_sz, rung.room_sz
    if left_sz >= clip_sz * levels:
        return [clip_sz] * levels
    sizes: list[Decimal] = []
    while len(sizes) < levels and left_sz >= clip_sz:
        sizes.append(clip_sz)
        left_sz -= clip_sz
    if len(sizes) < levels:
        rest_sz = instrument.floor_sz(left_sz)
        if rest_sz > 0:
            sizes.append(rest_sz)
    return sizes


def _allotted(wanted: Sequence[Decimal], room_sz: Decimal) -> list[Decimal]:
    """As allotted while there is room; a level that was given nothing ends the ladder."""
    sizes: list[Decimal] = []
    for sz in wanted:
        if sz <= 0 or sz > room_sz:
            break
        sizes.append(sz)
        room_sz -= sz
    return sizes
