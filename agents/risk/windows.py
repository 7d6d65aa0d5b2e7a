"""Short memories: the range of a value, a count, and since when something has been so."""

from collections import deque
from math import inf
from typing import Final

SLOTS: Final = 10


class Range:
    """Lowest and highest of a value over ``span_ns``, in ``SLOTS`` slots of equal length; up to one
    slot more is remembered. Both are kept as values come, and looked for only as one is forgotten.
    """

    __slots__ = ("_high", "_low", "_slot_ns", "_slots", "_span_ns")

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._slot_ns = span_ns // SLOTS
        self._slots: deque[tuple[int, list[float]]] = deque()  # since when; lowest and highest
        self._low, self._high = inf, -inf

    def add(self, value: float, now_ns: int) -> None:
        slots = self._slots
        if slots and now_ns - slots[-1][0] < self._slot_ns:
            last = slots[-1][1]
            last[:] = min(last[0], value), max(last[1], value)
        else:
            slots.append((now_ns, [value, value]))
        self._low, self._high = min(self._low, value), max(self._high, value)
        self._forget(now_ns)

    def low(self, now_ns: int) -> float | None:
        self._forget(now_ns)
        return self._low if self._slots else None

    def high(self, now_ns: int) -> float | None:
        self._forget(now_ns)
        return self._high if self._slots else None

    def _forget(self, now_ns: int) -> None:
        slots, furthest_ns = self._slots, now_ns - self._span_ns - self._slot_ns
        if not slots or slots[0][0] >= furthest_ns:
            return
        while slots and slots[0][0] < furthest_ns:
            slots.popleft()
        self._low = min([low for _, (low, _) in slots], default=inf)
        self._high = max([high for _, (_, high) in slots], default=-inf)


class Count:
    """How often something happened within ``span_ns``; more than ``most`` are not told apart."""

    __slots__ = ("_span_ns", "_times")

    def __init__(self, span_ns: int, most: int = 1_000) -> None:
        self._span_ns = span_ns
        self._times: deque[int] = deque(maxlen=most)

    def add(self, now_ns: int) -> None:
        self._times.append(now_ns)

    def count(self, now_ns: int) -> int:
        times = self._times
        while times and now_ns - times[0] > self._span_ns:
            times.popleft()
        return len(times)


class Since:
    """Since when a condition has held without a break."""

    __slots__ = ("_since_ns",)

    def __init__(self) -> None:
        self._since_ns: int | None = None

    def told(self, now_ns: int, *, holds: bool) -> int | None:
        """For how long, ns; None while it doesn't."""
        if not holds:
            self._since_ns = None
            return None
        if self._since_ns is None:
            self._since_ns = now_ns
        return now_ns - self._since_ns
