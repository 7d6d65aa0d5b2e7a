"""What an account is to the venue: sub-accounts, builders, requests bought, and its mode."""

from decimal import Decimal
from typing import Final

from agents.sim.accounts import STANDARD, Account
from agents.sim.actions import parse_address
from agents.sim.actions_account import (
    AgentSetAbstraction,
    ApproveBuilderFee,
    CreateSubAccount,
    ReserveRequestWeight,
    UserDexAbstraction,
    UserSetAbstraction,
)
from agents.sim.floor import Floor
from agents.sim.margins import withdrawable_usd
from agents.sim.rows import pseudo_address

REQUEST_USD: Final = Decimal("0.0005")
BUILDERS_MAX: Final = 10
BUILDER_FEE_MAX: Final = 100
BUILDER_RATE_MAX: Final = 1_000
TENTHS_BP_PER_PERCENT: Final = 1_000
NOT_ALLOWED: Final = "Abstraction transition not allowed"
MODES: Final = {"i": STANDARD, "u": "unifiedAccount", "p": "portfolioMargin"}


def create_sub_account(floor: Floor, account: Account, action: CreateSubAccount) -> str:
    """The new address. Raises ValueError with the venue's text where it refuses."""
    required_usd = floor.rules.sub_account_volume_usd
    if account.volume_usd < required_usd:
        text = "Cannot create sub-accounts until enough volume traded. "
        raise ValueError(f"{text}Required: ${required_usd}. Traded: ${account.volume_usd:.2f}.")
    if account.master is not None:
        raise ValueError("Sub-accounts cannot create sub-accounts.")
    address = pseudo_address(f"{account.address}:{len(account.subs)}")
    sub = floor.account(address)
    sub.master, sub.name = account.address, action.name
    account.subs.append(address)
    floor.tell_account(account)
    return address


def approve_builder_fee(floor: Floor, account: Account, action: ApproveBuilderFee) -> str | None:
    """Allow a builder a rate up to this one; zero takes it back."""
    tenths_bp = Decimal(action.max_fee_rate[:-1]) * TENTHS_BP_PER_PERCENT
    builder = parse_address(action.builder)
    if tenths_bp != int(tenths_bp) or tenths_bp > BUILDER_RATE_MAX:
        return "Builder fee rate is invalid."
    if not tenths_bp:
        account.builders.pop(builder, None)
    elif builder not in account.builders and len(account.builders) >= BUILDERS_MAX:
        return f"Too many builders approved. Limit is {BUILDERS_MAX}"
    else:
        account.builders[builder] = int(tenths_bp)
    floor.tell_account(account)
    return None


def reserve_requests(floor: Floor, account: Account, action: ReserveRequestWeight) -> str | None:
    """Buy requests, for oneself or for another, out of the main DEX's balance."""
    cost_usd = action.weight * REQUEST_USD
    target = account
    if action.destination is not None:
        found = floor.accounts.get(parse_address(action.destination))
        if found is None:
            return f"Must deposit before performing actions. User: {action.destination.lower()}"
        target = found
    if withdrawable_usd(floor, account.clearing("")) < cost_usd:
        return "Insufficient balance for withdrawal"
    account.clearing("").raw_usd -= cost_usd
    floor.collected_usd[""] += cost_usd
    target.reserved += action.weight
    floor.tell_change(account, "", orders=False, money=True)
    return None


def set_abstraction(
    floor: Floor,
    account: Account,
    action: UserSetAbstraction | AgentSetAbstraction | UserDexAbstraction,
) -> str | None:
    """Change the account's mode, or its sub-account's; only while nothing is open there.

    Trading needs the standard one.
    """
    if not isinstance(action, AgentSetAbstraction):
        user = parse_address(action.user)
        if user != account.address:
            if user not in account.subs:
                return NOT_ALLOWED
            account = floor.accounts[user]
    match action:
        case AgentSetAbstraction():
            mode = MODES[action.abstraction]
        case UserSetAbstraction():
            mode = action.abstraction
        case _:
            mode = "dexAbstraction" if action.enabled else STANDARD
    return _switch(floor, account, mode)


def enable_dex_abstraction(floor: Floor, account: Account) -> str | None:
    """The agent's way in; there is none back."""
    return (
        _switch(floor, account, "dexAbstraction")
        if account.abstraction == STANDARD
        else (NOT_ALLOWED)
    )


def _switch(floor: Floor, account: Account, mode: str) -> str | None:
    if mode == account.abstraction:
        return None
    if account.open or any(each.positions for each in account.clearings.values()):
        return NOT_ALLOWED
    account.abstraction = mode
    floor.tell_account(account)
    return None
