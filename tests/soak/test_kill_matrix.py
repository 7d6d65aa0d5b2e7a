"""The kill matrix: -9 and -STOP of each process, and -9 of every pair but guard and gateway.

What guard and gateway together leave behind is measured: see ``docs/gateway.md``.
"""

import os
import signal
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from tests.e2e.under_test import Cli, Fleet, wait_for
from tests.soak.matrix import SUBJECTS, Rig, run

CELLS: list[tuple[str, tuple[str, ...]]] = [
    *((how, (subject,)) for how in ("KILL", "STOP") for subject in SUBJECTS),
    *(("KILL", pair) for pair in combinations(SUBJECTS, 2) if set(pair) != {"gateway", "guard"}),
]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    done = cli.run("apply", "manifests/paper.yaml", "--yes", "--wait", "120")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Rig(Fleet(cli, "paper"))
    finally:
        cli.run("--fleet", "paper", "down")


@pytest.mark.parametrize(("how", "subjects"), CELLS)
def test_no_order_outlives_its_lease_and_no_fill_is_lost(
    rig: Rig, how: str, subjects: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    wait_for("all QUOTING", rig.quoting, within_s=120)
    cell = run(rig, subjects, how)
    print(cell)  # noqa: T201 - the table is what a soak is run for
    table: Path = tmp_path_factory.getbasetemp() / "kill_matrix.txt"
    with table.open("a") as file:
        file.write(f"{cell}\n")
    assert cell.faults == [], str(cell)


def test_guard_and_gateway_together_leave_orders_until_an_apply(rig: Rig) -> None:
    """Nothing of ours runs that could cancel: no false comfort, but one apply ends it."""
    wait_for("all QUOTING", rig.quoting, within_s=120)
    for subject in ("guard", "gateway"):
        os.kill(rig.pid(subject), signal.SIGKILL)
    before = rig.ours()
    time.sleep(10)
    left = rig.ours()
    began_s = time.monotonic()
    done = rig.fleet.cli.run("apply", "manifests/paper.yaml", "--yes", "--wait", "120")
    assert done.returncode == 0, done.stderr
    wait_for("the old leases' orders gone", lambda: not rig.ours() & before, within_s=30)
    print(f"{len(left)} of {len(before)} leases' orders rest 10 s after both died;"  # noqa: T201
          f" gone {time.monotonic() - began_s:.1f} s after the apply began")  # fmt: skip
    assert rig.book_faults() == []
