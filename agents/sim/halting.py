"""What stops a market: its orders are cancelled, its positions settled, later orders refused."""

from decimal import Decimal
from typing import Final

from agents.market.types import Coin
from agents.sim.book import OrderBook
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor
from agents.sim.forced import close_against
from agents.sim.settle import Notes, venue_cancel

SETTLEMENT: Final = Notes({}, direction="Settlement", free=True)


def halt(floor: Floor, coin: Coin) -> None:
    """A deployer stops a market, settling it at the mark; it keeps its index and may resume."""
    _stop(floor, coin, floor.mark_px(coin))


def delist(floor: Floor, coin: Coin) -> None:
    """A market ends for good, settled at the oracle; it keeps its index."""
    _stop(floor, coin, floor.oracle_px(coin))
    floor.delisted.add(coin)


def resume(floor: Floor, coin: Coin) -> None:
    """Let it trade again, from an empty book; what is delisted stays so."""
    if coin not in floor.delisted:
        floor.halted.discard(coin)


def _stop(floor: Floor, coin: Coin, px: Decimal) -> None:
    if coin in floor.halted or coin not in floor.markets:
        return
    listing, tally = floor.listing(coin), floor.tallies[coin]
    px = px.quantize(Decimal(1).scaleb(-listing.px_decimals))
    for account in tuple(floor.accounts.values()):
        for oid, record in tuple(account.open.items()):
            if record.coin == coin and oid in account.open:
                venue_cancel(floor, account, oid, "delistedCanceled")
        szi = account.clearing(listing.dex).szi(coin)
        if szi:
            close_against(floor, account, coin, abs(szi), px, None, SETTLEMENT)
    floor.disturb(coin)
    if coin not in floor.taped:
        floor.markets[coin] = OrderBook(coin, floor.matchable_sz)
    tally.premium_sum, tally.premium_count = ZERO, 0
    floor.halted.add(coin)
