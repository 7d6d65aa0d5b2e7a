"""A fleet's processes seen from outside: who lives, what is left, how the guard is started.

A process writes ``pids/<process>.json`` {pid, start_ticks, build}. A pid alone proves nothing (the
kernel gives it out again), so a process counts as alive only if it was started at the recorded
tick. Signals go through a pidfd opened before that check: they cannot hit a later process.
Standard library only: the guard imports this.
"""

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from fleet.folder import Folder

EXIT_LOCKED: Final = 6
_POLL_S: Final = 0.02
_KILL_WAIT_S: Final = 5.0
_DEATHS_MAX: Final = 6
_PACKAGE_ROOT: Final = str(Path(__file__).resolve().parent.parent)
_ENVIRONMENT: Final = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "FLEET_HOME",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX", "PYTHONUTF8", "PYTHONWARNINGS",
)  # fmt: skip


class AccountLocked(Exception):
    """Another controller holds the account, or this fleet's folder (exit 6). One line."""


class GuardFailed(Exception):
    """The guard, or the gateway under it, did not come up. One line with the mend."""


class Live(NamedTuple):
    """A process of a fleet that lives. ``name``: as in ``pids/``, or the program."""

    name: str
    pid: int
    command: str


def clean_environment(environ: Mapping[str, str], secret: str = "") -> dict[str, str]:
    """An allow-list of ``environ``, and the same code on the path; nothing holds ``secret``."""
    kept = {name: environ[name] for name in _ENVIRONMENT if name in environ}
    kept["PYTHONPATH"] = _PACKAGE_ROOT
    return {name: value for name, value in kept.items() if not secret or secret not in value}


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this very installation, whatever the working folder."""
    return [sys.executable, "-P", "-m", module, *arguments]


def start_ticks(pid: int) -> int | None:
    """When the kernel started ``pid``, in its ticks; None if it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def write_pid(folder: Folder, process: str, pid: int, build: str) -> None:
    """Record a process that was just started; atomic."""
    path = folder.pid(process)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"pid": pid, "start_ticks": start_ticks(pid), "build": build}))
    draft.replace(path)


def write_guard_state(folder: Folder, *, key: str) -> None:
    """What the guard tells others of itself. A full disk keeps it from nobody's work."""
    path = folder.root / "guard_state.json"
    draft = path.with_suffix(".new")
    with contextlib.suppress(OSError):
        draft.write_text(json.dumps({"pid": os.getpid(), "key": key}))
        draft.replace(path)


def key_missing(folder: Folder) -> bool:
    """A guard lives that has no key: it can restart no gateway, and cancel nothing itself."""
    try:
        state = json.loads((folder.root / "guard_state.json").read_text())
        return bool(state["pid"] == alive(folder, "guard") and state["key"] == "missing")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def dismiss_guard(folder: Folder) -> None:
    """End the guard alone. Its children live on, for the next guard to adopt."""
    guard = alive(folder, "guard")
    if guard is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(guard, signal.SIGKILL)  # SIGTERM would take the children along
    while alive(folder, "guard") == guard:
        time.sleep(_POLL_S)


