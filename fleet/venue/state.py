"""The venue's durable state: one JSON file, replaced as a whole."""

import os
from pathlib import Path
from typing import Final

import msgspec

SCHEMA: Final = 1
NAME: Final = "state.json"


class StateError(Exception):
    """The state cannot be read or written; the text says where, and the mend."""


class StateFile:
    """``state.json`` in a folder of its own. A crash leaves the old file or the new one."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder. Raises StateError."""
        self._path = folder / NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(f"{folder}: cannot be made: {error.strerror}") from error

    def read(self) -> dict[str, object] | None:
        """What was last written; None at the first start. Raises StateError."""
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=dict[str, object])
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise StateError(f"{self._path}: {error}; move it away to start anew") from error
        if found.get("schema") != SCHEMA:
            raise StateError(f"{self._path}: schema {found.get('schema')} is not {SCHEMA}")
        return found

    def write(self, state: dict[str, object]) -> None:
        """Replace the state, on disk before it takes the old one's place. Raises StateError."""
        aside = self._path.with_suffix(".tmp")
        try:
            with aside.open("wb") as file:
                file.write(msgspec.json.encode({"schema": SCHEMA, **state}))
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self._path)
        except OSError as error:
            raise StateError(f"{self._path}: cannot be written: {error.strerror}") from error
