"""The engine and the embedded exchange agree, whatever happens on the way between them."""

import pytest

from tests.simulation.engine_faults import Faults
from tests.simulation.engine_world import World, simulate

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_engine_and_venue_agree_after_faults_heal(seed: int) -> None:
    simulate(seed)


def test_a_quiet_world_trades_and_quotes() -> None:
    world = simulate(1, faults=Faults())
    report = world.engine.report(world.now_ns)
    assert len(world.all_fills) >= 5
    assert report.taker_fills == 0
    assert report.quoting_up_s > 0.3 * report.quoting_due_s
    assert world.counts["Renew"] >= 100
    assert world.counts["replaced"] >= 20


def test_equal_seeds_give_equal_worlds() -> None:
    def story(seed: int) -> tuple[object, ...]:
        world = simulate(seed)
        return world.all_fills, world.counts, world.engine.report(world.now_ns)

    assert story(5) == story(5)
    assert story(5) != story(8)


def test_every_kind_of_answer_was_lost_somewhere() -> None:
    worlds = [simulate(seed) for seed in range(4)]
    assert sum(world.counts.get("AskOrder", 0) for world in worlds) > 10
    assert sum(len(world.all_fills) for world in worlds) > 20


def test_incident_15_orders_go_when_data_stop() -> None:
    """Not quoting means not resting: silence alone pulls every quote."""
    world = World(3, Faults())
    world.run(15.0)
    assert world.resting()
    world.dark = True
    world.run(4.5)
    assert not world.resting()
