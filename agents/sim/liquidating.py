"""Liquidation: equity below maintenance closes positions by market, backstop or deleveraging.

    equity < maintenance        into the book; above $100,000 a fifth first, then all within 30 s
    equity < 2/3 maintenance    to the backstop liquidator, margin included (cross assets)
    equity < 0                  against the most profitable of the other side, at the last mark

A shortfall that is left falls on the liquidator: money only moves. Source: protocol 9.6.
"""

from collections.abc import Sequence
from decimal import ROUND_UP, Decimal
from typing import Final

from agents.market.types import Coin, Side
from agents.sim import rows
from agents.sim.accounts import Account, OrderRecord
from agents.sim.clearing import ZERO, Clearing
from agents.sim.floor import Floor
from agents.sim.forced import close_against, forced_order
from agents.sim.settle import Notes, book_executions, keep_reduce_only, venue_cancel
from agents.sim.tiers import maintenance_usd

LARGE_USD: Final = Decimal(100_000)
FIRST_SHARE: Final = Decimal("0.2")
COOLDOWN_MS: Final = 30_000
BACKSTOP_SHARE: Final = Decimal(2) / 3
REACH_SHARE: Final = Decimal("0.1")


def liquidator(floor: Floor, dex: str) -> Account:
    """The backstop liquidator of a DEX: 0x4000... plus the DEX's index."""
    index = [each.name for each in floor.universe.dexes].index(dex)
    return floor.account(f"0x4{index:039x}")


def liquidate_due(floor: Floor) -> None:
    """Look at the accounts whose positions' marks moved or whose money changed, cross part first.

    An account that was liquidated in part is looked at again in the next block.
    """
    moved, changed = _moved(floor), frozenset(floor.unjudged)
    floor.unjudged.clear()
    if not moved and not changed:
        return
    for account in tuple(floor.accounts.values()):
        for dex, clearing in account.clearings.items():
            positions = clearing.positions
            if not positions or (account.address not in changed and moved.isdisjoint(positions)):
                continue
            if account is not floor.accounts.get(_backstop(floor, dex)):
                _judge(floor, account, dex, clearing)


def _moved(floor: Floor) -> set[Coin]:
    """The coins held by anyone whose mark is not that of the last look."""
    moved: set[Coin] = set()
    for coin, tally in floor.tallies.items():
        if tally.long_sz or tally.short_sz:
            mark_px = floor.mark_px(coin)
            if floor.judged_px.get(coin) != mark_px:
                floor.judged_px[coin] = mark_px
                moved.add(coin)
    return moved


def _backstop(floor: Floor, dex: str) -> str:
    return f"0x4{[each.name for each in floor.universe.dexes].index(dex):039x}"


def _judge(floor: Floor, account: Account, dex: str, clearing: Clearing) -> None:
    isolated = [coin for coin in clearing.positions if clearing.isolated(coin)]
    cross = [coin for coin in clearing.positions if not clearing.isolated(coin)]
    if cross and _equity_usd(floor, clearing, None) < _needed_usd(floor, clearing, cross):
        _liquidate(floor, account, dex, clearing, cross, None)
    for coin in isolated:
        if _equity_usd(floor, clearing, coin) < _needed_usd(floor, clearing, [coin]):
            _liquidate(floor, account, dex, clearing, [coin], coin)


def _equity_usd(floor: Floor, clearing: Clearing, isolated: Coin | None) -> Decimal:
    if isolated is None:
        return clearing.cross_equity_usd(floor.mark_px)
    position = clearing.positions[isolated]
    return position.raw_usd + position.szi * floor.mark_px(isolated)


def _needed_usd(floor: Floor, clearing: Clearing, coins: Sequence[Coin]) -> Decimal:
    return sum(
        (
            maintenance_usd(floor.listing(coin).spec, abs(clearing.szi(coin)) * floor.mark_px(coin))
            for coin in coins
        ),
        ZERO,
    )


def _liquidate(
    floor: Floor,
    account: Account,
    dex: str,
    clearing: Clearing,
    coins: list[Coin],
    isolated: Coin | None,
) -> None:
    floor.unjudged.add(account.address)
    _cancel_orders(floor, account, dex, clearing, isolated)
    equity_usd = _equity_usd(floor, clearing, isolated)
    needed_usd = _needed_usd(floor, clearing, coins)
    notional_usd = sum((abs(clearing.szi(c)) * floor.mark_px(c) for c in coins), ZERO)
    event: rows.Row = {"lid": floor.next_oid(), "liquidator": _backstop(floor, dex)}
    event |= {"liquidated_user": account.address, "liquidated_ntl_pos": rows.micro(notional_usd)}
    floor.tell_liquidation(account, event | {"liquidated_account_value": rows.micro(equity_usd)})
    for_itself = any(floor.listing(coin).isolated_only for coin in coins)
    if equity_usd < 0 or (for_itself and equity_usd < BACKSTOP_SHARE * needed_usd):
        for coin in coins:
            _deleverage(floor, account, coin)
        _cover(floor, account, dex, clearing)
    elif equity_usd < BACKSTOP_SHARE * needed_usd:
        _hand_over(floor, account, dex, coins, isolated)
    else:
        _to_market(floor, account, clearing, coins, isolated)


def _cancel_orders(
    floor: Floor, account: Account, dex: str, clearing: Clearing, isolated: Coin | None
) -> None:
    """Orders that bind the same margin go first: all cross ones of the DEX, or those of a coin."""
    for oid, record in tuple(account.open.items()):
        listing = floor.listing(record.coin)
        if oid not in account.open or listing.dex != dex:
            continue
        of_cross = isolated is None and not clearing.leverage(listing).isolated
        if of_cross or record.coin == isolated:
            venue_cancel(floor, account, oid, "liquidatedCanceled")


