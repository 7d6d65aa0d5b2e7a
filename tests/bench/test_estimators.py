"""From a frame into the panel, and what it costs to read the belief; a day's state."""

import json
import random
import statistics
import time
from collections.abc import Iterator

from agents.estimators.panel import Panel
from agents.events import Bbo, Book, Trades
from agents.exchange.codec import decode_frame
from agents.market.units import NS_PER_MS
from agents.settings import StrategySettings
from tests.bench.estimators import DAY_S, live, state_bytes, street
from tests.bench.figures import Figures
from tests.bench.test_engine import FRAME
from tests.simulation.recorded import feed

STEPS = 12_000
LEVELS = 20
TARGETS_US = {"l2Book": 25, "bbo": 12, "trades": 12}
RATIO_MAX = {"bbo": 0.45}  # held tighter than its target asks
BELIEF_US = 8
JSON_BOOK_US = 24  # json.loads of that frame, where the targets in us were checked


def _frames() -> Iterator[tuple[str, bytes, int]]:
    """At life's pace: a touch each 100 ms, a book each 540, a burst each 750 in the mean."""
    rng = random.Random(3)
    mid, tid, book_ms = 200.0, 0, 0

    def level(offset: float) -> dict[str, object]:
        return {"px": f"{mid + offset:.3f}", "sz": f"{rng.expovariate(0.1):.2f}", "n": 3}

    for step in range(STEPS):
        at_ms = 1_750_000_000_000 + step * 100 + rng.randrange(90)
        mid *= 1.0 + rng.gauss(0.0, 0.3e-4)
        yield "bbo", _frame("bbo", at_ms, {"bbo": [level(-0.01), level(0.01)]}), at_ms
        if at_ms >= book_ms:
            book_ms = at_ms + 540
            sides = [[level(sign * 0.01 * (i + 1)) for i in range(LEVELS)] for sign in (-1, 1)]
            yield "l2Book", _frame("l2Book", at_ms + 1, {"levels": sides}), at_ms + 1
        if rng.random() < 0.13:
            tid += 1
            side, sign = rng.choice((("B", 1), ("A", -1)))
            row = {"coin": "SOL", "side": side, "time": at_ms + 2, "tid": tid}
            row |= {"px": f"{mid + sign * 0.02:.3f}", "sz": "1.5", "hash": "0x" + "0" * 64}
            data = json.dumps({"channel": "trades", "data": [row]}, separators=(",", ":"))
            yield "trades", data.encode(), at_ms + 2


def _frame(channel: str, at_ms: int, more: dict[str, object]) -> bytes:
    data = {"coin": "SOL", "time": at_ms, **more}
    return json.dumps({"channel": channel, "data": data}, separators=(",", ":")).encode()


def test_frame_to_belief(figures: Figures) -> None:
    frames = list(_frames())
    panel = Panel(StrategySettings(), 0)
    spent: dict[str, list[float]] = {name: [] for name in TARGETS_US}
    yardsticks: list[float] = []
    read: list[float] = []
    for index, (channel, raw, at_ms) in enumerate(frames):
        if index % 10 == 0:  # in turn, so that both see the same machine
            began = time.perf_counter()
            json.loads(FRAME)
            yardsticks.append(time.perf_counter() - began)
        began = time.perf_counter()
        event = decode_frame(raw)
        assert isinstance(event, Book | Bbo | Trades)
        feed(panel, event, at_ms * NS_PER_MS)
        fed = time.perf_counter()
        spent[channel].append(fed - began)
        panel.estimates(at_ms * NS_PER_MS)
        read.append(time.perf_counter() - fed)
    json_s = statistics.median(yardsticks)
    for channel, target_us in TARGETS_US.items():
        figures.add(
            f"{channel}, decode and panel, p50 (target {target_us} us)",
            value_s=statistics.median(spent[channel]),
            yardstick="json.loads of a 20x20 frame",
            yardstick_s=json_s,
            ratio_max=RATIO_MAX.get(channel, target_us / JSON_BOOK_US),
        )
    figures.add(
        "reading the belief, p50",
        value_s=statistics.median(read),
        yardstick="json.loads of a 20x20 frame",
        yardstick_s=json_s,
        ratio_max=BELIEF_US / JSON_BOOK_US,
    )


def test_a_day_of_state_is_small_and_flat() -> None:
    panel = Panel(StrategySettings(), 0)
    sizes = []
    coming = street(1, DAY_S)
    for _ in range(4):
        live(panel, (next(coming) for _ in range(DAY_S // 2)))
        sizes.append(state_bytes(panel))
    assert sizes[-1] < 2_000_000
    assert sizes[-1] < 1.05 * sizes[1]
