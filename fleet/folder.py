"""A fleet's folder and run folder: where each file lies, and who may write it.

$FLEET_HOME/<fleet>/   0700    records that outlive the processes (interfaces, section 5)
<tmp>/fleet-<uid>-<8 hex>/     sockets and Ray's own folder: socket paths end at 107 bytes
~/.fleet/locks/                one lock an account, whatever FLEET_HOME says
"""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import quote

_SAFE: Final = "-_"


def home() -> Path:
    """``FLEET_HOME``, by default ``~/.fleet``."""
    return Path(os.environ.get("FLEET_HOME") or Path.home() / ".fleet").absolute()


def slug(market: str) -> str:
    """A market's id as a file name: all but A-Z a-z 0-9 _ - is percent-encoded."""
    return quote(market, safe=_SAFE).replace(".", "%2E").replace("~", "%7E")


def account_lock(network: str, address: str) -> Path:
    """The lock that keeps a second fleet off the account; outside FLEET_HOME on purpose."""
    return Path.home() / ".fleet" / "locks" / f"{network}-{address.lower()}"


class Folder:
    """The paths of one fleet. Makes no file; ``create`` makes the folders."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.fleet_json = self.root / "fleet.json"
        self.lock = self.root / "lock"
        self.halt = self.root / "HALT"
        self.token = self.root / "token"
        self.ray_token = self.root / "ray.token"
        self.store_db = self.root / "store.db"
        self.ledger_db = self.root / "ledger.db"
        self.pids = self.root / "pids"
        self.gateway = self.root / "gateway"
        self.actions = self.gateway / "actions"
        self.venue = self.root / "venue"
        self.account_key = self.venue / "account.key"
        self.logs = self.root / "logs"
        self.loops = self.root / "loops"
        digest = hashlib.sha256(os.fsencode(self.root.resolve())).hexdigest()[:8]
        self.run = Path(tempfile.gettempdir()) / f"fleet-{os.getuid()}-{digest}"
        self.gateway_sock = self.run / "gateway.sock"
        self.control_sock = self.run / "control.sock"

    @classmethod
    def of(cls, fleet: str) -> "Folder":
        return cls(home() / fleet)

    def create(self) -> None:
        """Make the folders, 0700, and the ``run`` link; leaves what is there."""
        folders = (self.root, self.pids, self.gateway, self.actions, self.gateway / "settings",
                   self.venue, self.logs, self.root / "agents", self.run)  # fmt: skip
        for folder in folders:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.run.stat().st_uid != os.getuid():
            raise PermissionError(f"{self.run} belongs to another user; remove it")
        link = self.root / "run"
        if not link.is_symlink():
            link.symlink_to(self.run)

    def log(self, process: str) -> Path:
        return self.logs / f"{slug(process)}.jsonl"

    def loop(self, process: str) -> Path:
        """What a process tells of its event loop; the venue knows no fleet, only its own folder."""
        if process == "venue":
            return self.venue / "loop.json"
        return self.loops / f"{slug(process)}.json"

    def journal(self, market: str) -> Path:
        """The folder of an agent's journal; made by the agent."""
        return self.root / "agents" / slug(market) / "journal"

    def beliefs(self, market: str) -> Path:
        """What an agent last believed, for the next one; written by the agent."""
        return self.root / "agents" / slug(market) / "beliefs.json"

    def pid(self, process: str) -> Path:
        return self.pids / f"{slug(process)}.json"
