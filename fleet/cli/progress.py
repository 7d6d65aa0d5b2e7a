"""How a rollout goes on: a bar on a terminal, a line a change everywhere else."""

import sys
from typing import Final, TextIO

WIDTH: Final = 30
_ERASE: Final = "\r\x1b[K"


class Progress:
    """Writes to ``stream``; a bar where that is a terminal. ``end`` leaves nothing half written."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._bar = self._stream.isatty()
        self._total = max(total, 1)
        self._shown = ""

    def line(self, text: str) -> None:
        """Something has changed."""
        self._write(f"{_ERASE if self._shown else ''}{text}\n{self._shown}")

    def at(self, done: int, told: str) -> None:
        """So many of all are done; without a terminal nothing is written."""
        if not self._bar:
            return
        full = WIDTH * min(done, self._total) // self._total
        self._shown = f"[{'#' * full}{'.' * (WIDTH - full)}] {done}/{self._total} {told}"[:79]
        self._write(_ERASE + self._shown)

    def end(self) -> None:
        if self._shown:
            self._write(_ERASE)
            self._shown = ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
