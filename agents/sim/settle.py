"""Books matches into accounts: cash, positions, fees, fill rows, prints, and what they entail."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from agents.market.types import Coin, Side
from agents.sim import rows
from agents.sim.accounts import Account, OrderRecord
from agents.sim.clearing import ZERO, FillEffect
from agents.sim.fees import fee_usd, user_rate, volume_weight
from agents.sim.floor import Floor
from agents.sim.market import Execution, RestingOrder
from agents.sim.outputs import TradePrint
from agents.sim.universe import Listing

DAY_MS = 86_400_000


def book_executions(
    floor: Floor, coin: Coin, executions: Sequence[Execution], *, printed: bool
) -> None:
    """Settle the matches of one arrival (or of one recorded print) under one hash.

    ``printed``: whether the venue prints the trades (a tape prints its own).
    """
    listing = floor.listing(coin)
    tx_hash = floor.next_hash()
    makers: dict[int, RestingOrder] = {}
    for execution in executions:
        _book(floor, listing, execution, tx_hash, printed=printed)
        if execution.maker is not None:
            makers[execution.maker.oid] = execution.maker
    owners: dict[str, None] = {}
    for maker in makers.values():
        account = floor.accounts.get(maker.owner)
        if account is not None:
            owners[maker.owner] = None
            if not maker.sz:
                close_order(floor, account, maker.oid, "filled", ZERO)
    for owner in owners:
        keep_reduce_only(floor, floor.accounts[owner], listing)


def within_reduce_only(floor: Floor, executions: Sequence[Execution]) -> list[Execution]:
    """The part of a tape's matches that reduce-only makers may have; the rest is given back."""
    possible: list[Execution] = []
    for execution in executions:
        maker, sz = execution.maker, execution.sz
        if maker is not None and maker.reduce_only:
            sz = min(sz, floor.closable_sz(maker, possible))
            maker.sz += execution.sz - sz
        if sz:
            possible.append(msgspec.structs.replace(execution, sz=sz))
    return possible


def _book(
    floor: Floor, listing: Listing, execution: Execution, tx_hash: str, *, printed: bool
) -> None:
    maker, taker = execution.maker, execution.taker
    maker_oid = maker.oid if maker is not None else floor.next_oid()
    taker_oid = taker.oid if taker is not None else floor.next_oid()
    buys = execution.side is Side.BID
    tid = rows.trade_id(*((taker_oid, maker_oid) if buys else (maker_oid, taker_oid)))
    if printed:
        users = _party(floor, taker), _party(floor, maker)
        floor.print_trade(
            TradePrint(
                coin=listing.coin,
                side=execution.side.value,
                px=rows.number(execution.px),
                sz=rows.number(execution.sz),
                time=floor.now_ms,
                hash=tx_hash,
                tid=tid,
                users=users if buys else users[::-1],
            )
        )
        _count(floor, listing, execution)
    for order, crossed in ((maker, False), (taker, True)):
        account = floor.accounts.get(order.owner) if order is not None else None
        if order is None or account is None:
            continue
        if not crossed and not order.reduce_only:
            hold = account.clearing(listing.dex).hold(listing.coin)
            hold.add(order.side, -order.px * execution.sz)
        _fill(floor, account, listing, order, execution, tid, tx_hash, crossed=crossed)


def _party(floor: Floor, order: RestingOrder | None) -> str:
    if order is None:
        return rows.pseudo_address("tape")
    return order.owner if order.owner in floor.accounts else rows.pseudo_address(order.owner)


def _count(floor: Floor, listing: Listing, execution: Execution) -> None:
    tally = floor.tallies[listing.coin]
    day = floor.now_ms // DAY_MS
    if day != tally.day:
        if tally.day:
            tally.previous_px = tally.last_px
        tally.day, tally.day_usd, tally.day_sz = day, ZERO, ZERO
    tally.last_px = execution.px
    tally.day_usd += execution.px * execution.sz
    tally.day_sz += execution.sz


