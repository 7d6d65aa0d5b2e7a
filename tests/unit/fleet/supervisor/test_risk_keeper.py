"""The risk actor is started while it is wanted, patiently, and ended where it hangs."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from agents.telemetry.logs import open_log
from fleet.gateway.api import RiskView
from fleet.supervisor.risk_keeper import RISK_SILENT_MS, RiskKeeper
from tests.unit.fleet.supervisor.world import World

T = TypeVar("T")


async def at_once(ask: Callable[[], T], /) -> T:
    return ask()


class Rig:
    def __init__(self, folder: Path) -> None:
        self.world = World()
        self.keeper = RiskKeeper(self.world, at_once, open_log(folder / "log"))

    def keep(self, now_ms: int, *, wanted: bool = True, age_ms: int | None = 0) -> list[str]:
        self.world.calls.clear()
        seen = None if age_ms is None else RiskView(1, 0, age_ms, "normal", "")
        running = self.world.risk
        asyncio.run(self.keeper.keep(seen, wanted=wanted, running=running, now_ms=now_ms))
        return self.world.calls


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_it_runs_while_anything_is_desired(rig: Rig) -> None:
    assert rig.keep(1, wanted=False) == []
    assert rig.keep(2) == ["start risk"]
    assert rig.keep(3) == []


def test_one_that_ends_again_and_again_is_waited_for(rig: Rig) -> None:
    assert rig.keep(1_000) == ["start risk"]
    rig.world.risk = False
    assert rig.keep(1_100) == ["start risk"], "at once the first time"
    rig.world.risk = False
    assert rig.keep(1_200) == []
    assert rig.keep(3_000) == ["start risk"]


def test_one_that_is_not_heard_is_ended(rig: Rig) -> None:
    rig.keep(1_000)
    assert rig.keep(1_000 + RISK_SILENT_MS - 1, age_ms=None) == []
    assert rig.keep(2_000 + RISK_SILENT_MS, age_ms=RISK_SILENT_MS) == ["kill risk"]
