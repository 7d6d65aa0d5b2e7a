"""The price to quote around: the mid, leaning to the side with more size, within bounds."""

from typing import Final

from agents.market.types import Level
from agents.market.units import BPS

LEAN: Final = 0.5
BOUND_BPS: Final = 5.0


def fair_px(bid: Level, ask: Level) -> float:
    """Half way from the mid to the size-weighted mid, at most min(half market spread, 5 bps) off.

    The whole weighted mid would follow every flicker of the sizes at the touch.
    """
    mid_px = (bid.px + ask.px) / 2
    half_px = (ask.px - bid.px) / 2
    total_sz = bid.sz + ask.sz
    if half_px <= 0 or total_sz <= 0:
        return mid_px
    lean_px = LEAN * half_px * ((bid.sz - ask.sz) / total_sz)
    bound_px = min(half_px, mid_px * BOUND_BPS / BPS)
    return mid_px + min(max(lean_px, -bound_px), bound_px)
