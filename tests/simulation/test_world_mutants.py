"""Faults planted in the gateway, its agents' shells and the caretaker: the world shows each one."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.simulation.world_mutants import MUTANTS, Patch
from tests.simulation.world_search import SEEDS, breaks

clean = cache(breaks)


@pytest.mark.parametrize(
    ("mutant", "seed"), MUTANTS.items(), ids=lambda part: getattr(part, "__name__", "")
)
def test_world_mutant_is_killed(mutant: Callable[[Patch], None], seed: int) -> None:
    """By the seed that is known to show it; if that shows it no longer, by another."""
    for each in (seed, *range(SEEDS)):
        if breaks(each, mutant) and not clean(each):  # else it shows nothing
            return
    pytest.fail(f"{mutant.__name__} survived {SEEDS} seeds")
