"""``fleet simulate``: the whole fleet in one thread under one seed, with faults; what must hold."""

import gc
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fleet.cli.console import Output, put, put_json, say
from fleet.cli.failure import ExitCode, Failure

GARBAGE_EVERY: Final = 100_000
"""Objects made between two looks for circles; Python's own 700 costs a seventh of the run."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """What a world makes is mostly kept, and its circles are few."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def run(seed: int, *, markets: int, minutes: float, faults: str, output: Output) -> int:
    """Exit 1 if anything that must hold did not."""
    import msgspec

    from fleet.world.faults import Level
    from fleet.world.simulate import simulate

    if minutes <= 0:
        raise Failure(ExitCode.INVALID, f"--minutes {minutes:g}", "it must be above 0")
    began_s = time.perf_counter()
    try:
        with seldom_collected():
            result = simulate(
                seed,
                markets=markets,
                seconds=60.0 * minutes,
                level=Level(faults),
                chance=lambda purpose: random.Random(f"{seed} {purpose}"),
            )
    except ValueError as error:
        raise Failure(ExitCode.INVALID, str(error)) from error
    wall_s = time.perf_counter() - began_s
    if output == "json":
        checked = sum(result.invariants_checked.values())
        fields = msgspec.structs.asdict(result)
        by_kind = fields.pop("invariants_checked")
        put_json({**fields, "invariants_checked": checked, "checked": by_kind, "wall_s": wall_s})
    else:
        struck = sum(result.faults.values())
        put(
            f"seed {seed}: {result.simulated_s:.0f} s in {wall_s:.1f} s, {result.events} events, "
            f"{result.fills} fills, {struck} faults, {len(result.violations)} violations"
        )
    if not result.violations:
        return int(ExitCode.DONE)
    for violation in result.violations:
        say(violation)
    options = f"--markets {markets} --minutes {minutes:g} --faults {faults}"
    say(f"again: fleet simulate --seed {seed} {options}")
    return int(ExitCode.UNEXPECTED)
