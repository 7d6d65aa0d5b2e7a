"""How long an event loop did not turn: the worst, the worst of the last minute, and how often."""

from collections import deque
from pathlib import Path
from typing import Final

import msgspec

from agents.telemetry.timings import Timing

STALL_MS: Final = 100.0
MINUTE_S: Final = 60
_LAST: Final = 8


class Stall(msgspec.Struct, frozen=True):
    """One gap of more than 100 ms.

    ``queued_ms`` of it there was no core for the thread: others sat on them all, or the host of
    the virtual machine did. None: not known.
    """

    at_ms: int
    gap_ms: float
    queued_ms: float | None


class LoopView(msgspec.Struct, frozen=True):
    """What one process tells of its loop. ``own``: without what was spent waiting for a core.

    ``timings``: what else the process measured, since it began.
    """

    pid: int
    as_of_ms: int
    watched_s: float
    worst_ms: float
    worst_own_ms: float
    minute_worst_ms: float
    stalls: int
    own_stalls: int
    last: tuple[Stall, ...]
    timings: dict[str, Timing] = {}


class Stalls:
    """The gaps of one loop; a second's worst is kept for a minute."""

    def __init__(self) -> None:
        self.worst_ms = self.worst_own_ms = 0.0
        self.stalls = self.own_stalls = 0
        self.last: deque[Stall] = deque(maxlen=_LAST)
        self._seconds: deque[tuple[int, float]] = deque(maxlen=MINUTE_S + 1)

    def note(self, now_s: float, gap_ms: float, queued_ms: float | None, at_ms: int) -> bool:
        """Take one gap; True if it is a stall."""
        own_ms = max(0.0, gap_ms - (queued_ms or 0.0))
        self.worst_ms = max(self.worst_ms, gap_ms)
        self.worst_own_ms = max(self.worst_own_ms, own_ms)
        second = int(now_s)
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, max(gap_ms, self._seconds[-1][1]))
        else:
            self._seconds.append((second, gap_ms))
        if gap_ms <= STALL_MS:
            return False
        self.stalls += 1
        self.own_stalls += own_ms > STALL_MS
        self.last.append(Stall(at_ms, round(gap_ms, 1), queued_ms))
        return True

    def minute_worst_ms(self, now_s: float) -> float:
        since = int(now_s) - MINUTE_S
        return max((worst for second, worst in self._seconds if second > since), default=0.0)


def read(path: Path) -> LoopView | None:
    """What a process last told of its loop; None if it never did."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=LoopView)
    except (OSError, msgspec.MsgspecError):
        return None
