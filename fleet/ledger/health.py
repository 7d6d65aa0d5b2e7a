"""Whether the ledger books, told where it can still be told when the disk is full.

``ledger.state`` in the fleet's folder has a fixed size and is rewritten in place: that needs no
block that the disk has not given already.
"""

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Final

import msgspec

from fleet.folder import Folder

_BYTES: Final = 1_024
_WHY_MAX: Final = 300
BEAT_S: Final = 1.0


class LedgerState(msgspec.Struct, frozen=True):
    """``waiting``: nothing can be booked since ``since_ms``, and nothing is lost by it.

    ``undecodable``: records of the log passed over since the ledger started, as none of ours.
    """

    state: str = "booking"
    why: str = ""
    since_ms: int = 0
    undecodable: int = 0


def state_path(folder: Folder) -> Path:
    return folder.root / "ledger.state"


class Health:
    """The state's one writer. It raises nothing: what it tells is no reason to stop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.undecodable = 0
        self._told: LedgerState | None = None
        self._beat_s = 0.0

    def beat(self) -> None:
        """The ledger turns: the file's time says so, once a second, to the guard."""
        now_s = time.monotonic()
        if now_s - self._beat_s >= BEAT_S:
            self._beat_s = now_s
            with contextlib.suppress(OSError):
                os.utime(self._path)

    def tell(self, state: LedgerState) -> bool:
        """True if this is news: another state, or one more record passed over."""
        told, self.undecodable = self._told, state.undecodable
        if told is not None and (told.state, told.undecodable) == (state.state, state.undecodable):
            return False
        self._told = state
        short = msgspec.structs.replace(state, why=state.why[:_WHY_MAX])
        text = json.dumps(msgspec.to_builtins(short)).ljust(_BYTES - 1) + "\n"
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return True
        try:
            os.pwrite(descriptor, text.encode(), 0)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return True


def read_state(path: Path) -> LedgerState | None:
    """What the ledger last said of itself; None if it never did."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=LedgerState)
    except (OSError, msgspec.MsgspecError):
        return None
