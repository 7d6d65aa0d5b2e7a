"""The kill matrix: -9 and -STOP of each process and of the link, and of every pair but one.

What guard and gateway together leave behind is measured: see ``docs/gateway.md``.
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.under_test import Cli, Fleet, wait_for
from tests.soak.matrix import How, alone, pairs, run
from tests.soak.rig import Rig

MANIFEST = "tests/soak/two_markets.yaml"


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    done = cli.run("apply", MANIFEST, "--yes", "--wait", "120")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Rig(Fleet(cli, "matrix"), MANIFEST)
    finally:
        cli.run("--fleet", "matrix", "down")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the cells are written down: ``KILL_MATRIX``, else pytest's own folder."""
    kept = os.environ.get("KILL_MATRIX")
    return Path(kept) if kept else tmp_path_factory.getbasetemp() / "kill_matrix.txt"


CELLS = [*alone(), *pairs("KILL"), *pairs("STOP")]


@pytest.mark.parametrize(
    ("how", "subjects"), CELLS, ids=[f"{how}:{'+'.join(subjects)}" for how, subjects in CELLS]
)
def test_no_order_outlives_its_lease_and_no_fill_is_lost(
    rig: Rig, how: How, subjects: tuple[str, ...], table: Path
) -> None:
    wait_for("all QUOTING", rig.whole, within_s=120)
    cell = run(rig, subjects, how)
    print(cell)  # noqa: T201 - the table is what a soak is run for
    with table.open("a") as file:
        file.write(f"{cell}\n")
    assert cell.faults == [], str(cell)


def test_guard_and_gateway_together_leave_orders_until_an_apply(rig: Rig, table: Path) -> None:
    """Nothing of ours runs that could cancel: no false comfort, but one apply ends it."""
    wait_for("all QUOTING", rig.whole, within_s=120)
    for subject in ("guard", "gateway"):
        os.kill(rig.pid(subject), signal.SIGKILL)
    before = rig.ours()
    time.sleep(10)
    left = rig.ours()
    began_s = time.monotonic()
    done = rig.fleet.cli.run("apply", MANIFEST, "--yes", "--wait", "120")
    assert done.returncode == 0, done.stderr
    wait_for("the old leases' orders gone", lambda: not rig.ours() & before, within_s=30)
    told = (
        f"KILL guard + gateway: {len(left)} of {len(before)} leases' orders rest 10 s after both"
        f" died; gone {time.monotonic() - began_s:.1f} s after the apply began"
    )
    print(told)  # noqa: T201
    with table.open("a") as file:
        file.write(f"{told}\n")
    assert rig.book_faults() == []
