"""The monitors and the kill switch of a running fleet: silent where all is well; a halt by signal.

Each monitor is fired in ``test_fired.py``. ``HEALTHY_MINUTES`` shortens the first test.
"""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fleet.processes import alive
from tests.e2e.under_test import Cli, Fleet, wait_for
from tests.soak.rig import Rig

MINUTES = float(os.environ.get("HEALTHY_MINUTES", "120"))
QUIET = {None, "warn"}


@pytest.fixture
def rig(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Rig]:
    manifest, name = getattr(request, "param", ("tests/soak/two_markets.yaml", "matrix"))
    cli = Cli(tmp_path_factory.mktemp("home"))
    done = cli.run("apply", manifest, "--yes", "--wait", "150")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Rig(Fleet(cli, name), manifest)
    finally:
        cli.run("--fleet", name, "down")


def row(rig: Rig, market: str) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in rig.look()["markets"] if r["market"] == market)
    return found


def well_again(rig: Rig, within_s: float = 90.0) -> None:
    wait_for("all to quote", rig.whole, within_s=within_s)


@pytest.mark.parametrize("rig", [("manifests/paper.yaml", "paper")], indirect=True)
def test_nothing_is_found_in_two_hours_of_healthy_flow(rig: Rig) -> None:
    well_again(rig)
    until_s = time.monotonic() + MINUTES * 60
    found: dict[tuple[str, str, str], int] = {}
    while time.monotonic() < until_s:
        for market in rig.markets:
            told = row(rig, market)["monitor"]
            if told is not None and told["mode"] not in QUIET:
                key = (market, told["monitor"], told["mode"])
                found[key] = found.get(key, 0) + 1
        time.sleep(2.0)
    print("\n", found)  # noqa: T201 - the table is what a soak is run for
    assert {mode for _, _, mode in found} <= {"widen", "no new risk", "reduce only"}
    assert not any(row(rig, market)["taker_fills"] for market in rig.markets)
    assert all(row(rig, market)["ramp_share"] == 1.0 for market in rig.markets)


def test_a_signal_halts_and_a_resume_looks_before_it_lifts(rig: Rig) -> None:
    well_again(rig)
    pid = alive(rig.folder, "gateway")
    assert pid is not None
    os.kill(pid, signal.SIGUSR1)
    wait_for("the latch", rig.folder.halt.exists, within_s=5.0)
    wait_for("nothing to rest", lambda: not rig.resting(), within_s=10.0)
    time.sleep(3.0)  # until it is proven

    rig.faults(freeze_connections_s=30.0)
    wait_for("the link to be lost", lambda: _link(rig) == "down", within_s=30.0)
    refused = rig.fleet.cli.run("--fleet", rig.fleet.name, "resume", "--reason", "too soon")
    assert refused.returncode == 5, refused.stdout + refused.stderr
    assert "no connection to the venue" in refused.stdout + refused.stderr
    rig.faults()
    wait_for("the link to be back", lambda: _link(rig) == "up", within_s=60.0)

    def lifted() -> bool:
        done = rig.fleet.cli.run("--fleet", rig.fleet.name, "resume", "--reason", "looked at it")
        return done.returncode == 0

    wait_for("the resume", lifted, within_s=60.0)
    well_again(rig)
    assert all(0.25 <= row(rig, market)["ramp_share"] < 1.0 for market in rig.markets)


def _link(rig: Rig) -> str:
    status = rig.status()
    return "none" if status is None else status.link