def _notes(floor: Floor, account: Account, coin: Coin, method: str) -> rows.Row:
    mark_px = rows.px_number(floor.mark_px(coin), floor.listing(coin))
    return {
        "liquidation": {
            "liquidatedUser": account.address, "markPx": mark_px, "method": method,
        },
    }  # fmt: skip


def _to_market(
    floor: Floor,
    account: Account,
    clearing: Clearing,
    coins: list[Coin],
    isolated: Coin | None,
) -> None:
    """Immediate orders into the book, largest position first, until the rest is safe."""
    worth = {coin: abs(clearing.szi(coin)) * floor.mark_px(coin) for coin in coins}
    for coin in sorted(coins, key=lambda each: -worth[each]):
        sz = abs(clearing.szi(coin))
        last_ms = account.liquidated_ms.get(coin)
        cooling = last_ms is not None and floor.now_ms < last_ms + COOLDOWN_MS
        if worth[coin] > LARGE_USD and not cooling:
            lot = Decimal(1).scaleb(-floor.listing(coin).spec.sz_decimals)
            sz = min(sz, (sz * FIRST_SHARE).quantize(lot, rounding=ROUND_UP))
        account.liquidated_ms[coin] = floor.now_ms
        _market_order(floor, account, coin, sz)
        left = [each for each in coins if each in clearing.positions]
        if not left:
            return
        if _equity_usd(floor, clearing, isolated) >= _needed_usd(floor, clearing, left):
            return


def _market_order(floor: Floor, account: Account, coin: Coin, sz: Decimal) -> None:
    listing = floor.listing(coin)
    side = Side.ASK if account.clearing(listing.dex).szi(coin) > 0 else Side.BID
    step = Decimal(1).scaleb(-listing.px_decimals)
    px = (floor.mark_px(coin) * (1 + side.sign * REACH_SHARE)).quantize(step)
    order = forced_order(floor, account.address, side, px, sz)
    record = OrderRecord(coin, order, "LiquidationMarket", "open", floor.now_ms, sz)
    notes = Notes(_notes(floor, account, coin, "market"))
    placement = floor.disturb(coin).place(order, floor.now_ms)
    floor.forget_mark(coin)
    if not placement.executions:
        return
    account.remember(record)
    floor.tell_order(account, record, "open", sz)
    book_executions(floor, coin, placement.executions, printed=True, notes=notes)
    floor.tell_order(account, record, "canceled" if order.sz else "filled", order.sz)
    keep_reduce_only(floor, account, listing)


def _hand_over(
    floor: Floor, account: Account, dex: str, coins: list[Coin], isolated: Coin | None
) -> None:
    """Positions at their marks and all the margin left go to the liquidator."""
    vault, clearing = liquidator(floor, dex), account.clearing(dex)
    left_usd = _equity_usd(floor, clearing, isolated)
    for coin in coins:
        notes = Notes(_notes(floor, account, coin, "backstop"), free=True)
        sz, mark_px = abs(clearing.szi(coin)), floor.mark_px(coin)
        close_against(floor, account, coin, sz, mark_px, vault, notes)
    clearing.raw_usd -= left_usd
    vault.clearing(dex).raw_usd += left_usd
    floor.tell_change(vault, dex, orders=False, money=True)


def _deleverage(floor: Floor, account: Account, coin: Coin) -> None:
    """Close against the other side at the mark before this one, the best off first."""
    listing = floor.listing(coin)
    dex, clearing = listing.dex, account.clearing(listing.dex)
    px = floor.tallies[coin].prior_mark_px or floor.mark_px(coin)
    notes = Notes({}, direction="Auto-Deleveraging", free=True)
    position = clearing.positions[coin]
    side = position.side
    isolated = clearing.isolated(coin)
    others = [
        each
        for each in floor.accounts.values()
        if each is not account and each.clearing(dex).szi(coin) * side.sign < 0
    ]
    others.sort(key=lambda each: _rank(floor, each, dex, coin), reverse=True)
    before_usd = position.raw_usd + position.szi * px if isolated else ZERO
    for other in others:
        left = abs(clearing.szi(coin))
        if not left:
            break
        sz = min(left, abs(other.clearing(dex).szi(coin)))
        close_against(floor, account, coin, sz, px, other, notes)
    if clearing.szi(coin):  # those outside hold the rest of the other side
        close_against(floor, account, coin, abs(clearing.szi(coin)), px, None, notes)
    if before_usd < 0:  # an isolated position never costs more than its own margin
        _shift(floor, account, dex, before_usd)


def _rank(floor: Floor, account: Account, dex: str, coin: Coin) -> Decimal:
    clearing = account.clearing(dex)
    position, mark_px = clearing.positions[coin], floor.mark_px(coin)
    equity_usd = clearing.cross_equity_usd(floor.mark_px)
    if clearing.isolated(coin):
        equity_usd = _equity_usd(floor, clearing, coin)
    gain = mark_px / position.entry_px
    if position.szi < 0:
        gain = 1 / gain
    return gain * abs(position.szi) * mark_px / max(equity_usd, Decimal(1))


def _cover(floor: Floor, account: Account, dex: str, clearing: Clearing) -> None:
    """A balance below zero with nothing left to close is the liquidator's loss."""
    if clearing.raw_usd < 0 and not any(not clearing.isolated(c) for c in clearing.positions):
        _shift(floor, account, dex, clearing.raw_usd)


def _shift(floor: Floor, account: Account, dex: str, usd: Decimal) -> None:
    account.clearing(dex).raw_usd -= usd
    vault = liquidator(floor, dex)
    vault.clearing(dex).raw_usd += usd
    floor.tell_change(vault, dex, orders=False, money=True)
