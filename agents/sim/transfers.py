"""Moving collateral: between DEXs and spot, to other addresses and sub-accounts, and out."""

from decimal import Decimal
from typing import Final

from agents.sim.accounts import STANDARD, Account
from agents.sim.actions import parse_address
from agents.sim.actions_account import (
    AgentSendAsset,
    SendAsset,
    SpotSend,
    SubAccountSpotTransfer,
    SubAccountTransfer,
    UsdClassTransfer,
    UsdSend,
    Withdraw,
)
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor
from agents.sim.margins import withdrawable_usd
from agents.sim.rows import Row, number
from agents.sim.universe import TOKEN_INDEX

SPOT: Final = "spot"
WITHDRAWAL_FEE_USD: Final = Decimal(1)
PERP_DECIMALS: Final = 6
SPOT_DECIMALS: Final = 8
INVALID: Final = "Invalid send"
SHORT_TRANSFER: Final = "Insufficient balance for token transfer"
SHORT_WITHDRAWAL: Final = "Insufficient balance for withdrawal"


def usd_class_transfer(floor: Floor, account: Account, action: UsdClassTransfer) -> str | None:
    """USDC between spot and the main perp DEX, of the account or of its sub-account."""
    text, _, sub = action.amount.partition(" subaccount:")
    owner = account if not sub else floor.accounts.get(parse_address(sub))
    if owner is None or (sub and owner.master != account.address):
        return _not_registered(sub, account)
    if owner.abstraction != STANDARD:
        return "Action disabled when unified account is active"
    source, target = (SPOT, "") if action.to_perp else ("", SPOT)
    refusal = _move(floor, owner, source, owner, target, "USDC", Decimal(text))
    if refusal is None:
        amount_usd = number(Decimal(text))
        note(
            floor,
            owner,
            {"type": "accountClassTransfer", "usdc": amount_usd} | {"toPerp": action.to_perp},
        )
    return refusal


def send_asset(floor: Floor, account: Account, action: SendAsset | AgentSendAsset) -> str | None:
    """A collateral token between DEXs, spot and addresses; an agent's only within the family."""
    source, destination = account, parse_address(action.destination)
    if action.from_sub_account:
        sub = floor.accounts.get(parse_address(action.from_sub_account))
        if sub is None or sub.master != account.address:
            return _not_registered(action.from_sub_account, account)
        source = sub
    if isinstance(action, AgentSendAsset) and destination not in _family(floor, account):
        return "Agent can only send asset to same user or their sub-accounts."
    if destination == source.address and action.source_dex == action.destination_dex:
        return INVALID
    token = action.token.partition(":")[0]
    target = floor.accounts.get(destination) or Account(destination)
    amount = Decimal(action.amount)
    refusal = _move(floor, source, action.source_dex, target, action.destination_dex, token, amount)
    if refusal is not None:
        return refusal
    delta: Row = {
        "type": "send",
        "user": source.address,
        "destination": destination,
        "sourceDex": action.source_dex,
        "destinationDex": action.destination_dex,
        "token": token,
        "amount": number(amount),
        "usdcValue": number(amount),
        "fee": "0.0",
        "nativeTokenFee": "0.0",
        "nonce": action.nonce,
        "feeToken": "",
    }
    note(floor, source, delta)
    if target is not source:
        note(floor, target, delta)
    return None


def usd_send(floor: Floor, account: Account, action: UsdSend) -> str | None:
    """USDC from the account's main perp DEX to another's."""
    destination = parse_address(action.destination)
    target = floor.accounts.get(destination) or Account(destination)
    if target is account:
        return INVALID
    amount = Decimal(action.amount)
    refusal = _move(floor, account, "", target, "", "USDC", amount)
    if refusal is not None:
        return SHORT_WITHDRAWAL if refusal == SHORT_TRANSFER else refusal
    delta: Row = {"type": "internalTransfer", "usdc": number(amount)}
    delta |= {"user": account.address, "destination": destination, "fee": "0.0"}
    note(floor, account, delta)
    note(floor, target, delta)
    return None


def spot_send(floor: Floor, account: Account, action: SpotSend) -> str | None:
    """A token from the account's spot balance to another's."""
    destination, token = parse_address(action.destination), action.token.partition(":")[0]
    target = floor.accounts.get(destination) or Account(destination)
    if target is account:
        return INVALID
    amount = Decimal(action.amount)
    refusal = _move(floor, account, SPOT, target, SPOT, token, amount)
    if refusal is not None:
        return refusal
    delta: Row = {"type": "spotTransfer", "token": token, "amount": number(amount)}
    delta |= {"usdcValue": number(amount), "user": account.address, "destination": destination}
    delta |= {"fee": "0.0", "nativeTokenFee": "0.0", "nonce": action.time, "feeToken": ""}
    note(floor, account, delta)
    note(floor, target, delta)
    return None


