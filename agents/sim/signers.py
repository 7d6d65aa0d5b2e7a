"""Who may sign for whom: accounts for themselves, agents for masters, masters for their subs."""

import re
from typing import Final

from agents.sim.accounts import Account, Agent
from agents.sim.actions import Action, parse_address
from agents.sim.actions_account import ApproveAgent, UserSigned
from agents.sim.floor import Floor

NAMED_MAX: Final = 3
NAMED_PER_SUB: Final = 2
NAME_MAX: Final = 16
DAY_MS: Final = 86_400_000
LIFETIME_MS: Final = 90 * DAY_MS
LIFETIME_MAX_MS: Final = 180 * DAY_MS
LAZY_MS: Final = 15 * 60_000
"""How long after its end an agent may still work: expiry is enforced late."""
REMOVAL_MS: Final = 5_000
NOBODY: Final = "0x" + "0" * 40
_VALID_UNTIL: Final = re.compile(r"^(.*?) ?valid_until (\d{1,15})$")


class UnknownSigner(Exception):
    """Nobody the venue knows signed; the message is the venue's text."""


def known(floor: Floor, address: str) -> bool:
    """Whether an address is an account or has ever been an agent."""
    return address in floor.accounts or address in floor.agents


def principal(floor: Floor, signer: str, action: Action) -> Account:
    """The account that a signer acts for. Raises UnknownSigner.

    A user-signed action is its signer's own, whoever's agent that is.
    """
    account = floor.accounts.get(signer)
    if account is not None:
        return account
    if isinstance(action, UserSigned):
        raise UnknownSigner(f"Must deposit before performing actions. User: {signer}")
    agent = floor.agents.get(signer)
    if agent is None or (agent.removed and agent.name is None):
        raise UnknownSigner(f"User or API Wallet {signer} does not exist.")
    if agent.removed or floor.now_ms > agent.valid_until_ms + LAZY_MS:
        raise UnknownSigner(f"Must deposit before performing actions. User: {agent.master}")
    return floor.accounts[agent.master]


def on_behalf(floor: Floor, account: Account, vault: str | None) -> Account:
    """The sub-account named by an envelope, else the account. Raises UnknownSigner."""
    if vault is None or vault == account.address:
        return account
    sub = floor.accounts.get(vault)
    if sub is None or sub.master != account.address:
        raise UnknownSigner(f"Vault not registered: {vault}")
    return sub


def approve_agent(floor: Floor, account: Account, action: ApproveAgent) -> str | None:
    """Name, replace or remove an agent; the venue's text where it refuses."""
    name, valid_until_ms = _named(action.agent_name or "", floor.now_ms)
    address = parse_address(action.agent_address)
    if address == NOBODY:
        return _remove(floor, account, name)
    refusal = _refusal(floor, account, name, address, valid_until_ms)
    if refusal is not None:
        return refusal
    before = account.agents.get(name)
    if before is not None:
        floor.agents[before].removed = True
    account.agents[name] = address
    floor.agents[address] = Agent(account.address, name, valid_until_ms)
    floor.tell_account(account)
    return None


def _refusal(
    floor: Floor, account: Account, name: str | None, address: str, valid_until_ms: int
) -> str | None:
    removed_ms = account.agent_removed_ms
    if removed_ms is not None and floor.now_ms < removed_ms + REMOVAL_MS:
        return "User has pending agent removal"
    if not floor.now_ms < valid_until_ms <= floor.now_ms + LIFETIME_MAX_MS:
        return "Agent valid_until already expired."
    if known(floor, address):
        return "Extra agent already used."
    return None if name is None or name in account.agents else _unnameable(account, name)


def _unnameable(account: Account, name: str) -> str | None:
    if len(name) > NAME_MAX:
        return f"Agent name too long: at most {NAME_MAX} characters."
    named_max = NAMED_MAX + NAMED_PER_SUB * len(account.subs)
    if sum(each is not None for each in account.agents) < named_max:
        return None
    text = "Too many extra agents for cumulative volume traded."
    return f"{text} Current limit is {named_max}"


def _named(text: str, now_ms: int) -> tuple[str | None, int]:
    """Name and end of life; the end travels inside the name."""
    found = _VALID_UNTIL.match(text)
    if found is None:
        return text or None, now_ms + LIFETIME_MS
    return found[1] or None, int(found[2])


def _remove(floor: Floor, account: Account, name: str | None) -> str | None:
    address = account.agents.pop(name, None)
    if address is not None:
        floor.agents[address].removed = True
        account.agent_removed_ms = floor.now_ms
        floor.tell_account(account)
    return None


def extra_agents(floor: Floor, account: Account) -> list[dict[str, object]]:
    """The named agents in the order of their approval; the unnamed one is never listed."""
    return [
        {"name": name, "address": address, "validUntil": floor.agents[address].valid_until_ms}
        for name, address in account.agents.items()
        if name is not None
    ]


def role(floor: Floor, address: str) -> dict[str, object]:
    """The ``userRole`` answer."""
    account, agent = floor.accounts.get(address), floor.agents.get(address)
    if account is not None:
        if account.master is None:
            return {"role": "user"}
        return {"role": "subAccount", "data": {"master": account.master}}
    if agent is not None and not agent.removed:
        return {"role": "agent", "data": {"user": agent.master}}
    return {"role": "missing"}
