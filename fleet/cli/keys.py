"""``fleet keys MANIFEST``: may the API wallet sign for the account, and until when; ``--rotate``.

The key is read where the manifest says, its address is asked of the network, nothing is shown of
it but that. To rotate: approve a new API wallet on the venue's page, put its key where the
manifest says, then ``fleet keys MANIFEST --rotate``: guard and gateway take it over one after the
other, agents go on under their leases, resting orders rest.
"""

import time
from pathlib import Path
from typing import Any, Final

import msgspec

from fleet import guards, processes
from fleet.cli.console import Output, put, put_json, say
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import identity
from fleet.cli.network import URLS, Unheard, Wire, read
from fleet.cli.said import note
from fleet.cli.validate import load_or_fail
from fleet.folder import Folder
from fleet.manifests.spec import Account, FleetSpec

DAY_MS: Final = 86_400_000
SOON_DAYS: Final = 14
STOP_S: Final = 10.0
BACK_S: Final = 20.0


class Agent(msgspec.Struct, frozen=True, rename="camel"):
    """One row of ``extraAgents``; the unnamed agent is never listed."""

    name: str
    address: str
    valid_until: int | None = None


class _RoleData(msgspec.Struct, frozen=True):
    user: str = ""


class Role(msgspec.Struct, frozen=True):
    """The answer to ``userRole``."""

    role: str
    data: _RoleData = _RoleData()


class Verdict(msgspec.Struct, frozen=True):
    """Whether a key may sign. ``why``: one line; ``mend`` where something is to be done."""

    address: str
    valid: bool
    why: str
    mend: str = ""
    name: str | None = None
    valid_until_ms: int | None = None


def run(path: Path, output: Output, *, rotate: bool) -> None:
    spec = load_or_fail(path)
    if spec.account is None:
        _paper(spec, output, rotate=rotate)
        return
    from fleet.cli.key import api_wallet, halt_wallet

    key, own = api_wallet(spec.account), halt_wallet(spec.account)
    now_ms = time.time_ns() // 1_000_000
    verdict = judged(spec, spec.account, key, now_ms)
    spare = None if own is None else _apart(judged(spec, spec.account, own, now_ms), verdict)
    if rotate and verdict.valid:
        _rotate(Folder.of(spec.fleet), key)
        note(Folder.of(spec.fleet), "keys --rotate", verdict.address)
    if output == "json":
        told = msgspec.structs.asdict(verdict)
        put_json(
            {"fleet": spec.fleet, "account": spec.account.address, **told, "rotated": rotate,
             "halt_wallet": spare and msgspec.structs.asdict(spare)}
        )  # fmt: skip
    else:
        _put("", verdict)
        _put("  halt --direct", spare)
    for what, found in (("API", verdict), ("halt", spare)):
        if found is not None and not found.valid:
            text = f"the {what} wallet may not sign: {found.why}"
            raise Failure(ExitCode.INVALID, text, found.mend)


def _put(what: str, found: Verdict | None) -> None:
    if found is not None:
        put(f"{found.address}{what}  {'valid' if found.valid else 'NOT VALID'}: {found.why}")


def _apart(spare: Verdict, wallet: Verdict) -> Verdict:
    """The halt wallet is worth having only as another signer."""
    if spare.address != wallet.address:
        return spare
    why = "it is the API wallet itself, so that two processes would share nonces"
    mend = "approve another API wallet and put its key where halt_wallet says, or leave it out"
    return Verdict(spare.address, valid=False, why=why, mend=mend)


def _paper(spec: FleetSpec, output: Output, *, rotate: bool) -> None:
    if rotate:
        text = "a paper account has one key, drawn at its first apply"
        raise Failure(ExitCode.INVALID, f"--rotate: {text}", "leave it out")
    known = identity(Folder.of(spec.fleet))
    address = known.address if known else None
    if output == "json":
        put_json({"fleet": spec.fleet, "account": address, "valid": True, "why": "paper"})
    else:
        put(f"{address or 'not drawn yet'}  valid: the paper account signs for itself")


def judged(spec: FleetSpec, account: Account, key: str, now_ms: int) -> Verdict:
    """What the network says of the key's address; exit 7 where it is out of reach."""
    from agents.exchange.signing import address_of

    address = address_of(bytes.fromhex(key)).lower()
    wire = Wire(URLS[spec.network])
    try:
        role = read(wire, {"type": "userRole", "user": address}, Role)
        listed = read(wire, {"type": "extraAgents", "user": account.address}, tuple[Agent, ...])
    except Unheard as error:
        mend = "check this machine's network and try again"
        text = f"{spec.network} is out of reach: {error}"
        raise Failure(ExitCode.OUT_OF_REACH, text, mend) from None
    finally:
        wire.close()
    return verdict_of(address, account.address, role, listed, now_ms)


def verdict_of(
    address: str, master: str, role: Role, listed: tuple[Agent, ...], now_ms: int
) -> Verdict:
    approve = "approve an API wallet for this account on the venue's API page, and use its key"
    row = next((agent for agent in listed if agent.address.lower() == address), None)
    if role.role != "agent" or role.data.user.lower() != master:
        whose = f"is an agent of {role.data.user}" if role.role == "agent" else f"is {role.role}"
        return Verdict(address, valid=False, why=f"it {whose} at the venue", mend=approve)
    if row is None:
        text = "the account's unnamed agent; its end is not told"
        return Verdict(address, valid=True, why=text)
    until_ms = row.valid_until
    named: dict[str, Any] = {"name": row.name, "valid_until_ms": until_ms}
    if until_ms is None:
        return Verdict(address, valid=True, why=f"agent {row.name}, without an end", **named)
    days = (until_ms - now_ms) / DAY_MS
    if days <= 0:
        text = f"agent {row.name} ended {-days:.0f} days ago"
        return Verdict(address, valid=False, why=text, mend=approve, **named)
    soon = f": {approve}, then fleet keys MANIFEST --rotate" if days < SOON_DAYS else ""
    text = f"agent {row.name} for {days:.0f} days more{soon}"
    return Verdict(address, valid=True, why=text, **named)


def _rotate(folder: Folder, key: str) -> None:
    """The guard first, which gets the new key; then the gateway, which it starts with it."""
    if processes.alive(folder, "guard") is None:
        say("no guard runs: the next apply takes this key")
        return
    try:
        guards.dismiss_guard(folder)
        guards.spawn_guard(folder, key)
        old = processes.alive(folder, "gateway")
        processes.stop(folder, "gateway", STOP_S)
    except (guards.AccountLocked, guards.GuardFailed) as error:
        mend = "run fleet apply MANIFEST, which starts what is missing"
        raise Failure(ExitCode.NOT_CONVERGED, str(error), mend) from None
    deadline_s = time.monotonic() + BACK_S
    while processes.alive(folder, "gateway") in {None, old}:
        if time.monotonic() > deadline_s:
            text = "the gateway did not come back with the new key"
            raise Failure(ExitCode.NOT_CONVERGED, text, "see: fleet logs gateway")
        time.sleep(0.1)
    say("guard and gateway sign with the new key")
