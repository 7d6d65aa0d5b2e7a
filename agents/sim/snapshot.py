"""The exchange's durable state as JSON-able data: out after a block, in before the first."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from agents.market.types import Coin
from agents.sim import rows
from agents.sim.accounts import (
    FILLS_KEPT,
    HISTORY_KEPT,
    STANDARD,
    Account,
    Agent,
    Daily,
    OrderRecord,
    Worth,
)
from agents.sim.clearing import ZERO, Clearing, Leverage, Position
from agents.sim.floor import Floor
from agents.sim.market import RestingOrder
from agents.sim.nonces import NonceWindow
from agents.sim.settle import close_order
from agents.sim.worth import SAMPLES_MAX

LISTS: Final[Mapping[str, int]] = {
    "fills": FILLS_KEPT,
    "history": HISTORY_KEPT,
    "ledger": HISTORY_KEPT,
    "fundings": HISTORY_KEPT,
    "worth": SAMPLES_MAX,
}
"""What grows row by row, and how many of the latest rows an account keeps."""


class _ClearingState(msgspec.Struct):
    raw_usd: Decimal
    positions: dict[Coin, Position]
    leverages: dict[Coin, Leverage]
    paid_usd: dict[Coin, Decimal] = {}


class _AccountState(msgspec.Struct):
    clearings: dict[str, _ClearingState]
    orders: list[OrderRecord]
    fills: list[dict[str, object]]
    volume_usd: Decimal
    requests: int
    cancel_at_ms: int | None
    schedules: tuple[int, int] = (0, 0)
    reserved: int = 0
    allowed_at_ms: int = 0
    spot: dict[str, Decimal] = {}
    history: list[dict[str, object]] = []
    ledger: list[dict[str, object]] = []
    fundings: list[dict[str, object]] = []
    daily: dict[int, Daily] = {}
    agents: list[tuple[str | None, str]] = []
    agent_removed_ms: int | None = None
    master: str | None = None
    name: str = ""
    subs: list[str] = []
    builders: dict[str, int] = {}
    deposited_usd: Decimal = ZERO
    perp_deposited_usd: Decimal = ZERO
    worth: list[Worth] = []
    abstraction: str = STANDARD
    liquidated_ms: dict[str, int] = {}


class _TallyState(msgspec.Struct):
    last_px: Decimal
    long_sz: Decimal
    short_sz: Decimal
    oracle_px: Decimal | None = None
    oracle_ms: int | None = None
    mark_px: Decimal | None = None
    basis: Decimal = ZERO
    local_ema: Decimal = ZERO
    cap_usd: Decimal | None = None
    prior_mark_px: Decimal | None = None
    premium_sum: Decimal = ZERO
    premium_count: int = 0
    funding: list[dict[str, object]] = []


class _State(msgspec.Struct):
    last_oid: int
    block_count: int
    now_ms: int
    accounts: dict[str, _AccountState]
    nonces: dict[str, list[int]]
    tallies: dict[Coin, _TallyState]
    collected_usd: dict[str, Decimal]
    outside_usd: dict[str, Decimal] = {}
    outside_sz: dict[str, Decimal] = {}
    deposited_usd: dict[str, Decimal] = {}
    withdrawn_usd: Decimal = ZERO
    daily_usd: dict[int, Decimal] = {}
    agents: dict[str, Agent] = {}
    halted: list[str] = []
    delisted: list[str] = []
    sampled_ms: int = 0
    worth_ms: int = 0


_ACCOUNT_FIELDS: Final = (
    "volume_usd", "requests", "cancel_at_ms", "schedules", "reserved", "allowed_at_ms", "spot",
    "daily", "agent_removed_ms", "master", "name", "subs", "builders", "abstraction",
    "liquidated_ms", "deposited_usd", "perp_deposited_usd",
)  # fmt: skip
_TALLY_FIELDS: Final = tuple(field for field in _TallyState.__struct_fields__ if field != "funding")


def dump(floor: Floor, users: Collection[str] | None = None) -> dict[str, object]:
    """Everything that must survive a restart; flow's orders and prints do not.

    ``users``: only what these accounts' block may have changed, for a journal to lay over what was
    before: their state without its ``LISTS``, their nonces, the tallies of the coins they hold with
    the last row of funding.
    """
    accounts, whole = floor.accounts, users is None
    coins = [*floor.tallies] if users is None else _coins(floor, users)
    state = _State(
        last_oid=floor.last_oid,
        block_count=floor.block_count,
        now_ms=floor.now_ms,
        accounts={
            address: _account(accounts[address], whole=whole)
            for address in (accounts if users is None else users)
            if address in accounts
        },
        nonces={
            signer: floor.nonces[signer].kept
            for signer in (floor.nonces if users is None else users)
            if signer in floor.nonces
        },
        tallies={
            coin: _TallyState(
                **{field: getattr(floor.tallies[coin], field) for field in _TALLY_FIELDS},
                funding=list(floor.tallies[coin].funding)[0 if whole else -1 :],
            )
            for coin in coins
        },
        collected_usd=floor.collected_usd,
        outside_usd=floor.outside_usd,
        outside_sz={str(coin): sz for coin, sz in floor.outside_sz.items()},
        deposited_usd=floor.deposited_usd,
        withdrawn_usd=floor.withdrawn_usd,
        daily_usd=floor.daily_usd,
        agents=floor.agents,
        halted=sorted(floor.halted),
        delisted=sorted(floor.delisted),
        sampled_ms=floor.sampled_ms,
        worth_ms=floor.worth_ms,
    )
    plain = msgspec.to_builtins(state, str_keys=True)
    assert isinstance(plain, dict)
    return plain


def _coins(floor: Floor, users: Iterable[str]) -> list[Coin]:
    """What any of these holds, or has held, in the order of the listing."""
    held = {
        coin
        for user in users
        if user in floor.accounts
        for clearing in floor.accounts[user].clearings.values()
        for coin in clearing.holds
    }
    return [coin for coin in floor.tallies if coin in held]


def _account(account: Account, *, whole: bool) -> _AccountState:
    return _AccountState(
        clearings={
            dex: _ClearingState(
                clearing.raw_usd, clearing.positions, clearing.leverages, clearing.paid_usd
            )
            for dex, clearing in account.clearings.items()
        },
        orders=list(account.open.values()),
        fills=list(account.fills) if whole else [],
        history=_history(account) if whole else [],
        worth=account.worth if whole else [],
        ledger=list(account.ledger) if whole else [],
        fundings=list(account.fundings) if whole else [],
        agents=list(account.agents.items()),
        **{field: getattr(account, field) for field in _ACCOUNT_FIELDS},
    )


def _history(account: Account) -> list[dict[str, object]]:
    since = [rows.history_row(event) for event in account.history]
    return [*account.past, *since][-LISTS["history"] :]


def load(floor: Floor, state: Mapping[str, object]) -> None:
    """Fill a fresh floor. Raises ValueError on another shape, or coins that are not listed.

    Orders rest again in the order they came; one that a tape would not let rest is cancelled.
    """
    assert not floor.accounts
    try:
        saved = msgspec.convert(state, type=_State, str_keys=True)
    except msgspec.ValidationError as error:
        raise ValueError(f"not a snapshot of an exchange: {error}") from error
    unlisted = {*saved.tallies} - {*floor.universe.listings}
    if unlisted:
        raise ValueError(f"the snapshot trades what is not listed: {', '.join(sorted(unlisted))}")
    floor.last_oid, floor.block_count = saved.last_oid, saved.block_count
    floor.open_block(saved.now_ms)
    floor.collected_usd.update(saved.collected_usd)
    floor.outside_usd.update(saved.outside_usd)
    floor.outside_sz.update({Coin(coin): sz for coin, sz in saved.outside_sz.items()})
    floor.deposited_usd.update(saved.deposited_usd)
    floor.daily_usd.update(saved.daily_usd)
    floor.withdrawn_usd, floor.sampled_ms = saved.withdrawn_usd, saved.sampled_ms
    floor.worth_ms = saved.worth_ms
    floor.agents.update(saved.agents)
    floor.halted.update(Coin(coin) for coin in saved.halted)
    floor.delisted.update(Coin(coin) for coin in saved.delisted)
    for coin, tally in saved.tallies.items():
        target = floor.tallies[coin]
        for field in _TALLY_FIELDS:
            setattr(target, field, getattr(tally, field))
        target.funding.extend(tally.funding)
    for signer, kept in saved.nonces.items():
        floor.nonces[signer] = NonceWindow(kept)
    for address, account in saved.accounts.items():
        _load_account(floor.account(address), account)
    records = (
        (owner, record)
        for owner in floor.accounts.values()
        for record in saved.accounts[owner.address].orders
    )
    for owner, record in sorted(records, key=lambda pair: _since(pair[1])):
        _rest(floor, owner, record)


def _since(record: OrderRecord) -> tuple[int, int]:
    """When an order came to rest: a fired trigger did so as it fired, others as they came."""
    fired = record.trigger is not None and record.tif is not None
    return record.status_ms if fired else record.order.placed_ms, record.order.oid


def _load_account(account: Account, saved: _AccountState) -> None:
    account.fills.extend(saved.fills)
    account.recall(saved.history)
    account.worth = saved.worth
    account.ledger.extend(saved.ledger)
    account.fundings.extend(saved.fundings)
    account.agents.update(saved.agents)
    for field in _ACCOUNT_FIELDS:
        setattr(account, field, getattr(saved, field))
    for dex, state in saved.clearings.items():
        clearing: Clearing = account.clearing(dex)
        clearing.raw_usd = state.raw_usd
        clearing.positions.update(state.positions)
        clearing.leverages.update(state.leverages)
        clearing.paid_usd.update(state.paid_usd)
        for coin in state.positions:
            clearing.hold(coin)


def _rest(floor: Floor, account: Account, record: OrderRecord) -> None:
    order: RestingOrder = record.order
    account.remember(record)
    account.open[order.oid] = record
    if order.cloid is not None:
        account.live_cloids[order.cloid] = order.oid
    if record.trigger is not None and record.tif is None:
        floor.arm(record.coin, order.oid, account.address)
        return
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
