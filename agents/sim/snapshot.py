"""The exchange's durable state as JSON-able data: out after a block, in before the first."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from agents.market.types import Coin
from agents.sim.accounts import Account, OrderRecord
from agents.sim.clearing import Clearing, Leverage, Position
from agents.sim.floor import Floor
from agents.sim.market import RestingOrder
from agents.sim.nonces import NonceWindow
from agents.sim.settle import close_order

FILLS_SAVED: Final = 2_000


class _ClearingState(msgspec.Struct):
    raw_usd: Decimal
    positions: dict[Coin, Position]
    leverages: dict[Coin, Leverage]


class _AccountState(msgspec.Struct):
    clearings: dict[str, _ClearingState]
    orders: list[OrderRecord]
    fills: list[dict[str, object]]
    volume_usd: Decimal
    requests: int
    cancel_at_ms: int | None


class _TallyState(msgspec.Struct):
    last_px: Decimal
    long_sz: Decimal
    short_sz: Decimal


class _State(msgspec.Struct):
    last_oid: int
    block_count: int
    now_ms: int
    accounts: dict[str, _AccountState]
    nonces: dict[str, list[int]]
    tallies: dict[Coin, _TallyState]
    collected_usd: dict[str, Decimal]


def dump(floor: Floor, users: Collection[str] | None = None) -> dict[str, object]:
    """Everything that must survive a restart; flow's orders and prints do not.

    ``users``: of the accounts only these, without their fills: what a journal adds block by block.
    """
    accounts = floor.accounts
    fills_saved = FILLS_SAVED if users is None else 0
    state = _State(
        last_oid=floor.last_oid,
        block_count=floor.block_count,
        now_ms=floor.now_ms,
        accounts={
            address: _account(accounts[address], fills_saved)
            for address in (accounts if users is None else users)
            if address in accounts
        },
        nonces={signer: window.kept for signer, window in floor.nonces.items()},
        tallies={
            coin: _TallyState(tally.last_px, tally.long_sz, tally.short_sz)
            for coin, tally in floor.tallies.items()
        },
        collected_usd=floor.collected_usd,
    )
    plain = msgspec.to_builtins(state)
    assert isinstance(plain, dict)
    return plain


def _account(account: Account, fills_saved: int) -> _AccountState:
    return _AccountState(
        clearings={
            dex: _ClearingState(clearing.raw_usd, clearing.positions, clearing.leverages)
            for dex, clearing in account.clearings.items()
        },
        orders=list(account.open.values()),
        fills=list(account.fills)[-fills_saved:] if fills_saved else [],
        volume_usd=account.volume_usd,
        requests=account.requests,
        cancel_at_ms=account.cancel_at_ms,
    )


def load(floor: Floor, state: Mapping[str, object]) -> None:
    """Fill a fresh floor. Raises ValueError on another shape, or coins that are not listed.

    Orders rest again in the order of their ids; one that a tape would not let rest is cancelled.
    """
    assert not floor.accounts
    try:
        saved = msgspec.convert(state, type=_State)
    except msgspec.ValidationError as error:
        raise ValueError(f"not a snapshot of an exchange: {error}") from error
    unlisted = {*saved.tallies} - {*floor.universe.listings}
    if unlisted:
        raise ValueError(f"the snapshot trades what is not listed: {', '.join(sorted(unlisted))}")
    floor.last_oid, floor.block_count = saved.last_oid, saved.block_count
    floor.open_block(saved.now_ms)
    floor.collected_usd.update(saved.collected_usd)
    for coin, tally in saved.tallies.items():
        target = floor.tallies[coin]
        target.last_px, target.long_sz, target.short_sz = (
            tally.last_px,
            tally.long_sz,
            tally.short_sz,
        )
    for signer, kept in saved.nonces.items():
        floor.nonces[signer] = NonceWindow(kept)
    for address, account in saved.accounts.items():
        _load_account(floor.account(address), account)
    records = (
        (owner, record)
        for owner in floor.accounts.values()
        for record in saved.accounts[owner.address].orders
    )
    for owner, record in sorted(records, key=lambda pair: pair[1].order.oid):
        _rest(floor, owner, record)


def _load_account(account: Account, saved: _AccountState) -> None:
    account.fills.extend(saved.fills)
    account.volume_usd, account.requests = saved.volume_usd, saved.requests
    account.cancel_at_ms = saved.cancel_at_ms
    for dex, state in saved.clearings.items():
        clearing: Clearing = account.clearing(dex)
        clearing.raw_usd = state.raw_usd
        clearing.positions.update(state.positions)
        clearing.leverages.update(state.leverages)
        for coin in state.positions:
            clearing.hold(coin)


def _rest(floor: Floor, account: Account, record: OrderRecord) -> None:
    order: RestingOrder = record.order
    account.remember(record)
    account.open[order.oid] = record
    if order.cloid is not None:
        account.live_cloids[order.cloid] = order.oid
    if order.reduce_only:
        account.reduce_only.setdefault(record.coin, []).append(order.oid)
    else:
        clearing = account.clearing(floor.listing(record.coin).dex)
        clearing.hold(record.coin).add(order.side, order.px * order.sz)
    tif, order.tif = order.tif, "Alo"  # it rested: it must not trade on its way back
    placement = floor.disturb(record.coin).place(order, floor.now_ms)
    order.tif = tif
    if not placement.resting:
        close_order(floor, account, order.oid, "canceled", order.sz)
