"""A market whose agent dies at each start fails, says why, and is lifted by a word of a person."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.e2e.under_test import Cli, Fleet, wait_for
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


@contextmanager
def deadly(rig: Rig, market: str) -> Iterator[None]:
    """Each agent of the market is killed as soon as it holds the lease."""
    over = threading.Event()

    def hunt() -> None:
        while not over.wait(0.1):
            with suppress(AssertionError, StopIteration, ProcessLookupError):
                os.kill(rig.pid(f"agent:{market}"), signal.SIGKILL)

    hunter = threading.Thread(target=hunt)
    hunter.start()
    try:
        yield
    finally:
        over.set()
        hunter.join()


def row(rig: Rig, market: str) -> dict[str, Any]:
    return next(row for row in rig.look()["markets"] if row["market"] == market)


@pytest.mark.parametrize("lift", [("restart", "BTC"), ("apply", MANIFEST, "--yes")])
def test_a_failed_market_says_why_and_is_lifted(rig: Rig, lift: tuple[str, ...]) -> None:
    wait_for("all QUOTING", rig.whole, within_s=60)
    other = row(rig, "hyna:BTC")["pid"]
    with deadly(rig, "BTC"):
        wait_for("BTC FAILED", lambda: row(rig, "BTC")["phase"] == "FAILED", within_s=180)
    reason = row(rig, "BTC")["reason"]
    assert "ended 5 times in 10 min" in reason
    assert "its log ends:" in reason
    assert "fleet logs BTC, then fleet restart BTC" in reason
    assert row(rig, "hyna:BTC")["pid"] == other, "one market's trouble is its own"
    assert row(rig, "hyna:BTC")["phase"] == "QUOTING"
    assert row(rig, "BTC")["owner"] != "agent"
    fleet = () if lift[0] == "apply" else ("--fleet", "matrix")
    done = rig.fleet.cli.run(*fleet, *lift)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for("BTC QUOTING", lambda: row(rig, "BTC")["phase"] == "QUOTING", within_s=60)
    assert rig.book_faults() == []
