"""Faults planted in the gateway, its agents' shells and the caretaker: the world shows each one.

Here those that many seeds show; ``tests.soak.test_world`` looks for the others' seeds, and theirs.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor

import pytest

from tests.simulation.world_mutants import COMMON, MUTANTS
from tests.simulation.world_search import TRIED, shown_soon

NAMES = [mutant.__name__ for mutant in COMMON]


@pytest.fixture(scope="module")
def shown(pool: ProcessPoolExecutor) -> Iterator[dict[str, Future[str]]]:
    """What shows each, as it is found."""
    begun = {name: pool.submit(shown_soon, name) for name in NAMES}
    yield begun
    for future in begun.values():
        future.cancel()


@pytest.mark.parametrize("name", NAMES)
def test_world_mutant_is_killed(name: str, shown: dict[str, Future[str]]) -> None:
    """By a seed that is known to show it; if that shows it no longer, by another of the first."""
    assert shown[name].result(), f"survived {TRIED} seeds: python -m tests.simulation.world_search"


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) >= 25
