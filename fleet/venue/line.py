"""Delayed deliveries that never overtake one another."""

from collections import deque
from collections.abc import Callable

from fleet.venue.clock import Clock


class Line:
    """Runs what is put into it in that order, each after its delay at the earliest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: deque[tuple[float, Callable[[], None]]] = deque()
        self._timed = False
        self._last_s = 0.0

    def put(self, delay_s: float, deliver: Callable[[], None]) -> None:
        """Deliver after ``delay_s``, yet not before what was put earlier; 0 = at once if it may."""
        self._last_s = max(self._last_s, self._clock.elapsed_s() + delay_s)
        self._due.append((self._last_s, deliver))
        if not self._timed:
            self._run()

    def _run(self) -> None:
        now_s = self._clock.elapsed_s()
        while self._due and self._due[0][0] <= now_s:
            self._due.popleft()[1]()
        self._timed = bool(self._due)
        if self._timed:
            self._clock.call_later(self._due[0][0] - now_s, self._run)
