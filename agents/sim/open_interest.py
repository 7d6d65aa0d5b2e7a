"""Caps on the open interest of builder-deployed markets: of an asset, of a DEX, and of its growth.

At an asset's cap orders may reduce, or rest no more aggressively than the oracle. Beyond the cap of
the whole DEX, or of an asset's size, nothing may add. Source: protocol 3.9 and 6.5.
"""

from decimal import Decimal
from typing import Final

from agents.market.types import Side
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor
from agents.sim.universe import Listing

SIZE_MAX: Final = Decimal(1_000_000_000)
WINDOW_MS: Final = 10_000
GROWTH_SHARE: Final = Decimal("0.5")
CAPPED: Final = "Order would increase open interest while open interest is capped"
AGGRESSIVE: Final = (
    "Order rejected due to price more aggressive than oracle while at open interest cap"
)
TOO_QUICK: Final = "Order would increase open interest too quickly"
DEX_CAPPED: Final = "Perp DEX open interest is at cap."
SIZE_CAPPED: Final = "Asset open interest is at cap."

Refused = tuple[str, str | None]
"""The venue's text, and the ``orderUpdates`` status where the order gets a row."""


def refusal(
    floor: Floor, listing: Listing, szi: Decimal, side: Side, px: Decimal
) -> Refused | None:
    """Why an order that adds to a position of ``szi`` may not."""
    if floor.at_cap(listing.coin):
        if side.sign * (px - floor.oracle_px(listing.coin)) > 0:
            return AGGRESSIVE, "tooAggressiveAtOpenInterestCapRejected"
        status = "positionFlip" if szi * side.sign < 0 else "positionIncrease"
        return CAPPED, f"{status}AtOpenInterestCapRejected"
    if not listing.hip3:
        return None
    if open_sz(floor, listing) >= SIZE_MAX:
        return SIZE_CAPPED, None
    if _dex_usd(floor, listing.dex) >= floor.universe.by_dex[listing.dex].oi_cap_usd:
        return DEX_CAPPED, None
    return (TOO_QUICK, "openInterestIncreaseRejected") if _grows(floor, listing) else None


def open_sz(floor: Floor, listing: Listing) -> Decimal:
    """One-sided, in coins."""
    tally = floor.tallies[listing.coin]
    return max(tally.long_sz, tally.short_sz)


def _dex_usd(floor: Floor, dex: str) -> Decimal:
    listings = (floor.listing(spec.name) for spec in floor.universe.by_dex[dex].assets)
    open_szs = ((listing.coin, open_sz(floor, listing)) for listing in listings)
    return sum((sz * floor.mark_px(coin) for coin, sz in open_szs if sz), ZERO)


def _grows(floor: Floor, listing: Listing) -> bool:
    """Whether within ten seconds the open interest has grown by half of its cap."""
    tally, cap_usd = floor.tallies[listing.coin], floor.cap_usd(listing.coin)
    if cap_usd is None:
        return False
    if floor.now_ms - tally.growth_ms >= WINDOW_MS:
        tally.growth_ms, tally.growth_from_sz = floor.now_ms, open_sz(floor, listing)
    grown_sz = open_sz(floor, listing) - tally.growth_from_sz
    return grown_sz * floor.mark_px(listing.coin) >= GROWTH_SHARE * cap_usd
