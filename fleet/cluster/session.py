"""The fleet's Ray head: started in a session of its own, found again, ended without a trace.

One head a fleet, on loopback, behind a token. ``ray stop`` is never called: it ends every Ray of
the machine. Its end is ours to make: the processes of the head's session, SIGTERM, then SIGKILL.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fleet.cluster import members
from fleet.folder import Folder
from fleet.processes import alive, is_stopped, write_pid

TEMP_DIR_MAX: Final = 43  # Ray adds up to 62 bytes, and a socket's path ends at 107
OBJECT_STORE_BYTES: Final = 80_000_000
ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
START_S: Final = 90.0
TERM_S: Final = 10.0
KILL_S: Final = 10.0
_POLL_S: Final = 0.05
_INHERITED: Final = (
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER",
)  # fmt: skip


_children: Final[dict[Path, subprocess.Popen[bytes]]] = {}
"""Heads that this very process started: they are ours to reap, should we also end them."""


class ClusterFailed(Exception):
    """Ray did not do what was asked. ``text`` says what happened, ``mend`` what helps."""

    def __init__(self, text: str, mend: str) -> None:
        super().__init__(f"{text}; {mend}")
        self.text = text
        self.mend = mend


def temp_dir(folder: Folder) -> Path:
    """Ray's own folder, in the short run folder."""
    return folder.run / "ray"


def ray_environment(token: Path) -> dict[str, str]:
    """The variables that the head and each process that calls ``ray.init`` must share.

    Ray reads them as it is imported: they must be set before that.
    """
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        # Ray then listens on loopback on Linux too; a node address of 127.0.0.1 is replaced.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",  # by default Ray's workers yield to every other process
    }


def head_environment(folder: Folder) -> dict[str, str]:
    """What the head is born with: an allow-list, because actors inherit all of it."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    ray = ray_environment(folder.ray_token)
    return {**kept, **ray, **ONE_THREAD, "FLEET_HOME": str(folder.root.parent)}


def address(folder: Folder) -> str | None:
    """``127.0.0.1:port`` of the head's control service; None while there is none."""
    try:
        text = (temp_dir(folder) / "ray_current_cluster").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return text or None


def _answers(folder: Folder) -> bool:
    where = address(folder)
    if where is None:
        return False
    host, _, port = where.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1.0):
            return True
    except OSError:
        return False


def head_alive(folder: Folder) -> bool:
    """Whether the recorded head lives, its control service takes connections, and no part of it
    was stopped: the kernel takes connections for one that never will.
    """
    return alive(folder, "ray") is not None and _answers(folder) and not stopped_parts(folder)


def start_head(folder: Folder) -> None:
    """Start the head unless it runs; returns once it takes connections.

    Raises ``ClusterFailed`` if it does not come up. What a dead head left behind is ended first.
    """
    _refuse_foreign_cluster()
    where = temp_dir(folder)
    if len(os.fsencode(where)) > TEMP_DIR_MAX:
        raise ClusterFailed(
            f"Ray's folder {where} is longer than {TEMP_DIR_MAX} characters",
            "set TMPDIR to a shorter folder",
        )
    if head_alive(folder):
        return
    stop_head(folder)
    _write_token(folder)
    with folder.log("ray").open("ab") as log:
        head = subprocess.Popen(  # noqa: S603
            _command(where), env=head_environment(folder), cwd=folder.root, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    _children[folder.root] = head
    write_pid(folder, "ray", head.pid, version("ray"))
    _await_head(folder, head)


def _refuse_foreign_cluster() -> None:
    if os.environ.get("RAY_ADDRESS"):
        raise ClusterFailed(
            "RAY_ADDRESS is set, and joining another Ray cluster is not built yet",
            "unset RAY_ADDRESS",
        )


def _command(where: Path) -> list[str]:
    return [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
        "--port", "0", "--include-dashboard", "false", "--include-log-monitor", "false",
        "--object-store-memory", str(OBJECT_STORE_BYTES), "--temp-dir", str(where),
    ]  # fmt: skip


def _await_head(folder: Folder, head: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        if _answers(folder):
            return
        if head.poll() is not None:
            stop_head(folder)
            raise ClusterFailed(
                f"Ray's head ended with code {head.returncode} while it started",
                f"read {folder.log('ray')}",
            )
        time.sleep(_POLL_S)
    stop_head(folder)
    raise ClusterFailed(
        f"Ray's head did not come up within {START_S:.0f} s", f"read {folder.log('ray')}"
    )


def stop_head(folder: Folder) -> None:
    """End every process of the head's session, and remove its folder; returns when none is left.

    Raises ``ClusterFailed`` if one outlives SIGKILL.
    """
    where, head = temp_dir(folder), alive(folder, "ray")
    _signal(stopped_parts(folder), signal.SIGCONT)
    if head is not None:
        _signal([head], signal.SIGTERM)  # the head ends its daemons in order
        _await_none(folder, where, TERM_S)
    for number, patience_s in ((signal.SIGTERM, TERM_S / 2), (signal.SIGKILL, KILL_S)):
        _signal(members.of_head(folder, where), number)
        _await_none(folder, where, patience_s)
    if left := members.of_head(folder, where):
        raise ClusterFailed(f"Ray's processes {left} do not end", "end them by hand: kill -9")
    child = _children.pop(folder.root, None)
    if child is not None:
        child.wait(KILL_S)
    folder.pid("ray").unlink(missing_ok=True)
    shutil.rmtree(where, ignore_errors=True)


def stopped_parts(folder: Folder) -> list[int]:
    """Processes of the head (its daemons, not its actors) that were stopped, and so do nothing."""
    return [pid for pid in members.daemons(folder, temp_dir(folder)) if is_stopped(pid)]


def _signal(pids: list[int], number: signal.Signals) -> None:
    """One that was stopped goes on first: else it would hear nothing but SIGKILL."""
    for pid in pids:
        try:
            os.kill(pid, number)
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            continue


def _await_none(folder: Folder, where: Path, patience_s: float) -> None:
    deadline_s = time.monotonic() + patience_s
    while members.of_head(folder, where) and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)


def _write_token(folder: Folder) -> None:
    if folder.ray_token.exists() and folder.ray_token.stat().st_size > 0:
        return
    draft = folder.ray_token.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(32).encode())
    draft.replace(folder.ray_token)
