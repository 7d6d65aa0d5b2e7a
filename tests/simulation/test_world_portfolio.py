"""A fleet in one thread, its risk knowing how markets move: rows out, holdings after each fill."""

import math
import random

from agents.events import Event, Fills, GammaRowReceived, HoldingsSeen
from agents.market.units import NS_PER_MS
from fleet.manifests.spec import FleetRisk
from fleet.risk.covariance import SAMPLE_MS, Seen
from fleet.world.counterparties import Counterparties
from fleet.world.simulate import settings
from fleet.world.world import World

NAMES = ("BTC", "ETH", "SOL")
WIDE = 1e12
NEAR_NS = 20 * NS_PER_MS


def test_a_fill_in_one_market_moves_the_quotes_of_the_others_within_20_ms() -> None:
    def chance(purpose: str) -> random.Random:
        return random.Random(f"11 {purpose}")

    risk = FleetRisk(WIDE, WIDE, WIDE, WIDE, drawdown_max_share=0.99, cross_market="on")
    market = Counterparties(NAMES, chance("flow"), "lively")
    world = World({name: settings(name, "hold") for name in NAMES}, risk, market, chance)
    draw, start_ms = random.Random(1), world.now_ms - 400_000
    log_px = dict.fromkeys(NAMES, 0.0)
    for step in range(40):  # it has been watching them for a while
        common = draw.gauss(0, 1)
        for name in NAMES:
            log_px[name] += 5e-4 * (common + 0.5 * draw.gauss(0, 1))
        seen = {name: Seen(math.exp(px), 0) for name, px in log_px.items()}
        world.rounds.covariance.sample(seen, start_ms + step * SAMPLE_MS)
    told: list[tuple[int, str, Event]] = []

    def listen(name: str) -> None:
        agent = world.agents[name]
        agent.observe = lambda event, now_ns, _: told.append((now_ns, name, event))

    for name in NAMES:
        listen(name)

    world.run(12.0)
    assert world.checks.violations == []
    rows = {name for _, name, event in told if isinstance(event, GammaRowReceived)}
    assert rows == set(NAMES)
    heard = [(at, name) for at, name, event in told if isinstance(event, HoldingsSeen)]
    begun_ns = min(at for at, _ in heard)
    fills = [
        (at, name)
        for at, name, event in told
        if isinstance(event, Fills) and not event.is_snapshot and at > begun_ns
    ]
    assert fills, "nothing was filled"
    for at, filled in fills:
        for name in set(NAMES) - {filled}:
            assert any(abs(then - at) <= NEAR_NS and who == name for then, who in heard)
