"""What goes to disk, written by a thread of its own: an event loop never waits for a disk.

A plain append takes microseconds until the file system commits or writes back; then it takes as
long as the disk does.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

BYTES_MAX: Final = 16 << 20
Job = Callable[[], None]
Later = Callable[[Job, int], bool]
"""Do this, now or soon, in the order given; it writes so many bytes. False: it won't be done."""


def at_once(job: Job, _size: int) -> bool:
    """For whoever may wait."""
    job()
    return True


class Scribe:
    """Does jobs one after another on its own thread. A job handles its own ``OSError``."""

    def __init__(self, *, bytes_max: int = BYTES_MAX) -> None:
        """``bytes_max``: of what waits; a disk that hangs must not fill the memory."""
        self._bytes_max = bytes_max
        self._jobs: SimpleQueue[tuple[Job, int] | None] = SimpleQueue()
        self._given = self._done = 0  # each written by one thread alone
        self._finished = False
        self._thread = threading.Thread(target=self._run, name="scribe", daemon=True)
        self._thread.start()

    def give(self, job: Job, size: int) -> bool:
        """False where too much waits already. At once after ``finish``."""
        if self._finished:
            return at_once(job, size)
        if self._given - self._done + size > self._bytes_max or not self._thread.is_alive():
            return False
        self._given += size
        self._jobs.put((job, size))
        return True

    def finish(self, within_s: float) -> bool:
        """All that was given is done, unless the disk takes longer; True if it is."""
        self._finished = True
        self._jobs.put(None)
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (given := self._jobs.get()) is not None:
            job, size = given
            job()
            self._done += size
