"""A watch on the running event loop: it sleeps for 20 ms, and looks how long that took.

The whole time between two of its turns is the gap: no stall between them was longer. What of it
the kernel let the thread wait for a core is known too, and the rest is the program's own doing:
it computed, or it waited for something.
"""

import asyncio
import gc
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from agents.runtime.loops import LoopView, Stall, Stalls

EVERY_S: Final = 0.02
KEEP_S: Final = 5.0
_SCHEDSTAT: Final = "/proc/thread-self/schedstat"


def _queued_ns(schedstat: int | None) -> int | None:
    """How long this thread has waited for a core since it began; None where nobody counts."""
    if schedstat is None:
        return None
    try:
        return int(os.pread(schedstat, 64, 0).split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _schedstat() -> int | None:
    try:
        return os.open(_SCHEDSTAT, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


async def watch(path: Path, tell: Callable[[Stall], object] | None = None) -> None:
    """Watch the running loop for ever; what is seen stands in ``path``, at most 5 s old.

    ``tell`` hears of each stall. Files that cannot be written are done without.
    """
    stalls, schedstat = Stalls(), _schedstat()
    began_s = last_s = time.monotonic()
    queued_ns = _queued_ns(schedstat)
    kept_s = 0.0
    while True:
        await asyncio.sleep(EVERY_S)
        now_s, now_queued_ns = time.monotonic(), _queued_ns(schedstat)
        queued_ms = None
        if queued_ns is not None and now_queued_ns is not None:
            queued_ms = round((now_queued_ns - queued_ns) / 1e6, 1)
        at_ms = time.time_ns() // 1_000_000
        stalled = stalls.note(now_s, (now_s - last_s) * 1e3, queued_ms, at_ms)
        last_s, queued_ns = now_s, now_queued_ns
        if stalled and tell is not None:
            tell(stalls.last[-1])
        if now_s - kept_s >= KEEP_S:
            kept_s = now_s
            _keep(path, _view(stalls, now_s, now_s - began_s, at_ms))


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
    )


def _keep(path: Path, view: LoopView) -> None:
    draft = path.with_suffix(".new")
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.write_bytes(msgspec.json.encode(view))
        draft.replace(path)
