"""Event to commands: the engine's time for a touch that moves quotes, and for one that doesn't."""

import json
import random
import statistics
import time

import msgspec

from agents.commands import Cancel, Place
from agents.events import Bbo
from agents.market.types import Level
from agents.market.units import NS_PER_MS
from tests.bench.figures import Figures, per_call_s
from tests.unit.agents.driver import COIN, SETTINGS, Driver

ROUNDS = 4_000
LEVEL = {"px": "199.97", "sz": "123.45", "n": 3}
FRAME = json.dumps(
    {
        "channel": "l2Book",
        "data": {"coin": "SOL", "time": 1_750_000_000_000, "levels": [[LEVEL] * 20] * 2},
    }
)


def _drive() -> tuple[list[float], list[float]]:
    """Seconds of each touch that led to requests, and of each that did not; five levels a side."""
    rng = random.Random(7)
    strategy = msgspec.structs.replace(SETTINGS.strategy, levels=5, kappa_prior_per_bps=1.0)
    driver = Driver(settings=msgspec.structs.replace(SETTINGS, strategy=strategy))
    driver.pass_s(7.0)
    driver.fed = False
    requoted: list[float] = []
    quiet: list[float] = []
    for _ in range(ROUNDS):
        driver.pass_s(0.1)
        driver.mid_px *= 1.0 + rng.gauss(0.0, 0.5e-4)
        driver.now_ns += NS_PER_MS
        levels = (Level(driver.mid_px - 0.01, 50.0), Level(driver.mid_px + 0.01, 50.0))
        bbo = Bbo(coin=COIN, venue_ms=driver.now_ms, bbo=levels)
        began = time.perf_counter()
        told = driver.engine.handle(bbo, driver.now_ns)
        spent = time.perf_counter() - began
        (requoted if told else quiet).append(spent)
        for command in told:
            if isinstance(command, Place | Cancel):
                answer = driver.answer(command)
                assert answer is not None
                driver.tell(answer)
    return requoted, quiet


def test_event_to_commands(figures: Figures) -> None:
    json_s = per_call_s(lambda: json.loads(FRAME), calls=500)
    requoted, quiet = _drive()
    assert len(requoted) > 200
    assert len(quiet) > 200
    for name, spent, target_us in (
        ("engine, event with requote, p50", requoted, 250),
        ("engine, event without requote, p50", quiet, 60),
    ):
        figures.add(
            f"{name} (target {target_us} us)",
            value_s=statistics.median(spent),
            yardstick="json.loads of a 20x20 frame",
            yardstick_s=json_s,
            ratio_max=target_us / 18,  # the targets stand where that frame takes 18 us
        )
