"""The whole fleet in one thread: nothing that must hold ever breaks, whatever goes wrong."""

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from fleet.world.faults import Faults, Level
from tests.simulation.world_seeds import KNOWN, again, run

SEEDS = 50
SAMPLE = (3, 17, 41)
_SHARES = {
    "lost_requests": "loss", "lost_answers": "lost_answer", "limited": "rate_limit",
    "lost_data": "loss", "doubled": "duplicate", "slow": "delay", "stale": "stale_answer",
    "short_snapshots": "short_snapshot",
}  # fmt: skip
KINDS = {name[: -len("_s")] for name in Faults.__struct_fields__ if name.endswith("_s")}
KINDS |= {"continue", "cut", "reorder", *_SHARES.values()}
_AGAIN = f"""
from tests.simulation.world_seeds import run
print([run(seed, seconds=30.0).digest for seed in {SAMPLE}])
"""


def test_heavy_faults_break_nothing_and_all_agree_once_healed(pool: ProcessPoolExecutor) -> None:
    struck: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    digests = set()
    traded: list[int] = []
    for result in pool.map(run, range(SEEDS)):
        assert not result.violations, f"{result.violations}; again: {again(result.seed)}"
        traded.append(result.fills)
        struck.update(result.faults)
        checked.update(result.invariants_checked)
        digests.add(result.digest)
    assert len(digests) == SEEDS
    assert min(traded) > 0, "every storm leaves room to trade"
    assert {kind for kind, times in struck.items() if times} >= KINDS
    assert min(checked.values()) > 0


def test_seeds_that_once_broke_something_break_nothing() -> None:
    for seed, markets, seconds in KNOWN:
        result = run(seed, markets=markets, seconds=seconds)
        assert not result.violations, (result.violations, again(seed, markets, seconds))


def test_without_faults_every_market_fills_and_nothing_strikes() -> None:
    result = run(1, seconds=40.0, level=Level.NONE)
    assert not result.violations
    assert set(result.faults) <= {"reorder"}
    assert result.fills > 5


def test_equal_seeds_are_equal_in_any_process_whatever_its_hash_seed() -> None:
    began = [
        subprocess.Popen(
            [sys.executable, "-c", _AGAIN], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path.cwd())},
        )
        for hash_seed in ("1", "2")
    ]  # fmt: skip
    told = {process.communicate()[0] for process in began}
    assert [process.returncode for process in began] == [0, 0]
    assert len(told) == 1
