"""``fleet logs``: the JSON lines that markets and processes write, as text, followed if wanted."""

import heapq
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
    offsets = {path: path.stat().st_size for path in paths if path.exists()}
    tails = [[(line, path.stem) for line in _tail(path, lines)] for path in paths]
    merged = list(heapq.merge(*tails, key=lambda entry: _moment(entry[0])))
    named = market is None
    for line, process in merged[-lines:] if lines else []:
        put(_shown(line, process, output, named=named))
    if follow:
        _follow(paths, offsets, output, named=named)


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
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        rows = file.read().decode(errors="replace").splitlines()
    if size > TAIL_BYTES:
        rows = rows[1:]  # cut in its middle
    return rows[-lines:] if lines else []


def _follow(
    paths: Iterable[Path], offsets: dict[Path, int], output: Output, *, named: bool
) -> None:
    """Print what is appended, until interrupted; a log that became shorter is read anew."""
    try:
        while True:
            for path in paths:
                for line in _appended(path, offsets):
                    put(_shown(line, path.stem, output, named=named))
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        say("")


def _appended(path: Path, offsets: dict[Path, int]) -> Iterator[str]:
    try:
        size = path.stat().st_size
        if size < offsets.get(path, 0):
            offsets[path] = 0
        with path.open("rb") as file:
            file.seek(offsets.get(path, 0))
            raw = file.read()
    except FileNotFoundError:
        return
    whole = raw[: raw.rfind(b"\n") + 1]
    offsets[path] = offsets.get(path, 0) + len(whole)
    yield from whole.decode(errors="replace").splitlines()


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
