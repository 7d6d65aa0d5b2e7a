"""An operator's verbs against a cluster and a gateway in memory: done, written down, or refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.telemetry.logs import open_log
from fleet.manifests.spec import encode
from fleet.supervisor.actions import Actions
from fleet.supervisor.loop import Loop
from fleet.supervisor.phases import Phase
from fleet.supervisor.store import Store
from fleet.supervisor.verbs import Refused, Verbs
from tests.unit.fleet.supervisor.world import World
from tests.unit.fleet.views import spec


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.db")
    made.revise(encode(spec("BTC")).decode(), {"BTC": True}, "ann", 1)
    yield made
    made.close()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def loop(store: Store, world: World, tmp_path: Path) -> Loop:
    return Loop(store, Actions(world), world, open_log(tmp_path / "supervisor.jsonl"), world.look)


@pytest.fixture
async def verbs(store: Store, loop: Loop) -> Verbs:
    for _ in range(4):
        await loop._round()  # settings, leverage, start: the loop without its clock
    return Verbs(store, loop)


@pytest.mark.parametrize("verb", ["pause", "unpause", "flatten"])
async def test_what_the_gateway_does_is_passed_on_and_written_down(
    verbs: Verbs, store: Store, world: World, verb: str
) -> None:
    await verbs.carry_out("BTC", verb, "ann")
    assert world.calls[-1] == f"{verb} BTC"
    row = store.audits()[0]
    assert (row.by, row.verb, row.detail, row.outcome) == ("ann", verb, "BTC", "accepted")


async def test_a_verb_that_the_gateway_did_not_hear_is_written_down_as_that(
    verbs: Verbs, store: Store, world: World
) -> None:
    world.gateway_up = False
    with pytest.raises(Refused) as refused:
        await verbs.carry_out("BTC", "pause", "ann")
    assert refused.value.error.exit == 7
    assert "Unreachable" in store.audits()[0].outcome


async def test_a_drained_market_is_not_started_again(
    verbs: Verbs, store: Store, loop: Loop, world: World
) -> None:
    await verbs.carry_out("BTC", "drain", "ann")
    assert (store.markets()["BTC"].desired, store.markets()["BTC"].phase) == (False, Phase.DRAINING)
    await loop._round()
    assert world.calls[-1] == "drain BTC"
    world.agents.clear()  # flat: its agent has left
    for _ in range(3):
        await loop._round()
    assert world.calls[-1] == "delete BTC"
    assert store.markets()["BTC"].phase is Phase.STOPPED
    with pytest.raises(Refused, match="not to run"):
        await verbs.carry_out("BTC", "restart", "ann")


async def test_a_market_drained_at_the_gateway_is_desired_no_more(
    verbs: Verbs, store: Store, loop: Loop, world: World
) -> None:
    assert verbs is not None
    world.post("/v1/markets/BTC/drain")
    world.agents.clear()
    await loop._round()
    assert not store.markets()["BTC"].desired
    assert "start BTC" not in world.calls[world.calls.index("drain BTC") :]


async def test_a_restart_ends_the_agent_and_forgives_a_failed_market(
    verbs: Verbs, store: Store, loop: Loop, world: World
) -> None:
    await verbs.carry_out("BTC", "restart", "ann")
    assert world.calls[-2:] == ["revoke BTC", "kill BTC"]
    for _ in range(3):
        await loop._round()
    assert "BTC" in world.agents
    assert store.markets()["BTC"].restarts == 0, "what we end ourselves is no fault"
    store.note_phase("BTC", Phase.FAILED, "ended too often", 5)
    world.agents.clear()
    await loop._round()
    assert "BTC" not in world.agents, "a FAILED market is left alone"
    await verbs.carry_out("BTC", "restart", "ann")
    for _ in range(3):
        await loop._round()
    assert "BTC" in world.agents


@pytest.mark.parametrize(("market", "verb"), [("ETH", "pause"), ("BTC", "explode")])
async def test_what_is_not_known_is_refused(verbs: Verbs, market: str, verb: str) -> None:
    with pytest.raises(Refused) as refused:
        await verbs.carry_out(market, verb, "ann")
    assert refused.value.error.exit == 3
