"""``fleet simulate``: the whole fleet in one thread under one seed, with faults; what must hold."""

import random
import time

from fleet.cli.console import Output, put, put_json, say
from fleet.cli.failure import ExitCode, Failure


def run(seed: int, *, markets: int, minutes: float, faults: str, output: Output) -> int:
    """Exit 1 if anything that must hold did not."""
    import msgspec

    from fleet.world.faults import Level
    from fleet.world.simulate import simulate

    if minutes <= 0:
        raise Failure(ExitCode.INVALID, f"--minutes {minutes:g}", "it must be above 0")
    began_s = time.perf_counter()
    try:
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
