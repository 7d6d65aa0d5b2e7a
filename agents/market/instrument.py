"""The venue's grid for one market, and the one door from float to Decimal.

Hyperliquid accepts a perp price that is an integer, or has at most 5 significant figures and at
most ``6 - sz_decimals`` decimals; a size that is a multiple of ``10**-sz_decimals``; a notional of
at least 10 of the DEX's collateral. The tick therefore changes with the price's decade.
"""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

import msgspec

from agents.market.types import Coin, Side

PX_DECIMALS_MAX: Final = 6
PX_FIGURES_MAX: Final = 5
NOTIONAL_MIN: Final = Decimal(10)
_NEAR: Final = 1e-6
_TICKS: Final = tuple(Decimal(1).scaleb(-decimals) for decimals in range(PX_DECIMALS_MAX + 1))
_SCALES: Final = tuple(10.0**decimals for decimals in range(PX_DECIMALS_MAX + 1))


class Instrument(msgspec.Struct, frozen=True):
    """One market as the venue lists it; fees as this account pays them, a rebate negative."""

    coin: Coin
    asset_id: int
    sz_decimals: int
    leverage_max: int
    dex: str = ""
    token: str = "USDC"
    isolated_only: bool = False
    delisted: bool = False
    maker_fee_bps: float = 1.5
    taker_fee_bps: float = 4.5

    def tick_px(self, px: float | Decimal) -> Decimal:
        """The smallest legal step at this price: 1 at most, 10**-(6-sz_decimals) at least."""
        return _TICKS[self._decimals(px)]

    def _decimals(self, px: float | Decimal) -> int:
        """How many the venue takes at this price."""
        decimals = PX_FIGURES_MAX - 1 - math.floor(math.log10(px))
        if px >= 10 ** (PX_FIGURES_MAX - decimals):  # log10 of 9999.9999… may round either way
            decimals -= 1
        return max(0, min(PX_DECIMALS_MAX - self.sz_decimals, decimals))

    def passive_px(self, px: float | Decimal, side: Side) -> Decimal:
        """``px`` on the grid, rounded away from the other side: bids down, asks up."""
        exact = px if isinstance(px, Decimal) else Decimal(repr(px))
        rounding = ROUND_FLOOR if side is Side.BID else ROUND_CEILING
        # Rounding up may cross into the next decade, whose coarser tick still divides the result.
        return exact.quantize(self.tick_px(exact), rounding=rounding).normalize() + 0

    def passive_pxs(self, pxs: Sequence[float], side: Side) -> list[Decimal]:
        """``passive_px`` of each; of one decade, as a ladder's are, for a fraction of the work.

        A price within a millionth of a tick of the grid is on it: a float's own error is no reason
        to stand a tick further away.
        """
        if not pxs:
            return []
        decimals = self._decimals(min(pxs))
        if decimals != self._decimals(max(pxs)):
            return [self.passive_px(px, side) for px in pxs]
        tick_px, scale = _TICKS[decimals], _SCALES[decimals]
        rounded, slack = (math.floor, _NEAR) if side.sign > 0 else (math.ceil, -_NEAR)
        return [tick_px * rounded(px * scale + slack) for px in pxs]

    def floor_sz(self, sz: float | Decimal) -> Decimal:
        """``sz`` rounded down to whole lots; never negative."""
        exact = sz if isinstance(sz, Decimal) else Decimal(repr(sz))
        lots = exact.quantize(Decimal(1).scaleb(-self.sz_decimals), rounding=ROUND_FLOOR)
        return max(lots, Decimal(0)).normalize() + 0

    def viable_sz(self, px: Decimal) -> Decimal:
        """The smallest size whose notional at ``px`` reaches the venue's minimum."""
        step = Decimal(1).scaleb(-self.sz_decimals)
        return (NOTIONAL_MIN / px).quantize(step, rounding=ROUND_CEILING).normalize() + 0

    def accepts_px(self, px: Decimal) -> bool:
        """Whether the venue takes this price, judged from its digits."""
        _, digits, exponent = px.normalize().as_tuple()
        if px <= 0 or not isinstance(exponent, int):
            return False
        decimals_max = PX_DECIMALS_MAX - self.sz_decimals
        return exponent >= 0 or (len(digits) <= PX_FIGURES_MAX and -exponent <= decimals_max)

    def accepts_sz(self, sz: Decimal) -> bool:
        """Whether the venue takes this size: positive and in whole lots."""
        return sz > 0 and sz == self.floor_sz(sz)


def wire(value: Decimal) -> str:
    """A Decimal as actions carry it: no exponent, no trailing zeros (signing hashes it)."""
    text = format(value.normalize(), "f")
    return "0" if text == "-0" else text
