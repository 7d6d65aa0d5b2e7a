"""Forty halts in the worst weather: what is called flat is flat, and nothing of ours is left.

In each the venue holds placements back for 4 s, loses three answers of ten and answers 429 for a
while, strangers' orders rest on the account, and an agent goes on sending whatever it is told.
Some are ``--direct`` with the gateway killed meanwhile, some begin without a supervisor, some say
``--all``. ``STORM_HALTS`` shortens it.
"""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.under_test import Cli, Fleet, wait_for
from tests.soak import storm
from tests.soak.rig import Rig
from tests.soak.storm import Hand, Round, Sender, Sight, Weather

HALTS = int(os.environ.get("STORM_HALTS", "40"))
WEIGHT_SHARE_MAX = 0.5


class Storm:
    """A fleet, and all that is thrown at it."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.sight, self.hand = rig, Sight(rig), Hand(rig)
        self.sender = Sender(rig.folder)
        self.sender.configure()
        self.sender.start()
        self.rounds: list[Round] = []

    def round(self, weather: Weather) -> Round:
        wait_for("all QUOTING", self._quoting, within_s=180, every_s=0.5)
        wait_for("weight to place with", self._has_weight, within_s=90, every_s=1.0)
        found = storm.run(self.rig, self.sight, self.hand, self.sender, weather)
        self.rounds.append(found)
        wait_for("resumed", self._resumed, within_s=30, every_s=1.0)
        return found

    def _quoting(self) -> bool:
        try:
            rows = self.rig.fleet.status()["markets"]
        except (AssertionError, ValueError):
            return False
        made = [row for row in rows if row["market"] != storm.SENDERS_MARKET]
        return bool(made) and {row["phase"] for row in made} == {"QUOTING"}

    def _has_weight(self) -> bool:
        """A halt's proof takes much of the minute's; what is left after it must suffice to send."""
        status = self.rig.status()
        return status is not None and status.ip_weight_used_share < WEIGHT_SHARE_MAX

    def _resumed(self) -> bool:
        done = self.rig.fleet.cli.run("--fleet", "paper", "resume", "--reason", "next")
        return done.returncode == 0


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    done = cli.run("apply", "manifests/paper.yaml", "--yes", "--wait", "120")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        made = Storm(Rig(Fleet(cli, "paper")))
        try:
            yield made
        finally:
            made.sender.end()
            made.sender.forget()
    finally:
        cli.run("--fleet", "paper", "down")


@pytest.mark.parametrize("seed", range(HALTS))
def test_flat_is_never_said_falsely_and_nothing_is_left(fair: Storm, seed: int) -> None:
    found = fair.round(Weather.of(seed))
    print(found, flush=True)  # noqa: T201 - the table is what a soak is run for
    assert found.faults == [], str(found)


def test_the_books_are_right_after_the_storm(fair: Storm) -> None:
    rounds = fair.rounds
    voided = sum(found.report["proof"]["voided"] for found in rounds if found.report)
    held = sum(found.held for found in rounds)
    false_flat = sum("false flat" in " ".join(found.faults) for found in rounds)
    print(f"{len(rounds)} halts: {held} placements held back, {voided} voided,"  # noqa: T201
          f" {false_flat} false flat")  # fmt: skip
    drifts = fair.rig.folder.log("gateway").read_text().count('"about": "drift"')
    print(f"{drifts} alerts of drift")  # noqa: T201
    assert [row["drift"] for row in fair.rig.fleet.status()["markets"] if row["drift"]] == []
    assert voided > 0
    assert false_flat == 0
    assert fair.rig.book_faults() == []
