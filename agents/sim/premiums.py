"""Impact prices and the premium over the oracle that funding is made of.

    main   premium = (max(impact bid - oracle, 0) - max(oracle - impact ask, 0)) / oracle
    HIP-3  premium = (impact bid + impact ask) / 2 / oracle - 1

An impact price is the average at which $20,000 (BTC, ETH) or $6,000 would execute.
Source: protocol 6.5 and 9.2.
"""

from decimal import Decimal
from typing import Final

from agents.sim.clearing import ZERO
from agents.sim.floor import Floor
from agents.sim.market import Touch
from agents.sim.universe import Listing

DEPTH: Final = 20
NEAR: Final = 2
IMPACT_USD: Final = Decimal(6_000)
IMPACT_MAJOR_USD: Final = Decimal(20_000)
MAJORS: Final = frozenset({"BTC", "ETH"})


def impact_pxs(floor: Floor, listing: Listing) -> tuple[Decimal, Decimal] | None:
    """Average prices for the impact notional, bid and ask; None without a two-sided book."""
    market = floor.markets.get(listing.coin)
    notional_usd = IMPACT_MAJOR_USD if listing.coin in MAJORS else IMPACT_USD
    # Most often the first levels hold the notional: looking at the others costs the most.
    for depth in (NEAR, DEPTH):
        bids, asks = market.levels(depth) if market is not None else ([], [])
        if not bids or not asks:
            return None
        (bid_px, bid_left), (ask_px, ask_left) = (
            _average_px(side, notional_usd) for side in (bids, asks)
        )
        if not bid_left and not ask_left:
            break
    return bid_px, ask_px


def _average_px(levels: list[Touch], notional_usd: Decimal) -> tuple[Decimal, Decimal]:
    """And what of the notional these levels don't hold."""
    left_usd, sz = notional_usd, ZERO
    for level in levels:
        taken_usd = min(left_usd, level.px * level.sz)
        sz += taken_usd / level.px
        left_usd -= taken_usd
        if not left_usd:
            break
    return (notional_usd - left_usd) / sz, left_usd


def premium(listing: Listing, impact: tuple[Decimal, Decimal], oracle_px: Decimal) -> Decimal:
    """By the rule of the listing's DEX."""
    bid_px, ask_px = impact
    if listing.hip3:
        return (bid_px + ask_px) / 2 / oracle_px - 1
    above, below = max(bid_px - oracle_px, ZERO), max(oracle_px - ask_px, ZERO)
    return (above - below) / oracle_px
