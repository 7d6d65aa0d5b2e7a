"""Seeded runs of the world, as the tests make them."""

import random

from fleet.world.faults import Level
from fleet.world.simulate import Result, simulate


def run(
    seed: int, *, markets: int = 2, seconds: float = 60.0, level: Level = Level.HEAVY
) -> Result:
    return simulate(
        seed,
        markets=markets,
        seconds=seconds,
        level=level,
        chance=lambda purpose: random.Random(f"{seed} {purpose}"),
    )


def again(seed: int, markets: int = 2, seconds: float = 60.0, level: Level = Level.HEAVY) -> str:
    """The command that repeats a run."""
    options = f"--markets {markets} --minutes {seconds / 60.0:g} --faults {level.value}"
    return f"fleet simulate --seed {seed} {options}"


KNOWN: tuple[tuple[int, int, float], ...] = ((34, 2, 60.0), (1, 2, 60.0))
"""Seed, markets, seconds of runs that once broke an invariant, by a fault that is mended."""
