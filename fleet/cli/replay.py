"""``fleet replay``: a manifest's agents over a recording, or an agent's journal once more."""

import os
import random
import time
from pathlib import Path
from typing import Final

from fleet.cli.console import Output, put, put_json, say
from fleet.cli.failure import ExitCode, Failure

RECORDING_ENV: Final = "FLEET_RECORDING"
"""What a manifest may name its recording by; here the option says which."""


def run(
    path: Path | None,
    recording: Path | None,
    journal: Path | None,
    seed: int | None,
    output: Output,
) -> int:
    """A manifest with a recording, or a journal alone; exit 3 for any other mix."""
    if journal is not None and path is None and recording is None:
        return _journal(journal, output)
    if path is None or recording is None or journal is not None:
        mend = "give a manifest and --recording FILE, or --journal FILE alone"
        raise Failure(ExitCode.INVALID, "nothing to replay", mend)
    return _recording(path, recording, seed, output)


def _journal(journal: Path, output: Output) -> int:
    """Exit 1 where the engine answers otherwise than it did."""
    from agents.runtime.journal_replay import JournalError, rerun

    if not journal.exists():
        text = f"--journal {journal} is not there"
        raise Failure(ExitCode.INVALID, text, "name a part of a journal, or its folder")
    try:
        again = rerun(journal)
    except JournalError as error:
        raise Failure(ExitCode.INVALID, str(error)) from error
    found = again.divergence
    if output == "json":
        put_json(again)
    else:
        same = "byte for byte the same" if found is None else "the engine differs"
        told = f"{again.events} events, {again.commands} commands"
        put(f"{again.market}, generation {again.generation}: {told}: {same}; {again.digest}")
    if found is None:
        return int(ExitCode.DONE)
    say(f"event {found.seq} ({found.event}): now it answers {list(found.commands)}")
    return int(ExitCode.UNEXPECTED)


def _recording(path: Path, recording: Path, seed: int | None, output: Output) -> int:
    """Print what the agents made of it."""
    import msgspec

    from agents.sim.tape import TapeError
    from fleet.cli.validate import load_or_fail
    from fleet.world.replay import NothingToReplay, replay

    if not recording.is_file():
        text = f"--recording {recording} is no file"
        raise Failure(ExitCode.INVALID, text, "name a .jsonl.zst recording")
    os.environ.setdefault(RECORDING_ENV, str(recording))
    spec = load_or_fail(path)
    if seed is None:
        seed = spec.paper.seed if spec.paper is not None else 7
    began_s = time.perf_counter()
    try:
        result = replay(spec, recording, lambda purpose: random.Random(f"{seed} {purpose}"))
    except (TapeError, NothingToReplay) as error:
        raise Failure(ExitCode.INVALID, str(error)) from error
    wall_s = time.perf_counter() - began_s
    for market in result.left_out:
        say(f"{market}: not in the recording; left out")
    if output == "json":
        fields = msgspec.structs.asdict(result)
        put_json({"digest": fields.pop("digest"), "seed": seed, "wall_s": wall_s, **fields})
    else:
        for row in result.markets:
            share = row.quote_uptime_share
            put(
                f"{row.market:<12} {row.fills:>5} fills {row.volume_usd:>12,.0f} USD  "
                f"P&L {row.pnl.total_usd:>9,.2f}  quoted {100 * (share or 0.0):>5.1f} %  "
                f"inventory up to {row.inventory_max_usd:,.0f} USD"
            )
        put(f"{result.recorded_s:.0f} s in {wall_s:.1f} s, {result.events} events; {result.digest}")
    for violation in result.violations:
        say(violation)
    return int(ExitCode.UNEXPECTED if result.violations else ExitCode.DONE)
