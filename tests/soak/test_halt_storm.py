"""Forty halts while the venue misbehaves: what is called flat is flat."""

import json
import random
import time
from collections.abc import Iterator

import pytest

from tests.e2e.under_test import Cli, Fleet, wait_for
from tests.soak.matrix import Rig

HALTS = 40
LOOK_S = 6.0


@pytest.fixture
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    done = cli.run("apply", "manifests/paper.yaml", "--yes", "--wait", "120")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Rig(Fleet(cli, "paper"))
    finally:
        cli.run("--fleet", "paper", "down")


def test_forty_halts_in_bad_weather_and_never_a_false_flat(rig: Rig) -> None:
    rng = random.Random(7)
    voided = unproven = 0
    for number in range(HALTS):
        wait_for("all QUOTING", rig.quoting, within_s=180)
        plan: dict[str, object] = {"hold_placements_s": 4, "drop_answers_share": 0.3}
        if number % 4 == 3:
            plan["status_burst"] = {"code": 429, "s": 2}
        rig.faults(**plan)
        time.sleep(rng.uniform(0.2, 2.0))  # agents go on sending meanwhile
        options = ["--direct"] if number % 5 == 4 else []
        arguments = ["--fleet", "paper", "halt", "--reason", f"storm {number}", *options]
        done = rig.fleet.cli.run(*arguments, "-o", "json")
        report = json.loads(done.stdout)
        voided += report["proof"]["voided"]
        unproven += not report["flat_of_orders"]
        time.sleep(LOOK_S)
        assert not (report["flat_of_orders"] and rig.ours()), f"halt {number}: false flat"
        assert rig.ours() == set(), f"halt {number}: orders rest"
        rig.faults()
        lifted = rig.fleet.cli.run("--fleet", "paper", "resume", "--reason", "next")
        assert lifted.returncode == 0, lifted.stderr
    print(f"{HALTS} halts, {voided} placements voided, {unproven} not proven in time")  # noqa: T201
    assert rig.book_faults() == []