def withdraw(floor: Floor, account: Account, action: Withdraw) -> str | None:
    """USDC out of the venue; its fee of one dollar is part of the amount."""
    amount = Decimal(action.amount)
    if amount <= WITHDRAWAL_FEE_USD or _too_fine(amount, PERP_DECIMALS):
        return SHORT_WITHDRAWAL
    if not _take(floor, account, "", "USDC", amount):
        return SHORT_WITHDRAWAL
    floor.withdrawn_usd += amount
    delta: Row = {"type": "withdraw", "usdc": number(amount - WITHDRAWAL_FEE_USD)}
    note(floor, account, delta | {"nonce": action.time, "fee": number(WITHDRAWAL_FEE_USD)})
    return None


def sub_account_transfer(
    floor: Floor, account: Account, action: SubAccountTransfer | SubAccountSpotTransfer
) -> str | None:
    """USD of the main perp DEX, or a spot token, between master and sub-account."""
    sub = floor.accounts.get(parse_address(action.sub_account_user))
    ends = (account, sub) if action.is_deposit else (sub, account)
    if sub is None or sub.master != account.address or ends[0] is None or ends[1] is None:
        pair = [account.address, parse_address(action.sub_account_user)]
        source, target = pair if action.is_deposit else pair[::-1]
        return f"Invalid sub-account transfer from {source} to {target}"
    if isinstance(action, SubAccountTransfer):
        dex, token, amount = "", "USDC", Decimal(action.usd).scaleb(-PERP_DECIMALS)
    else:
        dex, token = SPOT, action.token.partition(":")[0]
        amount = Decimal(action.amount)
    refusal = _move(floor, ends[0], dex, ends[1], dex, token, amount)
    if refusal is not None:
        return refusal
    delta: Row = {"type": "subAccountTransfer", "usdc": number(amount)}
    delta |= {"user": ends[0].address, "destination": ends[1].address}
    for owner in ends:
        assert owner is not None
        note(floor, owner, delta)
    return None


def _move(
    floor: Floor,
    source: Account,
    source_dex: str,
    target: Account,
    target_dex: str,
    token: str,
    amount: Decimal,
) -> str | None:
    """Take and put, or say why not; nothing changes then."""
    if amount <= 0 or token not in TOKEN_INDEX:
        return INVALID
    for dex in (source_dex, target_dex):
        if dex == SPOT:
            if _too_fine(amount, SPOT_DECIMALS):
                return INVALID
            continue
        listed = floor.universe.by_dex.get(dex)
        if listed is None or listed.token != token or _too_fine(amount, PERP_DECIMALS):
            return INVALID
    if not _take(floor, source, source_dex, token, amount):
        return SHORT_TRANSFER
    floor.accounts.setdefault(target.address, target)
    _put(floor, target, target_dex, token, amount)
    return None


def _take(floor: Floor, account: Account, dex: str, token: str, amount: Decimal) -> bool:
    """Out of the free balance; False where it holds less."""
    if dex == SPOT:
        if account.spot.get(token, ZERO) < amount:
            return False
        _put(floor, account, dex, token, -amount)
        return True
    if withdrawable_usd(floor, account.clearing(dex)) < amount:
        return False
    _put(floor, account, dex, token, -amount)
    return True


def _put(floor: Floor, account: Account, dex: str, token: str, amount: Decimal) -> None:
    account.deposited_usd += amount
    if dex == SPOT:
        account.spot[token] = account.spot.get(token, ZERO) + amount
        floor.tell_account(account)
    else:
        account.perp_deposited_usd += amount
        account.clearing(dex).raw_usd += amount
        floor.tell_change(account, dex, orders=False, money=True)


def _too_fine(amount: Decimal, decimals: int) -> bool:
    return amount != round(amount, decimals)


def _family(floor: Floor, account: Account) -> set[str]:
    master = floor.accounts[account.master] if account.master is not None else account
    return {account.address, master.address, *master.subs}


def _not_registered(sub: str, account: Account) -> str:
    return f"Sub-account {sub.lower()} is not registered to {account.address}"


def note(floor: Floor, account: Account, delta: Row) -> None:
    """One row of ``userNonFundingLedgerUpdates``."""
    floor.tell_ledger(account, {"time": floor.now_ms, "hash": floor.next_hash(), "delta": delta})


def deposit(floor: Floor, account: Account, usd: Decimal) -> None:
    """Money from outside the venue, before it opens: so much on every DEX, in its collateral.

    The row of its ledger is no news to anybody: it is part of what the venue begins with.
    """
    for dex in floor.universe.dexes:
        _put(floor, account, dex.name, dex.token, usd)
        floor.deposited_usd[dex.name] += usd
    delta: Row = {"type": "deposit", "usdc": number(usd * len(floor.universe.dexes))}
    account.ledger.append({"time": floor.now_ms, "hash": floor.next_hash(), "delta": delta})
