"""Trades nobody asked for: between an account and another, or those outside, at a given price."""

from decimal import Decimal

from agents.market.types import Coin, Side
from agents.sim.accounts import Account
from agents.sim.floor import Floor
from agents.sim.market import Execution, RestingOrder
from agents.sim.settle import Notes, book_executions, keep_reduce_only


def forced_order(floor: Floor, owner: str, side: Side, px: Decimal, sz: Decimal) -> RestingOrder:
    """An order that only stands in a trade: it holds nothing and rests nowhere."""
    return RestingOrder(
        oid=floor.next_oid(),
        owner=owner,
        side=side,
        px=px,
        sz=sz,
        orig_sz=sz,
        placed_ms=floor.now_ms,
        reduce_only=True,
        tif="Ioc",
    )


def close_against(
    floor: Floor,
    account: Account,
    coin: Coin,
    sz: Decimal,
    px: Decimal,
    other: Account | None,
    notes: Notes,
) -> None:
    """Close ``sz`` of a position at ``px``; ``other`` takes it, or those without an account do."""
    listing = floor.listing(coin)
    szi = account.clearing(listing.dex).szi(coin)
    side = Side.ASK if szi > 0 else Side.BID
    taker = forced_order(floor, account.address, side, px, sz)
    maker = None
    if other is not None:
        maker = forced_order(floor, other.address, side.opposite, px, sz)
    execution = Execution(side, px, sz, maker, taker, sz)
    book_executions(floor, coin, (execution,), printed=False, notes=notes)
    for each in (account, other):
        if each is not None:
            keep_reduce_only(floor, each, listing)
