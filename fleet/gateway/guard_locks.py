"""The guard's two locks: one on the fleet's folder, one on the account. Standard library only.

Both are flocks: the kernel drops them with the last process that holds them, so none is ever stale.
They say who holds them, for whoever is turned away.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import NamedTuple

from fleet.folder import Folder, account_lock


class Taken(Exception):
    """Somebody else holds a lock. One line: what, who, and the mend."""


class Identity(NamedTuple):
    """Whose account this fleet trades, from ``fleet.json``."""

    fleet: str
    network: str
    address: str


def read_identity(folder: Folder) -> Identity:
    """Raises OSError, ValueError or KeyError where ``fleet.json`` is missing or damaged."""
    facts = json.loads(folder.fleet_json.read_text())
    return Identity(str(facts["fleet"]), str(facts["network"]), str(facts["address"]))


def _take(path: Path) -> int:
    """An open, locked file descriptor. Raises BlockingIOError if somebody else holds it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


def holder(path: Path) -> dict[str, object]:
    """What the holder wrote into a lock; empty if nothing readable."""
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


class Locks:
    """Both locks, held until the process and its forks are gone."""

    def __init__(self, folder: Folder, identity: Identity) -> None:
        """Raises Taken, and holds nothing then."""
        account = account_lock(identity.network, identity.address)
        self._paths = (folder.lock, account)
        self._folder, self._identity = folder, identity
        try:
            self._fds = [_take(folder.lock)]
        except BlockingIOError:
            pid = holder(folder.lock).get("pid", "unknown")
            raise Taken(
                f"a guard of fleet {identity.fleet!r} runs already (pid {pid}); nothing to start"
            ) from None
        try:
            self._fds.append(_take(account))
        except BlockingIOError:
            os.close(self._fds[0])
            by = holder(account)
            raise Taken(
                f"account {identity.address} on {identity.network} is held by fleet "
                f"{by.get('fleet', '?')!r} in {by.get('folder', '?')} (pid {by.get('pid', '?')}); "
                "take that one down first, or trade another account"
            ) from None

    def sign(self) -> None:
        """Write into both locks who holds them: this process."""
        facts = {
            "fleet": self._identity.fleet,
            "pid": os.getpid(),
            "folder": str(self._folder.root),
        }
        for descriptor in self._fds:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(facts).encode(), 0)
