"""The manual clock: still until told, then everything at its own time and in its order."""

import asyncio

from fleet.venue.clock import ManualClock, midnight_ns

S_NS = 1_000_000_000


async def test_what_is_due_happens_at_its_time_and_not_before() -> None:
    clock, seen = ManualClock(0), list[tuple[str, float]]()

    async def nap() -> None:
        await clock.sleep(0.5)
        seen.append(("first", clock.elapsed_s()))
        await clock.sleep(0.5)
        seen.append(("second", clock.elapsed_s()))

    napping = asyncio.create_task(nap())
    clock.call_later(0.7, lambda: seen.append(("call", clock.elapsed_s())))
    await clock.forward(S_NS // 4)
    assert seen == []
    await clock.forward(2 * S_NS)
    assert seen == [("first", 0.5), ("call", 0.7), ("second", 1.0)]
    assert clock.now_ns() == 2 * S_NS
    await napping


async def test_one_who_leaves_while_asleep_troubles_no_one() -> None:
    clock = ManualClock(0)
    napping = asyncio.create_task(clock.sleep(1.0))
    await asyncio.sleep(0)
    napping.cancel()
    await clock.forward(2 * S_NS)
    assert napping.cancelled()


def test_a_day_starts_at_midnight() -> None:
    assert midnight_ns(86_400 * S_NS * 3 + 5) == 86_400 * S_NS * 3
