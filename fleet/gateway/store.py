"""What outlives the gateway beside its log: leases, limits, settings, the latch; all fsync'ed."""

import contextlib
import errno
import os
import sqlite3
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

from agents.kept import Kept as RiskKept
from agents.settings import MarketSettings
from fleet.folder import Folder, slug
from fleet.gateway.api import Caps, LatchView
from fleet.gateway.core.lease import Durable
from fleet.gateway.core.purse import Kept

_UNREADABLE = "unreadable halt file"


class KeptMarket(msgspec.Struct, frozen=True):
    """One market's file in ``settings/``. ``kept``: what its next agent must know of its risk."""

    market: str
    revision: int
    settings: MarketSettings
    paused: bool = False
    draining_ms: int | None = None
    flatten: Literal["", "operator", "halt"] = ""
    fences: dict[str, str] = {}
    kept: RiskKept = RiskKept()


class KeptState(msgspec.Struct, frozen=True):
    """``state.json``: how the start went, for who waits for it."""

    state: str
    text: str = ""


class FleetJson(msgspec.Struct, frozen=True):
    """What of ``fleet.json`` the gateway reads."""

    fleet: str
    network: str
    instance: str
    address: str = ""
    created_ms: int = 0


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file so that a crash leaves the old or the new one, never a part."""
    part = path.with_name(path.name + ".part")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        if os.write(fd, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))
        os.fsync(fd)
    finally:
        os.close(fd)
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Store:
    """The gateway's files in a fleet's folder. It alone writes them."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._leases = folder.gateway / "leases.json"
        self._limits = folder.gateway / "limits.json"
        self._caps = folder.gateway / "caps.json"
        self._purse = folder.gateway / "requests.json"
        self._settings = folder.gateway / "settings"
        self._state = folder.gateway / "state.json"
        self.halt_path = os.fspath(folder.halt)
        self._settings.mkdir(mode=0o700, parents=True, exist_ok=True)

    def fleet(self) -> FleetJson:
        """``fleet.json``. FileNotFoundError, msgspec.MsgspecError."""
        return msgspec.json.decode(self._folder.fleet_json.read_bytes(), type=FleetJson)

    def token(self) -> str:
        return self._folder.token.read_text().strip()

    # ── leases, limits, settings ─────────────────────────────────────────────────────────────

    def leases(self) -> dict[str, Durable]:
        try:
            return msgspec.json.decode(self._leases.read_bytes(), type=dict[str, Durable])
        except FileNotFoundError:
            return {}

    def keep_leases(self, rows: dict[str, Durable]) -> None:
        write_durably(self._leases, msgspec.json.encode(rows))

    def limits(self) -> dict[str, float]:
        try:
            return msgspec.json.decode(self._limits.read_bytes(), type=dict[str, float])
        except FileNotFoundError:
            return {}

    def keep_limits(self, limits: dict[str, float]) -> None:
        write_durably(self._limits, msgspec.json.encode(limits))

    def purse(self) -> Kept:
        try:
            return msgspec.json.decode(self._purse.read_bytes(), type=Kept)
        except FileNotFoundError:
            return Kept()

    def keep_purse(self, kept: Kept) -> None:
        write_durably(self._purse, msgspec.json.encode(kept))

    def caps(self) -> Caps | None:
        """The fleet's caps; None if none ever came."""
        try:
            return msgspec.json.decode(self._caps.read_bytes(), type=Caps)
        except FileNotFoundError:
            return None

    def keep_caps(self, caps: Caps) -> None:
        write_durably(self._caps, msgspec.json.encode(caps))

    def markets(self) -> list[KeptMarket]:
        return [
            msgspec.json.decode(path.read_bytes(), type=KeptMarket)
            for path in sorted(self._settings.glob("*.json"))
        ]

    def keep_market(self, kept: KeptMarket) -> None:
        path = self._settings / f"{slug(kept.market)}.json"
        write_durably(path, msgspec.json.encode(kept))

    def drop_market(self, market: str) -> None:
        (self._settings / f"{slug(market)}.json").unlink(missing_ok=True)
        sync_folder(self._settings)

    # ── the latch ────────────────────────────────────────────────────────────────────────────

    def latch(self) -> LatchView | None:
        """The latch; a file that can't be read latches all the same."""
        try:
            raw = self._folder.halt.read_bytes()
        except FileNotFoundError:
            return None
        with contextlib.suppress(msgspec.MsgspecError):
            return msgspec.json.decode(raw, type=LatchView)
        return LatchView(reason=_UNREADABLE, by="?", at_ms=0)

    def latched(self) -> bool:
        """One stat: asked before each signature of a placement."""
        try:
            os.stat(self.halt_path)  # noqa: PTH116  (the hot path: no Path is made)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def keep_latch(self, latch: LatchView | None) -> None:
        if latch is not None:
            write_durably(self._folder.halt, msgspec.json.encode(latch))
            return
        self._folder.halt.unlink(missing_ok=True)
        sync_folder(self._folder.root)

    def booked_seq(self) -> int | None:
        """The last record of the action log that the ledger has booked; None: not known."""
        try:
            uri = f"file:{quote(os.fspath(self._folder.ledger_db))}?mode=ro"
            with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=0.2)) as db:
                row = db.execute("SELECT seq FROM cursor").fetchone()
        except sqlite3.Error:
            return None
        return int(row[0]) if row else None

    def say(self, state: str, text: str = "") -> None:
        """How the start goes, for ``fleet apply``; a disk that is full keeps nothing else back."""
        with contextlib.suppress(OSError):
            write_durably(self._state, msgspec.json.encode(KeptState(state, text)))
