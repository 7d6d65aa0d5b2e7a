"""The last resort, and ``fleet halt --direct``: latch, cancel, prove, with no other process's help.

    python -m fleet.gateway.direct --folder PATH [--reason TEXT] [--by WHO] [--all] [--own-wallet]

The key comes as hex on stdin, one line. The latch is on the disk before anything else is tried;
a gateway that lives looks at it before each signature, and one that does not say so is killed
(``direct_beside``). Then everything of ours is cancelled by
the venue's own lists, on every DEX, and what the action log shows as sent and unanswered is voided
or waited for. The last line on stdout is the halt's report.
Exit codes: 0 proven, 3 key or files, 4 not proven in time, 7 the venue was never reached.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from agents.exchange.errors import ExchangeError
from agents.exchange.signing import L1Signer
from fleet.build import BUILD
from fleet.folder import Folder
from fleet.gateway.api import HaltRequest, LatchView
from fleet.gateway.core.state import Identity, State
from fleet.gateway.direct_beside import Beside
from fleet.gateway.direct_shell import Late, Shell
from fleet.gateway.hardening import harden
from fleet.gateway.log import ActionLog
from fleet.gateway.recover import restore
from fleet.gateway.store import Store

EXIT_INVALID: Final = 3
EXIT_UNPROVEN: Final = 4
EXIT_UNREACHABLE: Final = 7
PATIENCE_S: Final = 90.0
"""The venue gives back a minute's weight within a minute; after that there is time to prove it."""
_KEY_CHARS_MAX: Final = 256


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="fleet.gateway.direct", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--reason", default="halt --direct")
    parser.add_argument("--by", default="direct")
    parser.add_argument("--all", action="store_true", help="foreign orders too")
    parser.add_argument("--own-wallet", action="store_true", help="the key is not the gateway's")
    parser.add_argument("--patience-s", type=float, default=PATIENCE_S)
    options = parser.parse_args(argv)
    harden()
    folder = Folder(options.folder)
    if not folder.fleet_json.exists():
        return _refuse(f"{folder.root} is no fleet's folder", EXIT_INVALID)
    store = Store(folder)
    request = HaltRequest(reason=options.reason, by=options.by, all=options.all)
    latched = _latch(store, request)
    try:
        identity, signer = _identity(folder, store)
    except ValueError as error:
        return _refuse(f"{error}; {latched}", EXIT_INVALID)
    beside, late = Beside(folder, _say), Late(folder.actions)
    shell = Shell(_state(identity, store, folder), signer, late, beside, _say)
    shell.voids = not options.own_wallet
    try:
        report = asyncio.run(shell.run(request, options.patience_s))
    except ExchangeError as error:
        return _refuse(f"{error}; {latched}", EXIT_UNREACHABLE)
    report = msgspec.structs.replace(report, halted=store.latched())
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    return 0 if report.flat_of_orders and report.halted else EXIT_UNPROVEN


def _latch(store: Store, request: HaltRequest) -> str:
    """Set it, unless it is; what to tell about it. A disk that takes no file ends nothing here."""
    if store.latched():
        return "the fleet was latched already"
    at_ms = time.time_ns() // 1_000_000
    try:
        store.keep_latch(LatchView(reason=request.reason, by=request.by, at_ms=at_ms))
    except OSError as error:
        _say(f"the latch {store.halt_path} can't be written: {error}")
        return "the latch could NOT be written"
    return "the fleet is latched"


def _identity(folder: Folder, store: Store) -> tuple[Identity, L1Signer]:
    """ValueError says what is missing, and never what came as a key."""
    try:
        fleet = store.fleet()
    except (OSError, msgspec.MsgspecError) as error:
        raise ValueError(f"{folder.fleet_json}: {error}") from None
    text = sys.stdin.readline(_KEY_CHARS_MAX).strip().removeprefix("0x")
    try:
        signer = L1Signer(bytes.fromhex(text), mainnet=fleet.network == "mainnet")
    except ValueError:
        raise ValueError("what came on stdin is no private key (64 hex digits)") from None
    identity = Identity(
        fleet=fleet.fleet, network=fleet.network, url=_url(folder),
        address=fleet.address.lower() or signer.address, instance=fleet.instance, build=BUILD,
        token="", created_ms=fleet.created_ms,
    )  # fmt: skip
    return identity, signer


def _url(folder: Folder) -> str:
    """The network's, as ``fleet apply`` wrote it for the guard, or the embedded venue's."""
    for path in (folder.root / "guard.json", folder.venue / "endpoint.json"):
        try:
            url = json.loads(path.read_text())["url"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if url:
            return str(url).rstrip("/")
    raise ValueError(f"neither guard.json nor venue/endpoint.json in {folder.root} says the URL")


def _state(identity: Identity, store: Store, folder: Folder) -> State:
    """As a gateway would begin; with files that can't be read, by the venue's lists alone."""
    now_ms = time.time_ns() // 1_000_000
    try:
        return restore(identity, store, ActionLog(folder.actions), now_ms)
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        _say(f"the gateway's files can't be read ({error}): going by the venue's lists alone")
        latch = store.latch()
        return State(identity, leases={}, limits={}, latch=latch, last_nonce=now_ms)


def _say(text: str) -> None:
    sys.stderr.write(f"direct: {text}\n")
    sys.stderr.flush()


def _refuse(text: str, code: int) -> int:
    _say(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
