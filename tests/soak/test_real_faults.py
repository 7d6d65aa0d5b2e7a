"""Twenty minutes against the real server processes, with something ended or cut every few seconds.

``FLEET_SOAK_MINUTES`` says how many; 20 unless told. Agents and the gateway get ``kill -9``, every
WebSocket of the venue is cut, answers are lost, late, doubled and out of order. Meanwhile no order
may outlive its lease; afterwards fills, positions and fees must equal the venue's. Before the first
of them, and again once all is mended, no event loop of any process may stall by its own doing.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal

import pytest

from tests.e2e.under_test import Cli, Fleet, wait_for
from tests.soak.books import fee_faults, venue_fills
from tests.soak.orphans import OrphanWatch
from tests.soak.rig import Rig
from tests.soak.test_quiet import LOOPS, loops

MINUTES = float(os.environ.get("FLEET_SOAK_MINUTES", "20"))
SEED = int(os.environ.get("FLEET_SOAK_SEED", "1"))
PAUSE_S = (2.0, 6.0)
CALM_S = 60.0
ORPHAN_MAX_S = 7.0
"""An order's lease of 5 s and 2 s to take it off, while there is a gateway with a link."""

PLANS: dict[str, dict[str, object]] = {
    "answers lost": {"drop_answers_share": 0.5},
    "answers late": {"delay_answers_s": 2.0},
    "placements held": {"hold_placements_s": 1.0},
    "frames doubled and disordered": {"duplicate_user_frames": True, "reorder_user_frames": True},
    "turned away": {"status_burst": {"code": 502, "s": 2.0}},
    "frozen": {"freeze_connections_s": 3.0},
}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    cli = Cli(tmp_path_factory.mktemp("home"))
    done = cli.run("apply", "manifests/paper.yaml", "--yes", "--wait", "120")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Rig(Fleet(cli, "paper"))
    finally:
        cli.run("--fleet", "paper", "down")


class Storm:
    """Does one bad thing after another; ``done`` counts them by kind."""

    def __init__(self, rig: Rig, chance: random.Random) -> None:
        self.done: Counter[str] = Counter()
        self._rig = rig
        self._chance = chance

    def run(self, for_s: float) -> None:
        until_s = time.monotonic() + for_s
        deeds = (self._kill_agent, self._kill_agent, self._kill_gateway, self._cut, self._plan)
        while time.monotonic() < until_s:
            with suppress(OSError, AssertionError):  # what is to be ended is just being started
                deed: Callable[[], str] = self._chance.choice(deeds)
                self.done[deed()] += 1
            time.sleep(self._chance.uniform(*PAUSE_S))
        self._rig.faults()

    def _kill_agent(self) -> str:
        market = self._chance.choice(self._rig.markets)
        os.kill(self._rig.pid(f"agent:{market}"), signal.SIGKILL)
        return "agent"

    def _kill_gateway(self) -> str:
        os.kill(self._rig.pid("gateway"), signal.SIGKILL)
        return "gateway"

    def _cut(self) -> str:
        self._rig.faults(cut_connections=True)
        return "cut"

    def _plan(self) -> str:
        kind = self._chance.choice(sorted(PLANS))
        self._rig.faults(**PLANS[kind])
        return kind


def stalled(rig: Rig) -> list[str]:
    """Whose loop stood still for over 100 ms with a core to run on, in a calm minute."""
    watched = LOOPS | set(rig.markets)
    wait_for("all to watch their loops", lambda: loops(rig).keys() >= watched, within_s=60)
    before = {name: row["own_stalls"] for name, row in loops(rig).items()}
    time.sleep(CALM_S)
    after = loops(rig)
    return [name for name in watched if after[name]["own_stalls"] > before[name]]


def test_no_fill_and_no_order_is_lost_whatever_dies(rig: Rig) -> None:
    wait_for("all QUOTING", rig.whole, within_s=120)
    assert stalled(rig) == [], "before anything went wrong"
    storm, watch = Storm(rig, random.Random(SEED)), OrphanWatch(rig)
    watch.start()
    storm.run(MINUTES * 60)
    wait_for("the markets answer again", rig.whole, within_s=120)
    watch.end()
    assert stalled(rig) == [], "after all went well again"
    halted = rig.fleet.cli.json("--fleet", "paper", "halt", "--reason", "soak")
    fills = venue_fills(rig)
    print(  # noqa: T201 - the figures are what a soak is run for
        f"{MINUTES:g} minutes: {dict(storm.done)}; {len(fills)} fills; orders outlived their"
        f" lease's holder by {watch.longest_s:.1f} s at most while a gateway could know,"
        f" {watch.longest_wall_s:.1f} s by the wall; {watch.looks} looks"
    )
    assert halted["flat_of_orders"] is True
    assert rig.resting() == []
    assert rig.book_faults() == []
    assert fee_faults(rig) == []
    assert watch.longest_s <= ORPHAN_MAX_S, watch.worst
    assert len(fills) > 10 * MINUTES
    assert all(storm.done[kind] for kind in ("agent", "gateway", "cut")), storm.done
    assert sum(Decimal(row["sz"]) for row in fills) > 0
