"""The whole fleet in one thread, for long: thousands of seeds, hundreds of longer ones, mutants."""

from collections.abc import Callable

import pytest

from fleet.world.faults import Level
from tests.simulation.world_mutants import MUTANTS, Patch
from tests.simulation.world_search import first_seed
from tests.simulation.world_seeds import again
from tests.soak.worlds import Job, one

HUNDREDS = 20
LONG_SEEDS = 200
LONG_S = 600.0


@pytest.mark.parametrize("hundred", range(HUNDREDS))
def test_a_hundred_seeds_of_a_minute(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        line = one(Job(seed, 2, 60.0, Level.HEAVY))
        assert not line.violations, (line.violations, again(seed))
        assert line.fills, again(seed)


@pytest.mark.parametrize("seed", range(LONG_SEEDS))
def test_ten_minutes_of_four_markets(seed: int) -> None:
    line = one(Job(seed, 4, LONG_S, Level.HEAVY))
    assert not line.violations, (line.violations, again(seed, 4, LONG_S))
    assert line.fills


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.__name__))
def test_a_mutant_is_shown_within_200_seeds(mutant: Callable[[Patch], None]) -> None:
    assert first_seed(mutant) is not None
