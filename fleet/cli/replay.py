"""``fleet replay``: a manifest's agents over a recording, or an agent's journal once more."""

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleet.build import BUILD
from fleet.cli.console import Output, put, put_json, say
from fleet.cli.failure import ExitCode, Failure
from fleet.folder import Folder

if TYPE_CHECKING:
    from agents.runtime.journal_replay import Rerun
    from fleet.world.replay import Replayed

RECORDING_ENV: Final = "FLEET_RECORDING"
"""What a manifest may name its recording by; here the option says which."""


def run(
    path: Path | None,
    recording: Path | None,
    journal: Path | None,
    seed: int | None,
    output: Output,
    write_journals: Path | None = None,
    sweep: Sequence[str] = (),
) -> int:
    """A manifest with a recording, or a journal alone; exit 3 for any other mix."""
    if sweep and (journal is not None or write_journals is not None):
        mend = "give a manifest and --recording FILE with it, and nothing else"
        raise Failure(ExitCode.INVALID, "--sweep compares replays alone", mend)
    if journal is not None and path is None and recording is None and write_journals is None:
        return _journals(journal, output)
    if path is None or recording is None or journal is not None:
        mend = "give a manifest and --recording FILE, or --journal PATH alone"
        raise Failure(ExitCode.INVALID, "nothing to replay", mend)
    return _recording(path, recording, seed, output, write_journals, sweep)


def _journals(path: Path, output: Output) -> int:
    """Exit 1 where an agent says other than it did."""
    from agents.runtime.journal_replay import JournalError, Rerun, journals, rerun

    if not path.exists():
        text = f"--journal {path} is not there"
        raise Failure(ExitCode.INVALID, text, "name a part of a journal, its folder, or a fleet's")
    runs: list[Rerun] = []
    try:
        for each in journals(path):
            runs.append(rerun(each))
            if output == "table":
                _tell(runs[-1])
    except JournalError as error:
        raise Failure(ExitCode.INVALID, str(error)) from error
    if output == "json":
        put_json(runs[0] if len(runs) == 1 else {"journals": runs})
    same = all(run.divergence is None for run in runs)
    return int(ExitCode.DONE if same else ExitCode.UNEXPECTED)


def _tell(again: "Rerun") -> None:
    found = again.divergence
    same = "byte for byte the same" if found is None else "the agent differs"
    told = f"{again.events} events, {again.commands} commands"
    put(f"{again.market}, generation {again.generation}: {told}: {same}; {again.digest}")
    if found is not None:
        say(f"entry {found.seq} ({found.event}): now it answers {list(found.commands)}")


def _recording(
    path: Path,
    recording: Path,
    seed: int | None,
    output: Output,
    write_journals: Path | None,
    sweep: Sequence[str],
) -> int:
    """Print what the agents made of it."""
    from agents.runtime.journal import Journal
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
    if sweep:
        from fleet.cli import sweep as many

        return many.run(spec, recording, seed, sweep, output)
    written: list[Journal] = []

    def journal(market: str) -> Journal:
        folder = Folder(write_journals or Path()).journal(market)
        written.append(Journal(folder, BUILD, say))
        return written[-1]

    began_s = time.perf_counter()
    try:
        result = replay(
            spec, recording, lambda purpose: random.Random(f"{seed} {purpose}"),
            None if write_journals is None else journal,
        )  # fmt: skip
    except (TapeError, NothingToReplay) as error:
        raise Failure(ExitCode.INVALID, str(error)) from error
    wall_s = time.perf_counter() - began_s
    for each in written:
        each.close()
    for market in result.left_out:
        say(f"{market}: not in the recording; left out")
    _show(result, seed, wall_s, output)
    for violation in result.violations:
        say(violation)
    return int(ExitCode.UNEXPECTED if result.violations else ExitCode.DONE)


def _show(result: "Replayed", seed: int, wall_s: float, output: Output) -> None:
    import msgspec

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
