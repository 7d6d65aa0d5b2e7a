"""The rollout workflow with real processes: collateral moves once, canaries, kills at each step.

A market of hyna leaves and gives its collateral back; then it comes again, and whatever is killed
while it does, the next apply finishes: one transfer, one agent, no halt.
"""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fleet.folder import Folder
from fleet.processes import alive
from tests.e2e.under_test import CLI, ROOT, Cli, Fleet, wait_for
from tests.soak.rig import Rig

HEAD = """
fleet: steps
network: paper
paper: {seed: 11, flow: lively}
defaults:
  leverage: 3
  drain: {passive_s: 1, then: flatten}
  strategy: {half_spread_floor_bps: 2.0, clip_usd: 200}
"""
BTC = "  - {asset: BTC, margin_usd: 3000}\n"
HYNA = "  - {asset: BTC, dex: hyna, margin_usd: 2000, isolated: true}\n"
WITH_HYNA = HEAD + "dexes: {hyna: {on_remove: return}}\nmarkets:\n" + BTC + HYNA
WITHOUT = HEAD + "markets:\n" + BTC
CANARY = HEAD.replace("clip_usd: 200", "clip_usd: 300") + "rollout: {canary: [BTC], bake_s: 20}\n"


class Steps:
    """A fleet whose second market comes and goes."""

    def __init__(self, home: Path) -> None:
        self.cli = Cli(home)
        self.home = home
        self.fleet = Fleet(self.cli, "steps")

    def manifest(self, text: str) -> str:
        path = self.home / "steps.yaml"
        path.write_text(text)
        return str(path)

    def apply(self, text: str) -> subprocess.CompletedProcess[str]:
        return self.cli.run("apply", self.manifest(text), "--yes", "--wait", "150")

    def applying(self, text: str) -> "subprocess.Popen[bytes]":
        command = [str(CLI), "apply", self.manifest(text), "--yes", "--wait", "150"]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.cli.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def rows(self, query: str) -> list[Any]:
        uri = f"file:{self.fleet.folder / 'store.db'}?mode=ro"
        db = sqlite3.connect(uri, uri=True, timeout=2.0)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def transfers(self) -> list[Any]:
        """(source, destination, amount, state), but for those that never happened."""
        return self.rows(
            "SELECT source, destination, amount, state FROM transfer WHERE state <> 'void'"
        )

    def phase(self, market: str) -> str | None:
        found = self.rows(f"SELECT phase FROM market WHERE market = '{market}'")
        return str(found[0][0]) if found else None

    def pid(self, victim: str) -> int | None:
        """Of the supervisor, or of the agent of hyna's market, if it runs."""
        if victim == "supervisor":
            return alive(Folder(self.fleet.folder), "supervisor")
        rows = self.fleet.status()["markets"]
        return next((row["pid"] for row in rows if row["market"] == "hyna:BTC"), None)

    def gone(self) -> None:
        """hyna's market has left, and its collateral is back in the spot wallet."""
        done = self.apply(WITHOUT)
        assert done.returncode == 0, done.stderr
        wait_for("hyna to be empty", lambda: self.rows("SELECT * FROM leaving") == [], 90)
        assert self.fleet.status()["halted"] is False


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Steps]:
    made = Steps(tmp_path_factory.mktemp("h"))
    try:
        done = made.apply(WITH_HYNA)
        assert done.returncode == 0, done.stdout + done.stderr
        yield made
    finally:
        made.cli.run("--fleet", "steps", "down", "--flatten")


def test_collateral_goes_and_comes_and_is_no_loss(steps: Steps) -> None:
    steps.gone()
    assert [row[:2] for row in steps.transfers()] == [("hyna", "spot")]
    done = steps.apply(WITH_HYNA)
    assert done.returncode == 0, done.stderr
    assert [(row[0], row[1], row[3]) for row in steps.transfers()][1:] == [
        ("spot", "hyna", "shown")
    ]
    time.sleep(5)
    status = steps.fleet.status()
    assert status["halted"] is False
    assert status["risk"]["state"] == "normal"


AWAKE = {"BOOT", "RECONCILING", "WARMUP", "QUOTING"}
MOMENTS: dict[str, Callable[[Steps], bool]] = {
    "the revision": lambda s: bool(
        s.rows("SELECT 1 FROM market WHERE market='hyna:BTC' AND desired")
    ),
    "the intention": lambda s: any(row[3] == "intended" for row in s.transfers()),
    "the transfer": lambda s: any(row[3] == "accepted" for row in s.transfers()),
    "the leverage": lambda s: s.phase("hyna:BTC") in AWAKE,
    "the start": lambda s: s.phase("hyna:BTC") in AWAKE - {"BOOT"},
    "the warm-up": lambda s: s.phase("hyna:BTC") in {"WARMUP", "QUOTING"},
    "the quotes": lambda s: s.phase("hyna:BTC") == "QUOTING",
}
RUNS = [
    *((moment, "supervisor") for moment in MOMENTS),
    *((moment, "cli") for moment in ("the revision", "the transfer", "the warm-up")),
    *((moment, "agent") for moment in ("the start", "the warm-up", "the quotes")),
]


@pytest.mark.parametrize(("moment", "victim"), RUNS)
def test_a_kill_at_each_step_is_finished_by_the_next_round(
    steps: Steps, moment: str, victim: str
) -> None:
    steps.gone()
    before = len(steps.transfers())
    applying = steps.applying(WITH_HYNA)
    deadline_s = time.monotonic() + 60
    while not MOMENTS[moment](steps) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    pid = applying.pid if victim == "cli" else steps.pid(victim)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    applying.wait(timeout=200)
    done = steps.apply(WITH_HYNA)
    assert done.returncode == 0, done.stderr
    moved = steps.transfers()[before:]
    assert [(row[0], row[1], row[3]) for row in moved] == [("spot", "hyna", "shown")]
    rig = Rig(steps.fleet, "steps.yaml")
    assert {market for market, _ in rig.ours()} <= {"BTC", "hyna:BTC"}
    assert len({generation for market, generation in rig.ours() if market == "hyna:BTC"}) <= 1
    state = rig.info({"type": "clearinghouseState", "user": rig.address, "dex": "hyna"})
    assert Decimal(state["marginSummary"]["accountValue"]) < 2_100, "nothing came twice"
    assert steps.fleet.status()["halted"] is False


def test_a_canary_is_promoted_and_one_that_loses_goes_back(steps: Steps) -> None:
    done = steps.apply(CANARY + "markets:\n" + BTC + "  - {asset: ETH, margin_usd: 2000}\n")
    assert done.returncode == 0, done.stderr
    assert "promoted" in done.stderr
    strict = CANARY.replace("clip_usd: 300", "clip_usd: 250").replace(
        "bake_s: 20", "bake_s: 60, gates: {loss_max_share: 0.0000001, uptime_min_share: 1.0}"
    )
    done = steps.apply(strict + "markets:\n" + BTC + "  - {asset: ETH, margin_usd: 2000}\n")
    assert done.returncode == 4, done.stderr
    assert "was rolled back: BTC" in done.stderr
    told = steps.cli.json("--fleet", "steps", "history")
    assert any(row["verb"] == "rollback" and "BTC" in row["outcome"] for row in told["audit"])
    in_force = {row[0]: row[1] for row in steps.rows("SELECT market, revision FROM market")}
    assert in_force["ETH"] < in_force["BTC"], "it was stopped at one market"
