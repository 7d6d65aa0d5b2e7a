"""Delayed deliveries that never overtake one another."""

import asyncio
from collections import deque
from collections.abc import Callable


class Line:
    """Runs what is put into it in that order, each after its delay at the earliest."""

    def __init__(self) -> None:
        self._due: deque[tuple[float, Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._last_s = 0.0

    def put(self, delay_s: float, deliver: Callable[[], None]) -> None:
        """Deliver after ``delay_s``, yet not before what was put earlier; 0 = at once if it may."""
        loop = asyncio.get_running_loop()
        self._last_s = max(self._last_s, loop.time() + delay_s)
        self._due.append((self._last_s, deliver))
        if self._timer is None:
            self._run()

    def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._due and self._due[0][0] <= loop.time():
            self._due.popleft()[1]()
        self._timer = loop.call_at(self._due[0][0], self._run) if self._due else None
