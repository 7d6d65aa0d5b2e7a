"""What a fleet's folder must hold before its processes start: identity, token, venue, guard."""

import secrets
import time
from typing import Any, Final

import msgspec

from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import Identity, identity
from fleet.cli.key import write_private
from fleet.cli.network import URLS
from fleet.folder import Folder
from fleet.manifests.spec import FleetSpec, PaperSpec

LIMITS: Final = {"all": "on", "account": "account", "none": "off"}
FUND_MIN_USD: Final = 10_000
FUND_PER_MARGIN: Final = 2
"""The paper account gets, on every DEX, this multiple of all margins."""


def check_identity(folder: Folder, spec: FleetSpec) -> Identity | None:
    """The fleet's identity, if it has one; exit 3 if the manifest means another fleet by the name.

    An account that changed under a running name would mix two accounts' P&L and orders.
    """
    known = identity(folder)
    if known is None:
        return None
    address = spec.account.address if spec.account else known.address
    for what, ours, wanted in (
        ("network", known.network, spec.network),
        ("account", known.address, address),
    ):
        if ours != wanted:
            text = f"fleet {spec.fleet} exists with {what} {ours}, the manifest says {wanted}"
            mend = f"give it another name (fleet: NAME), or remove {folder.root}"
            raise Failure(ExitCode.INVALID, text, mend)
    return known


def prepare(folder: Folder, spec: FleetSpec, address: str) -> None:
    """Write what is missing; what is there stays. The folder exists already."""
    if not folder.fleet_json.exists():
        known = Identity(
            schema="fleet/1",
            fleet=spec.fleet,
            network=spec.network,
            address=address,
            instance=secrets.token_hex(3),
            created_ms=time.time_ns() // 1_000_000,
        )
        write_private(folder.fleet_json, msgspec.json.encode(known).decode())
    if not folder.token.exists():
        write_private(folder.token, secrets.token_hex(32))
    on_paper = spec.paper is not None
    guard = {"network": spec.network, "url": URLS.get(spec.network), "venue": on_paper}
    write_private(folder.root / "guard.json", msgspec.json.encode(guard).decode())
    if spec.paper is not None:
        margins_usd = sum(settings.margin_usd for settings in spec.markets.values())
        fund_usd = max(FUND_MIN_USD, round(FUND_PER_MARGIN * margins_usd))
        config = {**_venue(spec.paper), "fund": {address: fund_usd}, "end": "silent"}
        write_private(folder.venue / "config.json", msgspec.json.encode(config).decode())


def _venue(paper: PaperSpec) -> dict[str, Any]:
    told = {key: value for key, value in msgspec.to_builtins(paper).items() if value is not None}
    return {**told, "limits": LIMITS[paper.limits]}


def check_venue(folder: Folder, spec: FleetSpec) -> None:
    """Exit 3 if the running venue was set up otherwise: it takes its options only when started."""
    path = folder.venue / "config.json"
    if spec.paper is None or not path.exists():
        return
    running = msgspec.json.decode(path.read_bytes())
    wanted = _venue(spec.paper)
    changed = [key for key in PaperSpec.__struct_fields__ if running.get(key) != wanted.get(key)]
    if changed:
        text = f"paper.{changed[0]} changed, and the embedded exchange runs"
        raise Failure(ExitCode.INVALID, text, "it changes with a restart: fleet down, then apply")
