"""The whole fleet in one thread, heavy faults, all invariants: an event, a simulated second."""

import time

from fleet.cli.simulate import seldom_collected
from tests.bench.figures import Figures, per_call_s
from tests.simulation.world_seeds import run

MARKETS = 4
SECONDS = 60.0
SEEDS = (1, 5, 7)
EVENT_S = 1 / 4_000
SECOND_S = 1 / 40
YARDSTICK_S = 1e-3


def _plain_python() -> None:
    """Twenty thousand dictionary writes: the yardstick of this machine."""
    table: dict[int, int] = {}
    for i in range(20_000):
        table[i % 997] = i


def test_a_world_of_four_markets(figures: Figures) -> None:
    """4 000 events a second and 40 times real time, where the yardstick takes 1 ms."""
    yardstick = min(per_call_s(_plain_python, calls=1, rounds=1) for _ in range(50))
    spent_s = simulated_s = 0.0
    events = 0
    for seed in SEEDS:
        began_s = time.process_time()
        with seldom_collected():
            done = run(seed, markets=MARKETS, seconds=SECONDS)
        spent_s += time.process_time() - began_s
        assert not done.violations
        events += done.events
        simulated_s += done.simulated_s
    for name, count, limit_s in (
        ("an event of a world of 4 markets", float(events), EVENT_S),
        ("a second of a world of 4 markets", simulated_s, SECOND_S),
    ):
        figures.add(
            name,
            value_s=spent_s / count,
            yardstick="20 000 dictionary writes",
            yardstick_s=yardstick,
            ratio_max=limit_s / YARDSTICK_S,
        )
