"""The whole fleet in one thread, for long: thousands of seeds, hundreds of longer ones, mutants."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.world.faults import Level
from tests.simulation.world_mutants import MUTANTS, Patch
from tests.simulation.world_search import first_seed
from tests.simulation.world_seeds import again
from tests.soak.worlds import Job, one

HUNDREDS = 20
LONG_SEEDS = 200
LONG_S = 600.0
TWICE = 200
_DIGESTS = f"""
from tests.simulation.world_seeds import run
for seed in range({TWICE}):
    print(seed, run(seed, seconds=30.0).digest)
"""


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


def test_each_seed_has_one_history_whatever_the_hash_seed() -> None:
    began = [
        subprocess.Popen(
            [sys.executable, "-c", _DIGESTS], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path.cwd())},
        )
        for hash_seed in ("1", "2")
    ]  # fmt: skip
    first, second = (process.communicate()[0].splitlines() for process in began)
    assert [process.returncode for process in began] == [0, 0]
    assert first == second
    assert len({line.split()[1] for line in first}) == TWICE


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.__name__))
def test_a_mutant_is_shown_within_200_seeds(mutant: Callable[[Patch], None]) -> None:
    assert first_seed(mutant) is not None
