"""The files of a journal: opened, appended to, the oldest deleted; given up at the first error."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO


class Disk:
    """One market's folder of journals. All of it may run on a thread of its own.

    All agents of a fleet share ``keep_bytes``, and each deletes its own oldest parts while all
    together hold more. ``trouble`` says why nothing more is written; ``say`` is told it once.
    """

    def __init__(self, folder: Path, keep_bytes: int, say: Callable[[str], object]) -> None:
        self.trouble: str | None = None
        self._folder = folder
        self._keep_bytes = keep_bytes
        self._say = say
        self._file: IO[bytes] | None = None

    def open(self, name: str) -> None:
        """A new file; the one before it is closed."""
        self.close()
        if self.trouble is not None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._prune()
            self._file = (self._folder / name).open("xb", buffering=0)
        except OSError as error:
            self.give_up(error.strerror or str(error))

    def write(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            written = self._file.write(data)
        except OSError as error:
            self.give_up(error.strerror or str(error))
            return
        if written < len(data):  # the last bytes of a full disk
            self.give_up(os.strerror(errno.ENOSPC))

    def close(self) -> None:
        held, self._file = self._file, None
        if held is not None:
            held.close()

    def give_up(self, why: str) -> None:
        if self.trouble is not None:
            return
        self.trouble = f"{self._folder}: {why}"
        self.close()
        self._say(self.trouble)

    def _prune(self) -> None:
        held = sum(map(_size, self._folder.parent.parent.glob("*/journal/*")))
        for path in sorted(self._folder.glob("*.zst")):
            if held <= self._keep_bytes:
                return
            held -= _size(path)
            path.unlink()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another agent has just deleted its own
        return 0
