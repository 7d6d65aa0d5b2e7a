"""The loop, round by round, over a cluster and a gateway in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agents.telemetry.logs import open_log
from fleet.manifests.spec import ScheduleSpec, encode
from fleet.supervisor import loop as loop_module
from fleet.supervisor.actions import Actions
from fleet.supervisor.loop import Loop
from fleet.supervisor.phases import Phase
from fleet.supervisor.store import Store
from tests.unit.fleet.supervisor.world import World
from tests.unit.fleet.views import LATCH, spec


class Rig:
    """A store, a world and the loop that turns between them."""

    def __init__(self, folder: Path) -> None:
        self.world = World()
        self.log_path = folder / "supervisor.jsonl"
        self.store = Store(folder / "store.db")
        log = open_log(self.log_path)
        self.loop = Loop(self.store, Actions(self.world), self.world, log, self.world.look)

    def apply(self, *markets: str, leaving: tuple[str, ...] = ()) -> None:
        desired = dict.fromkeys(markets, True) | dict.fromkeys(leaving, False)
        self.store.revise(encode(spec(*markets)).decode(), desired, "ann", 1)
        self.loop.wake(*desired)

    def phase(self, market: str) -> Phase:
        return self.store.markets()[market].phase

    async def until(self, fact: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not fact():
                self.loop.wake()
                await asyncio.sleep(0.005)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    turning = asyncio.create_task(made.loop.run())
    yield made
    turning.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await turning
    made.store.close()


async def test_what_is_desired_comes_to_run(rig: Rig) -> None:
    rig.apply("BTC", "hyna:BTC")
    await rig.until(lambda: rig.phase("hyna:BTC") is rig.phase("BTC") is Phase.QUOTING)
    assert rig.world.risk
    for market in ("BTC", "hyna:BTC"):
        about = [call for call in rig.world.calls if call.endswith(f" {market}")]
        assert about == [f"put {market}", f"start {market}"]
    assert [action["leverage"] for action in rig.world.leverages] == [3, 3]
    assert rig.world.caps_put is not None
    assert rig.world.caps_put.authorised
    assert rig.world.caps_put.caps.gross_max_usd is not None


async def test_once_all_is_well_nothing_is_done(rig: Rig) -> None:
    rig.apply("BTC")
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)
    calls = list(rig.world.calls)
    turned_s = rig.loop.turned_s
    await rig.until(lambda: rig.loop.turned_s > turned_s + 0.2)
    assert rig.world.calls == calls


async def test_an_agent_that_dies_is_started_again_and_counted(rig: Rig) -> None:
    rig.apply("BTC")
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)
    rig.world.agents.clear()
    await rig.until(lambda: rig.world.calls.count("start BTC") == 2)
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)
    assert rig.store.markets()["BTC"].restarts == 1


async def test_a_leverage_that_the_venue_refuses_keeps_the_agent_away(rig: Rig) -> None:
    rig.world.leverage_answer = {"status": "err", "response": "no"}
    rig.apply("BTC")
    await rig.until(lambda: rig.phase("BTC") is Phase.PREFLIGHT)
    reason = rig.store.markets()["BTC"].reason
    assert reason is not None
    assert "no" in reason, "the venue's words are told"
    assert len(rig.world.leverages) == 1, "it is not asked again at once"
    assert not rig.world.agents
    rig.world.leverage_answer = {"status": "ok"}
    rig.loop.wake("BTC")
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)


async def test_what_cannot_be_seen_is_left_alone(rig: Rig) -> None:
    rig.apply("BTC")
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)
    calls = list(rig.world.calls)
    rig.world.gateway_up = False
    await rig.until(lambda: "sight.lost" in rig.log_path.read_text())
    rig.world.agents.clear()
    rig.world.cluster_up, rig.world.gateway_up = False, True
    await rig.until(lambda: "ClusterAway" in rig.log_path.read_text())
    assert rig.world.calls == calls
    rig.world.cluster_up = True
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)


async def test_what_cannot_be_seen_is_told(rig: Rig) -> None:
    rig.world.gateway_up = False
    await rig.until(lambda: rig.loop.blind is not None)
    assert rig.loop.blind is not None
    assert rig.loop.blind.what == "gateway"
    rig.world.gateway_up, rig.world.cluster_up = True, False
    await rig.until(lambda: rig.loop.blind is not None and rig.loop.blind.what == "Ray")
    rig.world.cluster_up = True
    await rig.until(lambda: rig.loop.blind is None)


async def test_a_risk_actor_that_lives_and_is_not_heard_is_replaced(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.world.risk_age_ms = 1
    monkeypatch.setattr("fleet.supervisor.risk_keeper.RISK_SILENT_MS", 100)
    rig.apply("BTC")
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)
    assert "kill risk" not in rig.world.calls
    rig.world.risk_age_ms = 100
    await rig.until(lambda: "kill risk" in rig.world.calls)
    await rig.until(lambda: rig.world.calls.count("start risk") == 2)


async def test_a_halted_fleet_starts_nothing(rig: Rig) -> None:
    rig.world.halted = LATCH
    rig.apply("BTC")
    await rig.until(lambda: rig.phase("BTC") is Phase.HALTED)
    assert not rig.world.agents
    rig.world.halted = None
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)


async def test_a_market_that_left_is_drained_and_forgotten(rig: Rig) -> None:
    rig.apply("BTC", "ETH")
    await rig.until(lambda: rig.phase("ETH") is Phase.QUOTING)
    rig.apply("BTC", leaving=("ETH",))
    await rig.until(lambda: "drain ETH" in rig.world.calls)
    assert rig.phase("ETH") is Phase.DRAINING
    rig.world.agents.discard("ETH")  # flat: the agent leaves by itself
    await rig.until(lambda: rig.phase("ETH") is Phase.STOPPED)
    assert "delete ETH" in rig.world.calls
    assert rig.store.markets()["ETH"].restarts == 0


async def test_a_new_supervisor_takes_over_what_runs(rig: Rig, tmp_path: Path) -> None:
    rig.apply("BTC")
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)
    calls = list(rig.world.calls)
    other = Loop(
        rig.store, Actions(rig.world), rig.world, open_log(tmp_path / "other.jsonl"), rig.world.look
    )
    turning = asyncio.create_task(other.run())
    await rig.until(lambda: other.status is not None)
    await asyncio.sleep(0.05)
    assert rig.world.calls == calls
    turning.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await turning


async def test_standing_down_ends_all_and_begins_nothing(rig: Rig) -> None:
    rig.apply("BTC", "ETH")
    await rig.until(lambda: rig.phase("BTC") is rig.phase("ETH") is Phase.QUOTING)
    rig.store.stand_down("ann", 5)
    assert await rig.loop.stand_down() == ["BTC", "ETH"]
    assert not rig.world.agents
    assert not rig.world.risk
    assert {"revoke BTC", "revoke ETH"} <= set(rig.world.calls)
    rig.apply("BTC")
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)


async def test_standing_down_needs_no_gateway(rig: Rig) -> None:
    rig.apply("BTC")
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)
    rig.world.gateway_up = False
    rig.store.stand_down("ann", 5)
    assert await rig.loop.stand_down() == ["BTC"]


async def test_outside_its_hours_a_market_leaves_and_is_back_after_them(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = [False]
    told = "closed until 2026-11-23 09:30 America/New_York"
    monkeypatch.setattr(loop_module, "shut_now", lambda *_: {"BTC": told} if shut[0] else {})
    hours = {"BTC": ScheduleSpec(hours="09:30-16:00")}
    rig.store.revise(encode(spec("BTC", schedules=hours)).decode(), {"BTC": True}, "ann", 1)
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)
    shut[0] = True
    await rig.until(lambda: rig.world.markets_put["BTC"].draining)
    rig.world.agents.clear()
    await rig.until(lambda: rig.phase("BTC") is Phase.STOPPED)
    assert rig.store.markets()["BTC"].reason == told
    assert rig.store.markets()["BTC"].desired
    shut[0] = False
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)


async def test_hours_that_are_back_before_it_was_gone_are_no_operators_drain(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = [False]
    monkeypatch.setattr(loop_module, "shut_now", lambda *_: {"BTC": "closed"} if shut[0] else {})
    hours = {"BTC": ScheduleSpec(hours="09:30-16:00")}
    rig.store.revise(encode(spec("BTC", schedules=hours)).decode(), {"BTC": True}, "ann", 1)
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)
    shut[0] = True
    await rig.until(lambda: rig.world.markets_put["BTC"].draining)
    shut[0] = False
    await rig.until(lambda: rig.phase("BTC") is not Phase.DRAINING)
    rig.world.agents.clear()
    await rig.until(lambda: rig.phase("BTC") is Phase.QUOTING)
    assert rig.store.markets()["BTC"].desired
