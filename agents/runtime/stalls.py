"""A watch on the running event loop: it sleeps for 20 ms, and looks how long that took.

The whole time between two of its turns is the gap: no stall between them was longer. What of it
the thread spent waiting for a core is known too, and the rest is the program's own doing: it
computed, or it waited for something.
"""

import asyncio
import gc
import itertools
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from agents.runtime.loops import LoopView, Stall, Stalls
from agents.telemetry.timings import OF_PROCESS

EVERY_S: Final = 0.02
KEEP_S: Final = 5.0
_SCHEDSTAT: Final = "/proc/thread-self/schedstat"
_STAT: Final = "/proc/stat"
_STEAL: Final = 8
_TICK_MS: Final = 1000 / os.sysconf("SC_CLK_TCK")


class Waits:
    """How long this thread could not run, though it wanted to: no core was free, or the host of
    a virtual machine had taken the core away.

    The kernel counts the first for each thread, and the second for each core, in ticks of 10 ms,
    whoever sat on it: of the cores the worst is taken, so the time is rather too long than short.
    """

    def __init__(self) -> None:
        self._thread, self._cores = _open(_SCHEDSTAT), _open(_STAT)
        self._queued_ns = _queued_ns(self._thread)
        self._stolen = _stolen_ticks(self._cores)

    def since_last_ms(self) -> float | None:
        """Milliseconds since the last call; None where nobody counts."""
        queued_ns, stolen = _queued_ns(self._thread), _stolen_ticks(self._cores)
        was_ns, self._queued_ns = self._queued_ns, queued_ns
        before, self._stolen = self._stolen, stolen
        if queued_ns is None or was_ns is None:
            return None
        taken = max((now - then for now, then in zip(stolen, before, strict=False)), default=0)
        return round((queued_ns - was_ns) / 1e6 + taken * _TICK_MS, 1)


def _queued_ns(file: int | None) -> int | None:
    if file is None:
        return None
    try:
        return int(os.pread(file, 64, 0).split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _stolen_ticks(file: int | None) -> tuple[int, ...]:
    """For each core; empty where nobody counts."""
    if file is None:
        return ()
    try:
        rows = os.pread(file, 8192, 0).splitlines()[1:]
        cores = itertools.takewhile(lambda row: row.startswith(b"cpu"), rows)
        return tuple(int(row.split()[_STEAL]) for row in cores)
    except (OSError, ValueError, IndexError):
        return ()


def _open(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


async def watch(path: Path, tell: Callable[[Stall], object] | None = None) -> None:
    """Watch the running loop for ever; what is seen stands in ``path``, at most 5 s old.

    ``tell`` hears of each stall. Files that cannot be written are done without. The loop does not
    wait for the disk.
    """
    stalls, waits = Stalls(), Waits()
    keeping: asyncio.Future[None] | None = None
    began_s = last_s = time.monotonic()
    kept_s = 0.0
    while True:
        await asyncio.sleep(EVERY_S)
        now_s = time.monotonic()
        OF_PROCESS.note("event_loop_lag", now_s - last_s - EVERY_S)
        at_ms = time.time_ns() // 1_000_000
        stalled = stalls.note(now_s, (now_s - last_s) * 1e3, waits.since_last_ms(), at_ms)
        last_s = now_s
        if stalled and tell is not None:
            tell(stalls.last[-1])
        if now_s - kept_s >= KEEP_S and (keeping is None or keeping.done()):
            kept_s = now_s
            view = _view(stalls, now_s, now_s - began_s, at_ms)
            keeping = asyncio.get_running_loop().run_in_executor(None, _keep, path, view)


def spare_collector() -> None:
    """Call once all is built: what lives now lives on, and is never looked through again."""
    gc.collect()
    gc.freeze()


def _view(stalls: Stalls, now_s: float, watched_s: float, at_ms: int) -> LoopView:
    return LoopView(
        pid=os.getpid(),
        as_of_ms=at_ms,
        watched_s=round(watched_s, 1),
        worst_ms=round(stalls.worst_ms, 1),
        worst_own_ms=round(stalls.worst_own_ms, 1),
        minute_worst_ms=round(stalls.minute_worst_ms(now_s), 1),
        stalls=stalls.stalls,
        own_stalls=stalls.own_stalls,
        last=tuple(stalls.last),
        timings=OF_PROCESS.all(),
    )


def _keep(path: Path, view: LoopView) -> None:
    draft = path.with_suffix(".new")
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_bytes(msgspec.json.encode(view))
        draft.replace(path)