def _recorded(path: Path) -> tuple[int, int | None] | None:
    try:
        record = json.loads(path.read_text())
        return int(record["pid"]), record["start_ticks"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def alive(folder: Folder, process: str) -> int | None:
    """The pid of a living process of the fleet, by its pid file; None if it is not running."""
    recorded = _recorded(folder.pid(process))
    if recorded is None or recorded[1] is None:
        return None
    pid, ticks = recorded
    return pid if start_ticks(pid) == ticks else None


def clear_stale(folder: Folder, processes: Collection[str] | None = None) -> tuple[str, ...]:
    """Remove pid files of processes (by default: of all) that are gone; one line about each."""
    notes = []
    for path in sorted(folder.pids.glob("*.json")):
        if processes is not None and path.stem not in processes:
            continue
        recorded = _recorded(path)
        if recorded is not None and recorded[1] == start_ticks(recorded[0]) is not None:
            continue
        if recorded is None:
            why = "is not readable"
        elif start_ticks(recorded[0]) is None:
            why = f"names pid {recorded[0]}, which is gone"
        else:
            why = f"names pid {recorded[0]}, which is another process by now"
        path.unlink(missing_ok=True)
        notes.append(f"{path.name} {why}; removed")
    return tuple(notes)


def end(pid: int, ticks: int | None, timeout_s: float) -> bool:
    """SIGTERM, after ``timeout_s`` SIGKILL. True once the process is gone (or was)."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        if start_ticks(pid) != ticks or ticks is None:
            return True
        waiter = select.poll()
        waiter.register(pidfd, select.POLLIN)
        for number, patience_s in ((signal.SIGTERM, timeout_s), (signal.SIGKILL, _KILL_WAIT_S)):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, number)
            if waiter.poll(patience_s * 1_000):
                return True
        return False
    finally:
        os.close(pidfd)


def stop(folder: Folder, process: str, timeout_s: float) -> bool:
    """End a process by its pid file: SIGTERM, after ``timeout_s`` SIGKILL. True once it is gone.

    The guard ends its children itself: give it at least 20 s.
    """
    path = folder.pid(process)
    recorded = _recorded(path)
    if recorded is not None and not end(*recorded, timeout_s):
        return False
    path.unlink(missing_ok=True)
    return True


def _ancestors() -> set[int]:
    """The pids of this process and of those that it descends from."""
    found, pid = set(), os.getpid()
    while pid > 1 and pid not in found:
        found.add(pid)
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            break
        pid = int(stat.rpartition(")")[2].split()[1])
    return found


def _own() -> Iterator[tuple[int, list[str], str]]:
    """(pid, arguments, environment) of each living process of this user, where readable."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            status = (entry / "status").read_text()
            if f"\nUid:\t{os.getuid()}\t" not in status:
                continue
            arguments = os.fsdecode((entry / "cmdline").read_bytes()).split("\0")[:-1]
        except OSError:
            continue
        environment = ""
        with contextlib.suppress(OSError):  # a process that is not dumpable shows none
            environment = os.fsdecode((entry / "environ").read_bytes())
        if arguments and start_ticks(int(entry.name)) is not None:
            yield int(entry.name), arguments, environment


def _program(arguments: list[str]) -> str | None:
    """The module of ours, or the part of Ray, that a command runs; None if it is neither."""
    for flag, module in pairwise(arguments):
        if flag == "-m" and module.startswith("fleet."):
            return module
    name = Path(arguments[0]).name
    if name in {"raylet", "gcs_server"} or arguments[0].startswith("ray::"):
        return name
    return "ray" if any("/ray/" in argument for argument in arguments) else None


def live(folder: Folder) -> tuple[Live, ...]:
    """Every living process of the fleet, found by pid file, command line or Ray's token.

    Not this process, nor one that it descends from, nor the user's own editors and pagers.
    """
    paths = {str(folder.root), str(folder.root.resolve()), str(folder.run)}
    mention = re.compile("|".join(rf"{re.escape(path)}(?![^/\s:,'\"])" for path in paths))
    token = f"RAY_AUTH_TOKEN_PATH={folder.ray_token}"
    spared = _ancestors()
    names = {alive(folder, path.stem): path.stem for path in folder.pids.glob("*.json")}
    found = []
    for pid, arguments, environment in _own():
        program = _program(arguments)
        of_fleet = program is not None and any(mention.search(text) for text in arguments)
        if pid not in spared and (pid in names or of_fleet or token in environment.split("\0")):
            name = names.get(pid) or program or Path(arguments[0]).name
            found.append(Live(name, pid, " ".join(arguments)))
    return tuple(sorted(found))


def find(folder: Folder, module: str) -> tuple[int, ...]:
    """Pids of living ``python -m <module>`` processes that name the fleet's folder."""
    return tuple(process.pid for process in live(folder) if f"-m {module} " in process.command)


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
    has no key is replaced, and its children go on under the new one. If it returns,
    guard and gateway live. Raises AccountLocked (nothing was started) and GuardFailed (the guard
    may live on and go on trying; ``stop`` it).
    """
    if key_hex.strip() and key_missing(folder):
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
