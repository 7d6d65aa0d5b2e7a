"""One heap of events: time jumps from one to the next, ties fall in the order they were pushed."""

import hashlib
import heapq
from collections.abc import Callable
from typing import Final

Happening = Callable[[], None]
_DIGEST_BYTES: Final = 8


class Heap:
    """``now_ns`` is the time of the event under way. ``digest`` names the history so far."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.events = 0
        self._pushed = 0
        self._heap: list[tuple[int, int, str, Happening]] = []
        self._history = hashlib.blake2b(digest_size=_DIGEST_BYTES)

    def after(self, delay_ns: int, label: str, happen: Happening) -> None:
        self.at(self.now_ns + delay_ns, label, happen)

    def at(self, at_ns: int, label: str, happen: Happening) -> None:
        """Never earlier than now: what should have happened before happens next."""
        self._pushed += 1
        heapq.heappush(self._heap, (max(at_ns, self.now_ns), self._pushed, label, happen))

    def every(self, period_ns: int, label: str, happen: Happening) -> None:
        """For ever, the first time at once."""

        def again() -> None:
            happen()
            self.after(period_ns, label, again)

        self.after(0, label, again)

    def run(self, until_ns: int, then: Happening) -> None:
        """Let everything up to ``until_ns`` happen; ``then`` is called after each event."""
        heap = self._heap
        while heap and heap[0][0] <= until_ns:
            self.now_ns, number, label, happen = heapq.heappop(heap)
            self._history.update(f"{self.now_ns} {number} {label}\n".encode())
            self.events += 1
            happen()
            then()
        self.now_ns = until_ns

    def note(self, data: bytes) -> None:
        """Something that belongs to the history beside the order of events."""
        self._history.update(data)

    @property
    def digest(self) -> str:
        return self._history.hexdigest()
