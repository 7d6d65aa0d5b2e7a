"""The action log on disk: one ``os.write`` a record, before the bytes it speaks of leave."""

import os
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from fleet.gateway.framing import KINDS, Record, frame, measure, read_records
from fleet.gateway.records import Body
from fleet.gateway.standing import Standing

SEGMENT_BYTES_MAX: Final = 4 << 20
"""A gateway that starts reads the last two, while its orders rest unwatched."""
KEPT_NS: Final = 30 * 86_400 * 1_000_000_000


class ActionLog:
    """Segments ``<first seq>.log`` in one folder; one writer.

    ``append`` raises OSError where the disk is full or gone: the caller then takes no new risk.
    """

    def __init__(self, folder: Path, passed: Callable[[], int | None] = lambda: None) -> None:
        """``passed``: the last sequence number the ledger has booked; None: not known."""
        self.folder = folder
        self._passed = passed
        self.standing: Standing | None = None  # what each new segment begins with
        self.seq = 0
        self._fd = -1
        self._size = 0
        self._dirty = False

    def open(self) -> None:
        """Cut a torn tail off the last segment and go on behind it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        segments = self.segments()
        if not segments:
            self._begin()
            return
        self._size, last_seq = measure(segments[-1])
        while last_seq is None and len(segments) > 1:
            segments.pop().unlink()  # began, and not one record reached the disk
            self._size, last_seq = measure(segments[-1])
        path = segments[-1]
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        os.ftruncate(self._fd, self._size)
        self.seq = last_seq if last_seq is not None else int(path.stem) - 1

    def segments(self) -> list[Path]:
        """Oldest first."""
        return sorted(self.folder.glob("*.log"), key=lambda path: int(path.stem))

    def append(self, body: Body, wall_ns: int) -> int:
        """Write one record; its sequence number."""
        size = len(frame(Record.of(self.seq + 1, wall_ns, body)))
        if self._size + size > SEGMENT_BYTES_MAX and self._size > 0:
            self._begin()
            self._prune(wall_ns)
        if self.standing is None:
            return self._write(body, wall_ns)
        if not self._size and self.seq:
            self._write(self.standing.head(), wall_ns)
        seq = self._write(body, wall_ns)
        self.standing.written(body)
        return seq

    def _write(self, body: Body, wall_ns: int) -> int:
        data = frame(Record.of(self.seq + 1, wall_ns, body))
        written = os.write(self._fd, data)
        if written != len(data):  # a full disk: take the piece back, so that the log stays whole
            os.ftruncate(self._fd, self._size)
            raise OSError("the action log's disk is full")
        self._size += written
        self.seq += 1
        self._dirty = True
        return self.seq

    def _begin(self) -> None:
        path = self.folder / f"{self.seq + 1:012d}.log"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if self._fd >= 0:
            os.fdatasync(self._fd)
            os.close(self._fd)
        self._fd, self._size = fd, os.fstat(fd).st_size

    def _prune(self, wall_ns: int) -> None:
        """Segments that are old and booked; without a ledger none."""
        segments, passed = self.segments(), self._passed()
        for path, later in pairwise(segments):
            booked = passed is not None and int(later.stem) - 1 <= passed
            if booked and wall_ns - path.stat().st_mtime_ns > KEPT_NS:
                path.unlink()

    def take_dirty(self) -> int | None:
        """A descriptor to fdatasync and close (in a thread), if anything was written since."""
        if not self._dirty:
            return None
        self._dirty = False
        return os.dup(self._fd)

    def tail(self, segments: int = 2, kinds: Collection[str] = KINDS) -> Iterator[Record]:
        """The records of the last segments, in order; of other kinds none is decoded."""
        for path in self.segments()[-segments:]:
            for _, record in read_records(path, kinds=kinds):
                yield record

    def close(self) -> None:
        if self._fd >= 0:
            os.fdatasync(self._fd)
            os.close(self._fd)
            self._fd = -1


def sync(descriptor: int) -> None:
    """Blocking: for a thread."""
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
