"""Faults planted in the gateway, its agents' shells and the caretaker: the world shows each one."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.simulation.world_mutants import MUTANTS, Patch
from tests.simulation.world_search import breaks

clean = cache(breaks)


@pytest.mark.parametrize(
    ("mutant", "seed"), MUTANTS.items(), ids=lambda part: getattr(part, "__name__", "")
)
def test_world_mutant_is_killed(mutant: Callable[[Patch], None], seed: int) -> None:
    assert breaks(seed, mutant), f"{mutant.__name__} survived: search for another seed"
    assert not clean(seed), "a seed that breaks without the fault shows nothing"
