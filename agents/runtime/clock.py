"""Unix time that never steps: the wall clock once, the monotonic clock since."""

import time


class Clock:
    """``now_ns`` is the time that engines are told; leases and cloids survive a stepped clock."""

    __slots__ = ("_offset_ns",)

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        return time.monotonic_ns() + self._offset_ns
