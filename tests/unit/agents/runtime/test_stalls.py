"""A loop that does not turn is seen, told and written down."""

import asyncio
import contextlib
import gc
import time
from pathlib import Path

from agents.runtime.loops import Stall, read
from agents.runtime.stalls import spare_collector, watch


async def test_a_blocked_loop_is_told_and_kept(tmp_path: Path) -> None:
    told: asyncio.Queue[Stall] = asyncio.Queue()
    kept = tmp_path / "loops" / "gateway.json"
    watching = asyncio.create_task(watch(kept, told.put_nowait))
    async with asyncio.timeout(20):
        await asyncio.sleep(0.1)
        time.sleep(0.15)  # noqa: ASYNC251 - the very thing that is to be seen
        assert (await told.get()).gap_ms > 100
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    view = read(kept)
    assert view is not None
    assert view.watched_s >= 0


def test_what_lives_now_is_not_looked_through_again() -> None:
    before = gc.get_freeze_count()
    try:
        spare_collector()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
