"""Which processes belong to a Ray head: read from /proc, by session, temp folder and token.

Ray's workers rename themselves (``ray::MarketActor``) and take process groups of their own, but
they stay in the head's session. The session survives its leader, so what a killed head left
behind is found as well.
"""

import os
from pathlib import Path

import msgspec

from fleet.folder import Folder
from fleet.processes import start_ticks


class HeadRecord(msgspec.Struct, frozen=True):
    """``pids/ray.json``: the head's launcher, which leads the session."""

    pid: int
    start_ticks: int | None
    build: str


def head(folder: Folder) -> HeadRecord | None:
    """The record of the last head; None if there is none that can be read."""
    try:
        return msgspec.json.decode(folder.pid("ray").read_bytes(), type=HeadRecord)
    except (OSError, msgspec.MsgspecError):
        return None


def _session(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[3])


def _mentions(pid: int, temp_dir: bytes, token: bytes) -> bool:
    """Whether a process names the head's folder as an argument, or was born with its token."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    named = any(a == temp_dir or a.startswith(temp_dir + b"/") for a in arguments)
    assigned = any(b"=" + temp_dir in a for a in arguments)
    return named or assigned or b"RAY_AUTH_TOKEN_PATH=" + token in variables


def daemons(folder: Folder, temp_dir: Path) -> list[int]:
    """Ray's own processes of the head: its control service, its node's daemon, and the like."""
    return [pid for pid in of_head(folder, temp_dir) if not _is_worker(pid)]


def _is_worker(pid: int) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return True
    # The node's daemon has the command of its workers among its own arguments.
    return arguments[0].startswith(b"ray::") or any(
        argument.endswith(b"/default_worker.py") for argument in arguments
    )


def of_head(folder: Folder, temp_dir: Path) -> list[int]:
    """Process ids of the head, its daemons and its workers; empty when nothing is left."""
    record = head(folder)
    since = None if record is None else record.start_ticks
    mark, token = os.fsencode(temp_dir), os.fsencode(folder.ray_token)
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        pid = int(entry.name)
        born = start_ticks(pid)
        if born is None:
            continue
        in_session = (
            record is not None and since is not None and since <= born
            and _session(pid) == record.pid
        )  # fmt: skip
        if in_session or _mentions(pid, mark, token):
            found.append(pid)
    return found
