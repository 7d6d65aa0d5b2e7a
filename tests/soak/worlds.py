"""Many seeds of the world, one line each as they end, and a summary: what was broken, struck, held.

``python -m tests.soak.worlds --seeds 0:200 --markets 4 --minutes 10 --out worlds.jsonl``

What was interrupted goes on where it ended: seeds that the file holds, with nothing broken, are
not run again.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from fleet.cli.simulate import seldom_collected
from fleet.world.faults import Level
from tests.simulation.world_seeds import again, run


class Job(msgspec.Struct, frozen=True):
    """One seed to run."""

    seed: int
    markets: int
    seconds: float
    level: Level


class Line(msgspec.Struct, frozen=True):
    """One seed, as it ended. ``broken``: an assertion of the machine itself, as text."""

    job: Job
    wall_s: float
    events: int
    fills: int
    digest: str
    violations: tuple[str, ...]
    faults: dict[str, int]
    checked: dict[str, int]
    broken: str = ""


def one(job: Job) -> Line:
    """Run one seed; nothing it does ends the run of the others."""
    began_s = time.perf_counter()
    try:
        with seldom_collected():
            done = run(job.seed, markets=job.markets, seconds=job.seconds, level=job.level)
    except Exception as error:  # noqa: BLE001  (a finding, and there may be more)
        wall_s = time.perf_counter() - began_s
        text = f"{type(error).__name__}: {error}"
        return Line(job, wall_s, 0, 0, "", (text,), {}, {}, broken=text)
    wall_s = time.perf_counter() - began_s
    return Line(
        job, wall_s, done.events, done.fills, done.digest, done.violations, done.faults,
        done.invariants_checked,
    )  # fmt: skip


def lines(jobs: Iterable[Job], processes: int) -> Iterator[Line]:
    """In the order of ``jobs``."""
    if processes == 1:
        yield from map(one, jobs)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(one, jobs)


def summary(rows: list[Line]) -> dict[str, Any]:
    """Over all seeds."""
    faults: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    for row in rows:
        faults.update(row.faults)
        checked.update(row.checked)
    events, wall_s = sum(row.events for row in rows), sum(row.wall_s for row in rows)
    return {
        "seeds": len(rows),
        "failing": [row.job.seed for row in rows if row.violations],
        "without_fills": [row.job.seed for row in rows if not row.fills and not row.broken],
        "digests": len({row.digest for row in rows}),
        "events": events,
        "fills": sum(row.fills for row in rows),
        "faults": dict(sorted(faults.items())),
        "checked": dict(sorted(checked.items())),
        "core_s": round(wall_s, 1),
        "events_per_core_s": round(events / wall_s) if wall_s else None,
    }


def held(out: Path, jobs: list[Job]) -> list[Line]:
    """Those of ``jobs`` that were found whole; a summary, or a line cut short, is none."""
    rows: dict[Job, Line] = {}
    for raw in out.read_bytes().splitlines() if out.exists() else ():
        with suppress(msgspec.MsgspecError):
            row = msgspec.json.decode(raw, type=Line)
            rows[row.job] = row
    return [rows[job] for job in jobs if job in rows and not rows[job].violations]


def main(words: list[str]) -> int:
    """1 if anything was broken, if a world did not trade, or two had one history."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.worlds", description=__doc__)
    parser.add_argument("--seeds", default="0:200", help="from:to, to excluded")
    parser.add_argument("--markets", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--faults", type=Level, default=Level.HEAVY)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, help="a line of JSON a seed, the summary last")
    asked = parser.parse_args(words)
    first, _, last = asked.seeds.partition(":")
    jobs = [
        Job(seed, asked.markets, 60.0 * asked.minutes, asked.faults)
        for seed in range(int(first), int(last))
    ]
    rows = [] if asked.out is None else held(asked.out, jobs)
    ran = {row.job for row in rows}
    out = asked.out.open("a") if asked.out is not None else sys.stdout
    with out:
        print(file=out)  # a line cut short ends here
        for row in lines([job for job in jobs if job not in ran], asked.processes):
            rows.append(row)
            print(msgspec.json.encode(row).decode(), file=out, flush=True)
            for violation in row.violations:
                sys.stderr.write(f"seed {row.job.seed}: {violation}\n")
            if row.violations:
                told = again(row.job.seed, asked.markets, 60.0 * asked.minutes, asked.faults)
                sys.stderr.write(f"again: {told}\n")
        total = summary(rows)
        print(msgspec.json.encode(total).decode(), file=out, flush=True)
    alike = total["digests"] < len(rows)
    return 1 if total["failing"] or total["without_fills"] or alike else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
