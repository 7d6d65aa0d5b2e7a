"""Deliveries: in the order put, whatever their delays."""

import asyncio

from fleet.venue.clock import RealClock
from fleet.venue.line import Line


async def test_a_short_delay_never_overtakes_a_long_one() -> None:
    line, seen = Line(RealClock()), list[int]()
    done = asyncio.Event()
    line.put(0.02, lambda: seen.append(1))
    line.put(0.0, lambda: seen.append(2))
    line.put(0.01, lambda: seen.append(3))
    line.put(0.0, done.set)
    assert seen == []
    await asyncio.wait_for(done.wait(), 5)
    assert seen == [1, 2, 3]


async def test_no_delay_delivers_at_once() -> None:
    line, seen = Line(RealClock()), list[int]()
    line.put(0.0, lambda: seen.append(1))
    assert seen == [1]
