"""The whole fleet in one thread: nothing that must hold ever breaks, whatever goes wrong."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.world.faults import Level
from tests.simulation.world_mutants import MUTANTS, Patch
from tests.simulation.world_seeds import run

SEEDS = 12
MORE_SEEDS = 40
KINDS = {
    "agent_crash", "agent_hang", "clock_step", "delay", "disconnect", "duplicate", "gateway_crash",
    "lost_answer", "loss", "rate_limit", "silence",
}  # fmt: skip
_AGAIN = """
from tests.simulation.world_seeds import run
print(run(3, seconds=20.0).digest)
"""


def test_heavy_faults_break_nothing_and_all_agree_once_healed() -> None:
    struck: Counter[str] = Counter()
    digests = set()
    for seed in range(SEEDS):
        result = run(seed)
        again = f"fleet simulate --seed {seed} --markets 2 --minutes 1 --faults heavy"
        assert not result.violations, f"{result.violations}; again: {again}"
        struck.update(result.faults)
        digests.add(result.digest)
    assert len(digests) == SEEDS
    assert {kind for kind, times in struck.items() if times} >= KINDS


def test_without_faults_every_market_fills_and_nothing_strikes() -> None:
    result = run(1, seconds=40.0, level=Level.NONE)
    assert not result.violations
    assert not result.faults
    assert result.fills > 5


def test_equal_seeds_are_equal_in_any_process_whatever_its_hash_seed() -> None:
    digests = set()
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path.cwd())}
        done = subprocess.run(
            [sys.executable, "-c", _AGAIN], env=environment, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        digests.add(done.stdout)
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("mutant", "seeds"), MUTANTS.items(), ids=lambda part: getattr(part, "__name__", "")
)
def test_world_mutant_is_killed(
    mutant: Callable[[Patch], None], seeds: tuple[int, ...], monkeypatch: Patch
) -> None:
    for seed in (*seeds, *range(MORE_SEEDS)):
        with monkeypatch.context() as patch:
            mutant(patch)
            shown = _breaks(seed)
        if shown and not _breaks(seed):  # a seed that fails without the bug shows nothing
            return
    pytest.fail(f"{mutant.__name__} survived")


def _breaks(seed: int) -> bool:
    try:
        return bool(run(seed, markets=1).violations)
    except AssertionError:
        return True  # the machine's own assertions may find it first
