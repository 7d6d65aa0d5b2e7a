"""The guard seen from outside: what it tells of itself, how it is started, and how replaced.

``guard_state.json`` says whether it has the key; its file's time says when the guard last turned.
Standard library only: the guard imports this.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

from fleet.folder import Folder
from fleet.processes import alive, clean_environment, is_stopped, python

EXIT_LOCKED: Final = 6
SILENT_S: Final = 20.0
"""Ending a child that ignores SIGTERM takes it up to 10 s, in which it does nothing else."""
_POLL_S: Final = 0.02
_DEATHS_MAX: Final = 6


class AccountLocked(Exception):
    """Another controller holds the account, or this fleet's folder (exit 6). One line."""


class GuardFailed(Exception):
    """The guard, or the gateway under it, did not come up. One line with the mend."""


def _state(folder: Folder) -> Path:
    return folder.root / "guard_state.json"


def write_guard_state(folder: Folder, *, key: str) -> None:
    """What the guard tells others of itself. A full disk keeps it from nobody's work."""
    path = _state(folder)
    draft = path.with_suffix(".new")
    with contextlib.suppress(OSError):
        draft.write_text(json.dumps({"pid": os.getpid(), "key": key}))
        draft.replace(path)


def key_missing(folder: Folder) -> bool:
    """A guard lives that has no key: it can restart no gateway, and cancel nothing itself."""
    try:
        state = json.loads(_state(folder).read_text())
        return bool(state["pid"] == alive(folder, "guard") and state["key"] == "missing")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def beat(folder: Folder) -> None:
    """The guard turns: it says so each second, by the age of its state's file."""
    with contextlib.suppress(OSError):
        os.utime(_state(folder))


def hung(folder: Folder) -> str | None:
    """A guard lives and does nothing: how one knows. None where it turns, or is not there."""
    guard = alive(folder, "guard")
    if guard is None:
        return None
    if is_stopped(guard):
        return "it was stopped"
    try:
        state = json.loads(_state(folder).read_text())
        silent_s = time.time() - _state(folder).stat().st_mtime
    except (OSError, ValueError):
        return None
    if not isinstance(state, dict) or state.get("pid") != guard or silent_s < SILENT_S:
        return None
    return f"it has not turned for {silent_s:.0f} s"


def dismiss_guard(folder: Folder) -> None:
    """End the guard alone. Its children live on, for the next guard to adopt."""
    guard = alive(folder, "guard")
    if guard is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(guard, signal.SIGKILL)  # SIGTERM would take the children along
    while alive(folder, "guard") == guard:
        time.sleep(_POLL_S)


def _ask_health(folder: Folder) -> dict[str, object]:
    """The gateway's ``/healthz``. Raises OSError, ValueError, TypeError."""
    token = folder.token.read_text().strip() if folder.token.exists() else ""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2.0)
        client.connect(str(folder.gateway_sock))
        client.sendall(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
        )
        answer = b""
        while part := client.recv(65_536):
            answer += part
    facts = json.loads(answer.partition(b"\r\n\r\n")[2])
    if not isinstance(facts, dict):
        raise TypeError("no object")
    return facts


def _why_not_up(folder: Folder) -> str:
    """Empty if the gateway answers and has its venue; else what it says, or its silence."""
    try:
        if _ask_health(folder).get("link") == "up":
            return ""
    except (ValueError, TypeError):
        return "what answers on its socket is no gateway"
    except OSError as error:
        return f"no answer on its socket: {error.strerror or error}"
    try:
        said = json.loads((folder.gateway / "state.json").read_text())["text"]
    except (OSError, ValueError, KeyError, TypeError):
        said = ""
    return str(said) or "it is not connected to the venue"


def _last_words(folder: Folder, process: str) -> str:
    log = folder.log(process)
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return f"{log} ends with: {lines[-1][:300] if lines else 'nothing'}"


def spawn_guard(folder: Folder, key_hex: str, timeout_s: float = 20.0) -> None:
    """Start the guard and wait until the gateway under it answers and has its venue.

    The key goes by a pipe, never in an argument or an environment; empty: none. A living guard that
    has no key, or hangs, is replaced, and its children go on under the new one. If it returns,
    guard and gateway live. Raises AccountLocked (nothing was started) and GuardFailed (the guard
    may live on and go on trying; ``stop`` it).
    """
    if key_hex.strip() and (key_missing(folder) or hung(folder)):
        dismiss_guard(folder)
    log = folder.log("guard")
    began = log.stat().st_size if log.exists() else 0
    try:
        guard = subprocess.run(  # noqa: S603 - our own module
            python("fleet.gateway.guard", "--folder", str(folder.root)),
            input=key_hex.strip() + "\n",
            env=clean_environment(os.environ, key_hex.strip()),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        raise GuardFailed(f"the guard did not start within {timeout_s:.0f} s") from None
    said = (guard.stderr.strip().splitlines() or ["it said nothing"])[-1]
    if guard.returncode == EXIT_LOCKED:
        raise AccountLocked(said)
    if guard.returncode:
        raise GuardFailed(f"the guard did not start: {said}")
    deadline_s = time.monotonic() + timeout_s
    while why := _why_not_up(folder):
        if alive(folder, "guard") is None:
            raise GuardFailed(f"the guard ended; {_last_words(folder, 'guard')}")
        if time.monotonic() > deadline_s or _deaths(folder, began) >= _DEATHS_MAX:
            mute = "venue" if _is_missing(folder, "venue") else "gateway"
            raise GuardFailed(f"the {mute} is not up ({why}); {_last_words(folder, mute)}")
        time.sleep(_POLL_S)


def _deaths(folder: Folder, from_offset: int) -> int:
    """How often a child has ended since; more than a few in a row, and it will not come up."""
    with folder.log("guard").open("rb") as log:
        log.seek(from_offset)
        return sum(b'"child.ended"' in line for line in log)


def _is_missing(folder: Folder, process: str) -> bool:
    """It was started at some time, and does not live."""
    return folder.log(process).exists() and alive(folder, process) is None
