"""A loop that does not turn is seen, told and written down."""

import asyncio
import contextlib
import gc
import os
import time
from pathlib import Path

from agents.runtime.loops import Stall, read
from agents.runtime.stalls import _stolen_ticks, spare_collector, watch


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


def test_what_the_host_takes_is_read_from_the_rows_of_the_cores(tmp_path: Path) -> None:
    table = tmp_path / "stat"
    table.write_text(
        "cpu  9 9 9 9 9 9 9 30 0 0\ncpu0 1 2 3 4 5 6 7 10 0 0\ncpu1 1 2 3 4 5 6 7 20 0 0\nintr 5\n"
    )
    file = os.open(table, os.O_RDONLY)
    try:
        assert _stolen_ticks(file) == (10, 20)
    finally:
        os.close(file)
    assert _stolen_ticks(None) == ()
