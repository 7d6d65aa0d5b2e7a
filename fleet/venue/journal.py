"""What each block changed, written before its answers leave: a killed venue forgets nothing told.

``state.json`` holds the state of one moment; ``journal-N.jsonl`` holds a line for each later block
that changed something, N being the first line's number. No line waits for the disk: what a process
has written outlives the process, if not the machine.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from agents.sim.snapshot import LISTS
from fleet.venue.state import StateError, StateFile
from fleet.venue.subscriptions import Json

_FROM: Final = "journal_from"


Added = dict[str, dict[str, list[Any]]]
"""Rows by list (``fills``, ``history``, …) and address."""


class Line(msgspec.Struct, frozen=True):
    """One block: the parts of the state that it replaced, and by list and address what it added."""

    number: int
    exchange: dict[str, Any]
    world: dict[str, Any]
    added: Added


class Journal:
    """State and journal in one folder. ``read`` comes first, then lines and snapshots."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder. Raises StateError."""
        self._folder = folder
        self._state = StateFile(folder)
        self._number = 0
        self._file: BinaryIO | None = None

    def read(self) -> Json | None:
        """The state after the last line; None at the first start. Raises StateError."""
        state = self._state.read()
        paths = self._paths()
        if state is None:
            return None
        found = state.get(_FROM)
        first = self._number = found if isinstance(found, int) else 0
        try:
            for line in _lines(paths):
                if line.number >= first:
                    _apply(state, line)
                    self._number = line.number + 1
        except (OSError, KeyError, TypeError, AttributeError) as error:
            raise StateError(
                f"{self._folder}: the journal cannot be read: {error}; move it away to start anew"
            ) from error
        return state

    def write(self, exchange: Json, world: Json, added: Added) -> None:
        """Add one block. Raises StateError."""
        line = Line(self._number, exchange, world, added)
        try:
            if self._file is None:
                self._file = self._path(self._number).open("ab", buffering=0)
            self._file.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            raise StateError(f"{self._folder}: cannot be written: {error.strerror}") from error
        self._number += 1

    def mark(self, exchange: Json, world: Json) -> Json:
        """A state to be given to ``settle``; later lines go to a file of their own."""
        self.close()
        return {_FROM: self._number, "exchange": exchange, "world": world}

    def settle(self, state: Json) -> None:
        """Put a marked state on disk, then drop the lines that it holds. Raises StateError.

        May run in a thread beside ``write``.
        """
        self._state.write(state)
        for path in self._paths():
            if _first(path) < int(str(state[_FROM])):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file; a later ``write`` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _path(self, number: int) -> Path:
        return self._folder / f"journal-{number:012d}.jsonl"

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("journal-*.jsonl"))


def _first(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _lines(paths: list[Path]) -> Iterator[Line]:
    """All whole lines; a file's last one may have been cut short by a kill."""
    decoder = msgspec.json.Decoder(Line)
    for path in paths:
        for raw in path.read_bytes().splitlines():
            try:
                yield decoder.decode(raw)
            except msgspec.DecodeError:
                break


def _apply(state: dict[str, Any], line: Line) -> None:
    """Lay the line's parts over the state; rows are added to those that were there."""
    before, now = state["exchange"], line.exchange
    accounts: dict[str, Any] = before["accounts"]
    for address, account in now["accounts"].items():
        kept = accounts.get(address, {})
        grown = {
            name: [*kept.get(name, ()), *line.added.get(name, {}).get(address, ())][-most:]
            for name, most in LISTS.items()
        }
        accounts[address] = account | grown
    tallies: dict[str, Any] = before.get("tallies", {})
    for coin, tally in now.get("tallies", {}).items():
        tallies[coin] = tally | {"funding": _funding(tallies.get(coin, {}), tally)}
    nonces = before.get("nonces", {}) | now.get("nonces", {})
    state["exchange"] = now | {"accounts": accounts, "tallies": tallies, "nonces": nonces}
    state["world"] = line.world


def _funding(before: dict[str, Any], tally: dict[str, Any]) -> list[Any]:
    """The hours known so far, and the last one of the line where it is new."""
    known: list[Any] = before.get("funding", [])
    last: list[Any] = tally.get("funding", [])
    return known if known[-1:] == last else [*known, *last]
