"""A market that loses beyond doubt is put to sleep if the manifest says so; a person wakes it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import pytest

from fleet.alerts.conditions import Books
from fleet.alerts.look import look
from fleet.folder import Folder
from fleet.gateway.client import Unreachable
from fleet.ledger.edge import Edge
from fleet.manifests.spec import FleetSpec
from fleet.supervisor.sleep import LOOK_EVERY_MS, Sleep
from fleet.supervisor.store import Store
from tests.unit.fleet.views import fleet_risk, quoting, spec, status

LOSES = Edge("loses", 80, 40, -2.0, -3.1, -0.9)
UNPROVEN = Edge("unproven", 80, 40, -2.0, -3.1, 0.4)


def asleep(path: Path) -> dict[str, str]:
    """As the watch sees it, beside the writer."""
    return dict(look(Folder(path.parent), Books()).asleep)


class Rig:
    """A sleep with a ledger that finds what it is told to, and a gateway that pauses."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store(path)
        self.store.revise("{}", {"BTC": True}, "test", 0)
        self.found: dict[str, Edge] = {}
        self.since: dict[str, int] = {}
        self.paused: set[str] = set()
        self.reachable = True
        self.now_ms = 1_000_000
        self.looks = 0
        self.sleep = Sleep(self.store, self.edges)

    def edges(self, now_ms: int, since_ms: Mapping[str, int]) -> Mapping[str, Edge]:
        assert now_ms == self.now_ms
        self.looks += 1
        self.since = dict(since_ms)
        return self.found

    async def turn(self, on_losing: Literal["tell", "sleep"] = "sleep") -> None:
        views = [quoting(name, paused=name in self.paused) for name in ("BTC", "ETH")]
        wanted: FleetSpec = spec("BTC", "ETH", risk=fleet_risk(on_losing=on_losing))

        async def pause(market: str) -> None:
            if not self.reachable:
                raise Unreachable("no gateway")
            self.paused.add(market)

        async def call(ask: Callable[[], Mapping[str, Edge]]) -> Mapping[str, Edge]:
            return ask()

        await self.sleep.turn(status(*views), wanted, pause, call, self.now_ms)
        self.now_ms += LOOK_EVERY_MS


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "store.db")


async def test_what_loses_sleeps_and_nothing_else(rig: Rig) -> None:
    rig.found = {"BTC": LOSES, "ETH": UNPROVEN, "GONE": LOSES}
    await rig.turn("tell")
    assert (rig.paused, rig.looks) == (set(), 0)
    await rig.turn()
    assert rig.paused == {"BTC"}
    why = rig.sleep.reason("BTC")
    assert why is not None
    assert why.startswith("asleep: -2.00 bps a minute after a fill")
    assert "fleet unpause BTC wakes it" in why
    assert [(row.by, row.verb, row.detail) for row in rig.store.audits()] == [
        ("supervisor", "sleep", "BTC"), ("test", "apply", "revision 1"),
    ]  # fmt: skip
    assert asleep(rig.path) == {"BTC": why}
    await rig.turn()
    assert len(rig.store.audits()) == 2, "once"


async def test_who_was_woken_is_judged_by_what_came_since(rig: Rig) -> None:
    rig.found = {"BTC": LOSES}
    await rig.turn()
    rig.found = {}
    rig.paused.clear()  # by whatever way a person did it
    woke_ms = rig.now_ms
    await rig.turn()
    assert rig.sleep.reason("BTC") is None
    assert asleep(rig.path) == {}
    assert rig.since == {"BTC": woke_ms}
    rig.found = {"BTC": LOSES}
    await rig.turn()
    assert rig.sleep.reason("BTC") is not None


async def test_a_supervisor_that_dies_forgets_neither_sleep_nor_waking(rig: Rig) -> None:
    rig.found = {"BTC": LOSES}
    await rig.turn()
    rig.sleep = Sleep(rig.store, rig.edges)
    assert rig.sleep.reason("BTC") is not None
    rig.found, rig.paused = {}, set()
    await rig.turn()
    rig.sleep = Sleep(rig.store, rig.edges)
    await rig.turn()
    assert set(rig.since) == {"BTC"}


async def test_a_gateway_that_does_not_pause_it_is_asked_again(rig: Rig) -> None:
    rig.found, rig.reachable = {"BTC": LOSES}, False
    with pytest.raises(Unreachable):
        await rig.turn()
    assert rig.sleep.reason("BTC") is None
    rig.now_ms += LOOK_EVERY_MS
    rig.reachable = True
    await rig.turn()
    assert rig.sleep.reason("BTC") is not None


def test_a_store_of_before_has_nobody_asleep(tmp_path: Path) -> None:
    Store(tmp_path / "store.db").close()
    assert asleep(tmp_path / "store.db") == {}
