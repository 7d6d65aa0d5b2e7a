"""JSON lines of what a process does: one event name a fact, rotated, and no key ever among them."""

import json
import os
import re
from collections.abc import MutableMapping
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from agents.telemetry.scribe import Later, at_once

BYTES_MAX: Final = 16_000_000
FILES_KEPT: Final = 3
_KEY: Final = re.compile(r"(?<![0-9a-fA-F])(?:0x)?[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_REDACTED: Final = "[64 hex digits]"


class Log(Protocol):
    """Where facts are told: ``log.info("order.placed", coin=...)``."""

    def info(self, event: str, **facts: object) -> object: ...

    def warning(self, event: str, **facts: object) -> object: ...

    def error(self, event: str, **facts: object) -> object: ...

    def exception(self, event: str, **facts: object) -> object: ...


class _Lines:
    """A sink for finished lines: a file that is put aside before it grows too large.

    Open for as long as the process lives. A line is one write, so a reader never sees half of one.
    A full disk costs lines, never the process: how many is told once there is room again.
    """

    def __init__(self, path: Path, bytes_max: int, later: Later) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._later = later
        self._fd = self._open()
        self._refused = 0  # by ``later``
        self._lost = 0  # of those not refused
        self._told = 0  # of both

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def msg(self, line: str) -> None:
        data = line.encode(errors="backslashreplace") + b"\n"
        if not self._later(partial(self._append, data), len(data)):
            self._refused += 1

    def _append(self, data: bytes) -> None:
        lost = self._refused + self._lost
        if lost > self._told:
            told = {"event": "log.lost", "lines": lost - self._told}
            data = json.dumps(told).encode() + b"\n" + data
        try:
            if os.fstat(self._fd).st_size + len(data) > self._bytes_max:
                self._put_aside()
            os.write(self._fd, data)
        except OSError:
            self._lost += 1
        else:
            self._told = lost

    def _put_aside(self) -> None:
        older = [self._path.with_name(f"{self._path.name}.{n}") for n in range(FILES_KEPT, 0, -1)]
        for newer, oldest in zip([*older[1:], self._path], older, strict=True):
            if newer.exists():
                newer.replace(oldest)
        os.close(self._fd)
        self._fd = self._open()

    debug = info = warning = error = critical = msg


def redact(text: str) -> str:
    """``text`` without anything that looks like a private key (a hash of 64 digits goes too)."""
    return _KEY.sub(_REDACTED, text)


def _line(_logger: object, _method: str, facts: MutableMapping[str, Any]) -> str:
    """One JSON line, the event's name first, so that a reader's eye finds it."""
    return redact(json.dumps({"event": facts.pop("event"), **facts}, default=str))


def open_log(
    path: Path, *, bytes_max: int = BYTES_MAX, later: Later = at_once, **bound: str | int
) -> Log:
    """A log that appends JSON lines to ``path``; ``bound`` stands in each. UTC times.

    ``later``: who touches the disk.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    log: Log = structlog.wrap_logger(
        _Lines(path, bytes_max, later),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            _line,
        ],
        cache_logger_on_first_use=True,
    ).bind(**bound)
    return log
