"""A network on the heap: lanes that keep their order, and lose, double and delay what is sent.

A *lane* is one ordered way, such as a connection's channel; two lanes may overtake one another. A
*line* is what lanes share, such as a connection: when it is cut, all that is on its way is lost.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec

from agents.market.units import NS_PER_MS
from agents.sim.flow_price import Chance
from agents.sim.heap import Heap

_DOUBLE_MS: Final = 400.0


class Weather(msgspec.Struct, frozen=True):
    """One kind of way. ``delay_ms``: median; ``jitter``: standard deviation of its logarithm;
    ``lost``, ``doubled``, ``slow``: shares; a slow one takes ``slow_ms`` more.
    """

    delay_ms: float
    jitter: float = 0.3
    lost: float = 0.0
    doubled: float = 0.0
    slow: float = 0.0
    slow_ms: float = 0.0


class Network:
    """Draws each delay from one seeded source. ``faults`` counts what was done to frames;
    ``reorder``: one arrived after another that was sent later over the same line.
    """

    def __init__(self, heap: Heap, chance: Chance) -> None:
        self._heap = heap
        self._chance = chance
        self._free_ns: dict[str, int] = {}
        self._cuts: Counter[str] = Counter()
        self._sent = 0
        self._heard: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    def send(
        self, line: str, lane: str | None, weather: Weather, deliver: Callable[[], None]
    ) -> None:
        """Put something on its way; behind all that went before it in its lane. None: its own."""
        if weather.lost and self._chance.random() < weather.lost:
            self.faults["loss"] += 1
            return
        heap, epoch = self._heap, self._cuts[line]
        self._sent += 1
        number = self._sent

        def arrive() -> None:
            if self._cuts[line] == epoch:
                if number < self._heard[line]:
                    self.faults["reorder"] += 1
                self._heard[line] = max(number, self._heard[line])
                deliver()
            else:
                self.faults["cut"] += 1

        name = f"{line} {lane}"
        at_ns = heap.now_ns + self._delay_ns(weather)
        if lane is not None:
            at_ns = self._free_ns[name] = max(at_ns, self._free_ns.get(name, 0))
        heap.at(at_ns, name, arrive)
        if weather.doubled and self._chance.random() < weather.doubled:
            self.faults["duplicate"] += 1
            later_ns = round(self._chance.random() * _DOUBLE_MS * NS_PER_MS)
            heap.at(at_ns + later_ns, name, arrive)

    def cut(self, line: str) -> None:
        """All that is on its way is lost; what is sent from now on starts afresh."""
        self._cuts[line] += 1
        for name in [name for name in self._free_ns if name.startswith(f"{line} ")]:
            del self._free_ns[name]

    def _delay_ns(self, weather: Weather) -> int:
        delay_ms = weather.delay_ms * self._chance.lognormvariate(0.0, weather.jitter)
        if weather.slow and self._chance.random() < weather.slow:
            self.faults["delay"] += 1
            delay_ms += weather.slow_ms * self._chance.random()
        return round(delay_ms * NS_PER_MS)
