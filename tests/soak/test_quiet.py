"""Quiet minutes of the demo's fleet: no event loop of any process stalls for over 100 ms.

``QUIET_MINUTES`` shortens it. The table shows each process's worst gap between two turns of its
loop, and of the stalls how many were its own doing: the rest it waited for a core, of which a small
machine has fewer than the fleet has processes.
"""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.under_test import Cli, Fleet, wait_for
from tests.soak.rig import Rig

MINUTES = float(os.environ.get("QUIET_MINUTES", "20"))
LOOPS = {"gateway", "supervisor", "risk", "venue"}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    done = cli.run("apply", "manifests/paper.yaml", "--yes", "--wait", "120")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Rig(Fleet(cli, "paper"))
    finally:
        cli.run("--fleet", "paper", "down")


def loops(rig: Rig) -> dict[str, dict[str, Any]]:
    return {row["process"]: row for row in rig.look()["loops"]}


def test_no_event_loop_stalls_in_quiet_minutes(rig: Rig) -> None:
    expected = LOOPS | set(rig.markets)
    wait_for("all to watch their loops", lambda: loops(rig).keys() >= expected, within_s=60)
    before = loops(rig)
    time.sleep(MINUTES * 60)
    after = loops(rig)
    assert after.keys() == before.keys()
    assert rig.missing() == []
    own: list[str] = []
    told = [f"{'process':<12} watched s  worst ms  own ms  stalls  own"]
    for process, row in sorted(after.items()):
        was = before[process]
        assert row["pid"] == was["pid"], f"{process} was restarted"
        told += table(process, row, was)
        own += [process] * (row["own_stalls"] - was["own_stalls"])
    print("\n" + "\n".join(told))  # noqa: T201 - the table is what a soak is run for
    assert own == [], f"their own doing: {own}"


def table(process: str, row: dict[str, Any], was: dict[str, Any]) -> list[str]:
    """A line for the process, and one for each of its last stalls."""
    stalls, own = row["stalls"] - was["stalls"], row["own_stalls"] - was["own_stalls"]
    watched_s = row["watched_s"] - was["watched_s"]
    worst_ms, own_ms = row["worst_ms"], row["worst_own_ms"]
    line = f"{process:<12} {watched_s:9.0f} {worst_ms:9.1f} {own_ms:7.1f} {stalls:7} {own:4}"
    last = row["last"][-stalls:] if stalls else []
    return [line, *(f"    {s['gap_ms']} ms, {s['queued_ms']} of it without a core" for s in last)]
