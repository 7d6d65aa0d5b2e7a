"""A deployer's halt: every order of a coin is cancelled, every position settled at the mark."""

from typing import Final

from agents.market.types import Coin
from agents.sim.book import OrderBook
from agents.sim.floor import Floor
from agents.sim.forced import close_against
from agents.sim.settle import Notes, venue_cancel

SETTLEMENT: Final = Notes({}, direction="Settlement", free=True)


def halt(floor: Floor, coin: Coin) -> None:
    """Stop a market; it keeps its index, and later orders are refused."""
    if coin in floor.halted:
        return
    listing, mark_px = floor.listing(coin), floor.mark_px(coin)
    for account in tuple(floor.accounts.values()):
        for oid, record in tuple(account.open.items()):
            if record.coin == coin and oid in account.open:
                venue_cancel(floor, account, oid, "delistedCanceled")
        szi = account.clearing(listing.dex).szi(coin)
        if szi:
            close_against(floor, account, coin, abs(szi), mark_px, None, SETTLEMENT)
    floor.disturb(coin)
    if coin not in floor.taped:
        floor.markets[coin] = OrderBook(coin, floor.matchable_sz)
    floor.halted.add(coin)


def resume(floor: Floor, coin: Coin) -> None:
    """Let it trade again, from an empty book."""
    floor.halted.discard(coin)
