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
from agents.sim.volumes import TENTH_BP, account_rate, count_venue, count_volume

DAY_MS = 86_400_000


class Notes(msgspec.Struct, frozen=True):
    """What sets the fills of a forced trade apart: keys of the row, and its own direction."""

    extra: rows.Row
    direction: str | None = None
    free: bool = False


def book_executions(
    floor: Floor,
    coin: Coin,
    executions: Sequence[Execution],
    *,
    printed: bool,
    notes: Notes | None = None,
) -> None:
    """Settle the matches of one arrival (or of one recorded print) under one hash.

    ``printed``: whether the venue prints the trades (a tape prints its own).
    """
    listing = floor.listing(coin)
    tx_hash = floor.next_hash()
    makers: dict[int, RestingOrder] = {}
    for execution in executions:
        _book(floor, listing, execution, tx_hash, printed=printed, notes=notes)
        if execution.maker is not None:
            makers[execution.maker.oid] = execution.maker
    owners: dict[str, None] = {}
    for maker in makers.values():
        account = floor.accounts.get(maker.owner)
        if account is not None:
            owners[maker.owner] = None
            if not maker.sz and maker.oid in account.open:
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
    floor: Floor,
    listing: Listing,
    execution: Execution,
    tx_hash: str,
    *,
    printed: bool,
    notes: Notes | None,
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
            _outside(floor, listing, execution, crossed=crossed)
            continue
        if not crossed and not order.reduce_only:
            hold = account.clearing(listing.dex).hold(listing.coin)
            hold.add(order.side, -order.px * execution.sz)
        trade = _Trade(execution, tid, tx_hash, crossed, notes)
        _fill(floor, account, listing, order, trade)


def _outside(floor: Floor, listing: Listing, execution: Execution, *, crossed: bool) -> None:
    """What those who have no account here hold: cash and coins against the accounts'."""
    sign = execution.side.sign if crossed else -execution.side.sign
    coin = listing.coin
    floor.outside_usd[listing.dex] -= sign * execution.px * execution.sz
    floor.outside_sz[coin] = floor.outside_sz.get(coin, ZERO) + sign * execution.sz


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
    notional_usd = execution.px * execution.sz
    tally.day_usd += notional_usd
    count_venue(floor, notional_usd * volume_weight(listing))
    tally.day_sz += execution.sz


class _Trade(msgspec.Struct, frozen=True):
    """One side's view of an execution."""

    execution: Execution
    tid: int
    tx_hash: str
    crossed: bool
    notes: Notes | None


def _fill(
    floor: Floor, account: Account, listing: Listing, order: RestingOrder, trade: _Trade
) -> None:
    clearing, execution = account.clearing(listing.dex), trade.execution
    notional_usd = execution.px * execution.sz
    fee, builder_fee = ZERO, ZERO
    if trade.notes is None or not trade.notes.free:
        base = account_rate(floor, account, crossed=trade.crossed)
        fee = fee_usd(notional_usd, user_rate(base, listing))
        builder_fee = _builder_fee(account, order.oid, notional_usd)
    effect = clearing.fill(listing, order.side, execution.px, execution.sz)
    clearing.raw_usd -= fee + builder_fee
    floor.collected_usd[listing.dex] += fee + builder_fee
    count_volume(floor, account, notional_usd * volume_weight(listing), crossed=trade.crossed)
    count_open_interest(floor, listing.coin, effect.start_sz, clearing.szi(listing.coin))
    row = _fill_row(listing, order, execution, effect, fee + builder_fee)
    row |= {"time": floor.now_ms, "hash": trade.tx_hash}
    row |= {"crossed": trade.crossed, "tid": trade.tid}
    if builder_fee:
        row["builderFee"] = rows.number(builder_fee)
    if trade.notes is not None:
        row |= trade.notes.extra
        if trade.notes.direction is not None:
            row["dir"] = trade.notes.direction
    floor.tell_fill(account, row)
    floor.tell_change(account, listing.dex, orders=True, money=True)


def _builder_fee(account: Account, oid: int, notional_usd: Decimal) -> Decimal:
    record = account.known.get(oid)
    if record is None or record.fee is None:
        return ZERO
    return fee_usd(notional_usd, record.fee.tenths_bp * TENTH_BP)


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


def count_open_interest(floor: Floor, coin: Coin, start: Decimal, end: Decimal) -> None:
    tally = floor.tallies[coin]
    tally.long_sz += max(end, ZERO) - max(start, ZERO)
    tally.short_sz += max(-end, ZERO) - max(-start, ZERO)


def close_order(floor: Floor, account: Account, oid: int, status: str, sz: Decimal) -> OrderRecord:
    """An order of an account is over: out of its tables and its hold, with a row.

    The market no longer has it; ``sz`` remained of it. Its children live on only if it was filled.
    """
    record = account.open.pop(oid)
    order, listing = record.order, floor.listing(record.coin)
    if order.cloid is not None:
        account.live_cloids.pop(order.cloid, None)
    if floor.disarm(record.coin, oid):
        pass  # it stood beside the book: nothing was held for it
    elif order.reduce_only:
        account.reduce_only[record.coin].remove(oid)
    else:
        account.clearing(listing.dex).hold(record.coin).add(order.side, -order.px * sz)
    floor.tell_order(account, record, status, sz)
    floor.tell_change(account, listing.dex, orders=True, money=False)
    if record.children:
        _release(floor, account, record, status)
    return record


def _release(floor: Floor, account: Account, parent: OrderRecord, status: str) -> None:
    """A parent is over: its children are armed if it traded as far as it could, else cancelled."""
    partly = status == "marginCanceled" and parent.order.sz < parent.order.orig_sz
    for oid in parent.children:
        child = account.open.get(oid)
        if child is None or child.trigger is None:
            continue
        if status == "filled" or partly:
            child.trigger.waiting = False
        else:
            close_order(floor, account, oid, "canceled", child.order.sz)


def venue_cancel(floor: Floor, account: Account, oid: int, status: str) -> None:
    """The venue itself takes a resting order out (or the market already has)."""
    record = account.open[oid]
    floor.disturb(record.coin).cancel(oid)
    close_order(floor, account, oid, status, record.order.sz)
    floor.tell_venue_cancel(account, record)


def margin_cancels(floor: Floor) -> None:
    """Cancel the resting orders whose margin was not enough when they were to match."""
    failed, floor.margin_failed[:] = tuple(floor.margin_failed), ()
    for owner, oid in failed:
        account = floor.accounts[owner]
        if oid in account.open:
            venue_cancel(floor, account, oid, "marginCanceled")


def keep_reduce_only(floor: Floor, account: Account, listing: Listing) -> None:
    """Resting reduce-only orders never exceed the position: the older go, the last is trimmed."""
    _drop_triggers(floor, account, listing)
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


def _drop_triggers(floor: Floor, account: Account, listing: Listing) -> None:
    """Armed triggers go with the position they would close."""
    armed = floor.triggers.get(listing.coin)
    if not armed:
        return
    szi = account.clearing(listing.dex).szi(listing.coin)
    for oid in [oid for oid, owner in armed.items() if owner == account.address]:
        record = account.open.get(oid)
        if record is None or record.trigger is None or record.trigger.waiting:
            continue
        if szi * record.order.side.sign >= 0:
            sibling = record.trigger.group and record.trigger.group == floor.firing
            status = "siblingFilledCanceled" if sibling else "reduceOnlyCanceled"
            venue_cancel(floor, account, oid, status)
