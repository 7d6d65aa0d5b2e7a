"""A fleet's processes seen from outside: who lives, who is stopped, what is left, how they end.

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
import sys
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from fleet.folder import Folder

_POLL_S: Final = 0.02
_KILL_WAIT_S: Final = 5.0
_PACKAGE_ROOT: Final = str(Path(__file__).resolve().parent.parent)
_ENVIRONMENT: Final = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "FLEET_HOME",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX", "PYTHONUTF8", "PYTHONWARNINGS",
)  # fmt: skip


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


def is_stopped(pid: int) -> bool:
    """Whether it was stopped (SIGSTOP, a debugger) and does nothing until it is continued."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] in "Tt"


def write_pid(folder: Folder, process: str, pid: int, build: str) -> None:
    """Record a process that was just started; atomic."""
    path = folder.pid(process)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"pid": pid, "start_ticks": start_ticks(pid), "build": build}))
    draft.replace(path)


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
