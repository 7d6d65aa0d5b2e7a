"""Which seed shows a planted fault: ``python -m tests.simulation.world_search [NAME ...]``."""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import pytest

from tests.simulation.world_mutants import MUTANTS, Patch
from tests.simulation.world_seeds import run

SEEDS = 200
TRIED = 16
"""How many seeds ``shown_soon`` looks at; a mutant that fewer than one in five shows is rare."""


def breaks(seed: int, mutant: Callable[[Patch], None] | None = None) -> str:
    """What one market shows within a minute, with a fault planted or without; empty: nothing."""
    with pytest.MonkeyPatch.context() as patch:
        if mutant is not None:
            mutant(patch)
        try:
            found = run(seed, markets=1).violations
        except Exception as error:  # noqa: BLE001  (the machine's own may find it first)
            return f"{type(error).__name__}: {error}"
    return found[0] if found else ""


_unbroken = cache(breaks)


def shown_soon(name: str) -> str:
    """What the seeds known to show it show, or one of the first; empty: nothing."""
    mutant = next(mutant for mutant in MUTANTS if mutant.__name__ == name)
    for seed in [*dict.fromkeys((*MUTANTS[mutant], *range(TRIED)))][:TRIED]:
        shown = breaks(seed, mutant)
        if shown and not _unbroken(seed):  # else it shows nothing
            return f"seed {seed}: {shown}"
    return ""


def first_seed(mutant: Callable[[Patch], None], seeds: int = SEEDS) -> tuple[int, str] | None:
    """A seed that shows it and is clean without it, the known ones first; and what it shows."""
    for seed in dict.fromkeys((*MUTANTS.get(mutant, ()), *range(seeds))):
        shown = breaks(seed, mutant)
        if shown and not breaks(seed):
            return seed, shown
    return None


def _named(name: str) -> tuple[str, tuple[int, str] | None]:
    mutant = next(mutant for mutant in MUTANTS if mutant.__name__ == name)
    return name, first_seed(mutant)


if __name__ == "__main__":
    wanted = sys.argv[1:] or [mutant.__name__ for mutant in MUTANTS]
    with ProcessPoolExecutor(2) as pool:
        for found_name, found in pool.map(_named, wanted):
            sys.stdout.write(f"{found_name}: {found}\n")
            sys.stdout.flush()
