"""Whether the API wallet may sign, and for how long: asked before anything is started."""

import contextlib
from typing import Final

from fleet.cli.failure import ExitCode, Failure
from fleet.cli.key import api_wallet
from fleet.cli.keys import DAY_MS, Agent, Role, verdict_of
from fleet.cli.network import Ask, read
from fleet.gateway.api import GatewayStatus
from fleet.manifests.spec import Account
from fleet.manifests.viability import WalletFacts

MEND: Final = "approve an API wallet for this account on the venue's API page, and use its key"


def signer(account: Account | None, key: str | None, status: GatewayStatus | None) -> str | None:
    """The address that signs: of the key that was read, else as the gateway says, else of the key
    that lies where the manifest says. None: it is not at hand, or paper. A keystore stays shut.
    """
    if account is None:
        return None
    if key is None and status is not None and status.key is not None:
        return status.key.address
    if key is None and account.api_wallet.keystore is None:
        with contextlib.suppress(Failure):
            key = api_wallet(account)
    if key is None:
        return None
    from agents.exchange.signing import address_of

    return address_of(bytes.fromhex(key)).lower()


def wallet(wire: Ask, account: Account, address: str, now_ms: int) -> WalletFacts:
    """What the venue says of the signer. Raises ``Unheard``."""
    role = read(wire, {"type": "userRole", "user": address}, Role)
    listed = read(wire, {"type": "extraAgents", "user": account.address}, tuple[Agent, ...])
    found = verdict_of(address, account.address, role, listed, now_ms)
    until_ms = found.valid_until_ms
    days = None if until_ms is None else (until_ms - now_ms) / DAY_MS
    return WalletFacts(address, valid=found.valid, why=found.why, days=days)


def refuse_invalid(found: WalletFacts | None) -> None:
    """Exit 3: the venue takes nothing that it signs."""
    if found is not None and not found.valid:
        raise Failure(ExitCode.INVALID, f"the API wallet may not sign: {found.why}", MEND)
