"""The venue's time: the machine's, or one that stands still until it is told to go on."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Final, Protocol

from agents.market.units import NS_PER_S

TURNS: Final = 20
DAY_S: Final = 86_400


class Clock(Protocol):
    """What the venue asks for time. All calls come from one loop."""

    def now_ns(self) -> int:
        """Unix time."""

    def elapsed_s(self) -> float:
        """Seconds since some moment; never steps back."""

    def call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Run a call once so much time has passed."""

    async def sleep(self, delay_s: float) -> None:
        """Return once so much time has passed."""


class RealClock:
    """The machine's time."""

    def now_ns(self) -> int:
        return time.time_ns()

    def elapsed_s(self) -> float:
        return asyncio.get_running_loop().time()

    def call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(delay_s, call)

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)


class ManualClock:
    """Stands still between calls of ``forward``. What is due at one time runs as it was asked."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns
        self._start_ns = start_ns
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def now_ns(self) -> int:
        return self._now_ns

    def elapsed_s(self) -> float:
        return (self._now_ns - self._start_ns) / NS_PER_S

    def call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        due_ns = self._now_ns + round(delay_s * NS_PER_S)
        heapq.heappush(self._due, (due_ns, next(self._numbers), call))

    async def sleep(self, delay_s: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.call_later(delay_s, lambda: None if woken.done() else woken.set_result(None))
        await woken

    async def forward(self, until_ns: int) -> None:
        """Go on to this time; each call due by then runs at its own, and what waits for it too."""
        await settle()
        while self._due and self._due[0][0] <= until_ns:
            due_ns, _, call = heapq.heappop(self._due)
            self._now_ns = max(self._now_ns, due_ns)
            call()
            await settle()
        self._now_ns = max(self._now_ns, until_ns)


async def settle() -> None:
    """Let every task of the loop do what it can do now."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


def midnight_ns(now_ns: int) -> int:
    """The start of the day (UTC): where a manual clock begins.

    All day long it is the same, so that equal requests meet equal times; and nonces taken from the
    machine's clock are within the day that the venue lets them be ahead.
    """
    return now_ns - now_ns % (DAY_S * NS_PER_S)
