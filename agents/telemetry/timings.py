"""How long things took in this process, in buckets: kept for the metrics, bounded, never reset.

One table a process: whoever measures notes under a name of ``NAMES``; who watches the process's
loop writes the table beside it. Nothing that decides reads it.
"""

from bisect import bisect_left
from typing import Final, Literal

import msgspec

Name = Literal["event_loop_lag", "tick_to_order", "gateway_in", "gateway_out", "ack"]

BOUNDS_S: Final = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
)  # fmt: skip
"""Upper ends of the buckets, seconds; one more, without an end, follows."""


class Timing(msgspec.Struct):
    """``counts``: how many fell into each bucket, each once; ``sum_s``: all of them together."""

    counts: list[int]
    sum_s: float = 0.0

    def note(self, seconds: float) -> None:
        """One more, of ``seconds``; what is below zero (a clock that stepped) counts as 0."""
        seconds = max(0.0, seconds)
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds

    @property
    def count(self) -> int:
        return sum(self.counts)


def empty() -> Timing:
    """Nothing noted yet."""
    return Timing([0] * (len(BOUNDS_S) + 1))


class Timings:
    """The table; a name appears once something was noted under it."""

    def __init__(self) -> None:
        self._noted: dict[Name, Timing] = {}

    def note(self, name: Name, seconds: float) -> None:
        timing = self._noted.get(name)
        if timing is None:
            timing = self._noted[name] = empty()
        timing.note(seconds)

    def all(self) -> dict[str, Timing]:
        return {str(name): timing for name, timing in self._noted.items()}


OF_PROCESS: Final = Timings()
