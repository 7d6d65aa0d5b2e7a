"""``fleet logs``: the JSON lines that markets and processes write, as text, followed if wanted."""

import heapq
import os
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from fleet.cli.console import Output, put, say
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.folder import Folder

TAIL_BYTES = 1_000_000
POLL_S = 0.25
_TIME_KEYS = ("timestamp", "at_ms", "at")


def run(market: str | None, *, follow: bool, lines: int, output: Output, fleet: str | None) -> None:
    folder = find(fleet)
    paths = _paths(folder, market)
    trail = Trail(paths)
    tails = [[(line, path.stem) for line in _tail(path, lines)] for path in paths]
    merged = list(heapq.merge(*tails, key=lambda entry: _moment(entry[0])))
    named = market is None
    for line, process in merged[-lines:] if lines else []:
        put(_shown(line, process, output, named=named))
    if follow:
        _follow(folder, paths if market else None, trail, output)


def _paths(folder: Folder, market: str | None) -> list[Path]:
    known = sorted(folder.logs.glob("*.jsonl"))
    if market is None:
        return known
    path = folder.log(market)
    if path not in known:
        names = ", ".join(unquote(each.stem) for each in known) or "none yet"
        text = f"no log of {market!r} in fleet {folder.root.name}"
        raise Failure(ExitCode.INVALID, text, f"there are: {names}")
    return [path]


def _tail(path: Path, lines: int) -> list[str]:
    """The last lines, from the file before too where this one has just begun."""
    rows: list[str] = []
    for each in (path, aside(path)):
        if len(rows) >= lines or not each.exists():
            break
        with each.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            older = file.read().decode(errors="replace").splitlines()
        rows = older[size > TAIL_BYTES :] + rows  # the first may be cut in its middle
    return rows[-lines:] if lines else []


def aside(path: Path) -> Path:
    """Where a log that is full is put (``agents.telemetry.logs``)."""
    return path.with_name(f"{path.name}.1")


class Trail:
    """What is appended to logs from now on, over the moments at which a full one is put aside."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._seen = {path: (found.st_ino, found.st_size) for path in paths if (found := _at(path))}

    def news(self, paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
        """Whole lines that came since the last call; all of a log that is new."""
        for path in paths:
            found = _at(path)
            if found is None:
                continue
            inode, offset = self._seen.get(path, (found.st_ino, 0))
            if inode != found.st_ino:
                put_aside = _at(aside(path))
                if put_aside is not None and put_aside.st_ino == inode:
                    for line in _whole(aside(path), offset)[0]:
                        yield path, line
                offset = 0
            elif found.st_size < offset:
                offset = 0
            rows, offset = _whole(path, offset)
            self._seen[path] = found.st_ino, offset
            for line in rows:
                yield path, line


def _at(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _whole(path: Path, offset: int) -> tuple[list[str], int]:
    """Whole lines from an offset on, and where they end."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            raw = file.read()
    except FileNotFoundError:
        return [], offset
    raw = raw[: raw.rfind(b"\n") + 1]
    return raw.decode(errors="replace").splitlines(), offset + len(raw)


def _follow(folder: Folder, one: list[Path] | None, trail: Trail, output: Output) -> None:
    """Print what is appended, until interrupted; of all logs, those that are new too."""
    try:
        while True:
            for path, line in trail.news(one or _paths(folder, None)):
                put(_shown(line, path.stem, output, named=one is None))
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        say("")


def _fields(line: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _moment(line: str) -> str:
    return _take_time(_fields(line))


def _take_time(fields: dict[str, Any]) -> str:
    """The line's moment in UTC, taken out of its fields; empty if it has none."""
    value = next((fields.pop(key) for key in _TIME_KEYS if key in fields), "")
    if not isinstance(value, int):
        return str(value)
    at = datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")


def _shown(line: str, process: str, output: Output, *, named: bool) -> str:
    """One line as text: time, process where several are shown, level, event, the rest."""
    fields = _fields(line)
    if output == "json" or not fields:
        return line
    at = _take_time(fields)
    level = str(fields.pop("level", "")).upper()
    event = str(fields.pop("event", ""))
    rest = " ".join(f"{key}={value}" for key, value in fields.items())
    parts = (at, unquote(process) if named else "", level, event, rest)
    return "  ".join(part for part in parts if part)