def _fill(
    floor: Floor,
    account: Account,
    listing: Listing,
    order: RestingOrder,
    execution: Execution,
    tid: int,
    tx_hash: str,
    *,
    crossed: bool,
) -> None:
    clearing = account.clearing(listing.dex)
    notional_usd = execution.px * execution.sz
    base = floor.taker_rate if crossed else floor.maker_rate
    fee = fee_usd(notional_usd, user_rate(base, listing))
    effect = clearing.fill(listing, order.side, execution.px, execution.sz)
    clearing.raw_usd -= fee
    floor.collected_usd[listing.dex] += fee
    account.volume_usd += notional_usd * volume_weight(listing)
    _count_open_interest(floor, listing.coin, effect.start_sz, clearing.szi(listing.coin))
    row = _fill_row(listing, order, execution, effect, fee)
    row |= {"time": floor.now_ms, "hash": tx_hash, "crossed": crossed, "tid": tid}
    floor.tell_fill(account, row)
    floor.tell_change(account, listing.dex, orders=True, money=True)


def _fill_row(
    listing: Listing,
    order: RestingOrder,
    execution: Execution,
    effect: FillEffect,
    fee: Decimal,
) -> rows.Row:
    row: rows.Row = {
        "coin": listing.coin,
        "px": rows.number(execution.px),
        "sz": rows.number(execution.sz),
        "side": order.side.value,
        "time": 0,
        "startPosition": rows.number(effect.start_sz),
        "dir": effect.direction,
        "closedPnl": rows.number(effect.closed_pnl_usd),
        "hash": "",
        "oid": order.oid,
        "crossed": False,
        "fee": rows.number(fee),
        "tid": 0,
    }
    if order.cloid is not None:
        row["cloid"] = order.cloid
    return row | {"feeToken": listing.token, "twapId": None}


def _count_open_interest(floor: Floor, coin: Coin, start: Decimal, end: Decimal) -> None:
    tally = floor.tallies[coin]
    tally.long_sz += max(end, ZERO) - max(start, ZERO)
    tally.short_sz += max(-end, ZERO) - max(-start, ZERO)


def close_order(floor: Floor, account: Account, oid: int, status: str, sz: Decimal) -> OrderRecord:
    """An order of an account is over: out of its tables and its hold, with a row.

    The market no longer has it; ``sz`` remained of it.
    """
    record = account.open.pop(oid)
    order, listing = record.order, floor.listing(record.coin)
    if order.cloid is not None:
        account.live_cloids.pop(order.cloid, None)
    if order.reduce_only:
        account.reduce_only[record.coin].remove(oid)
    else:
        account.clearing(listing.dex).hold(record.coin).add(order.side, -order.px * sz)
    floor.tell_order(account, record, status, sz)
    floor.tell_change(account, listing.dex, orders=True, money=False)
    return record


def venue_cancel(floor: Floor, account: Account, oid: int, status: str) -> None:
    """The venue itself takes a resting order out (or the market already has)."""
    record = account.open[oid]
    floor.disturb(record.coin).cancel(oid)
    close_order(floor, account, oid, status, record.order.sz)
    floor.tell_venue_cancel(account, record)


def keep_reduce_only(floor: Floor, account: Account, listing: Listing) -> None:
    """Resting reduce-only orders never exceed the position: the older go, the last is trimmed."""
    oids = account.reduce_only.get(listing.coin)
    if not oids:
        return
    szi = account.clearing(listing.dex).szi(listing.coin)
    market = floor.markets[listing.coin]
    for oid in tuple(oids):
        order = account.open[oid].order
        if market.order(oid) is None or szi * order.side.sign >= 0:
            venue_cancel(floor, account, oid, "reduceOnlyCanceled")
    while len(oids) > 1 and sum(account.open[oid].order.sz for oid in oids) > abs(szi):
        venue_cancel(floor, account, oids[0], "reduceOnlyCanceled")
    if oids and account.open[oids[0]].order.sz > abs(szi):
        floor.disturb(listing.coin).trim(oids[0], abs(szi))
        floor.tell_change(account, listing.dex, orders=True, money=False)
