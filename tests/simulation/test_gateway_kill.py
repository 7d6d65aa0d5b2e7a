"""An agent's kill at the gateway: its fence, who opens it, what is kept, what a resume asks."""

from decimal import Decimal

import msgspec
import pytest

from agents.commands import Report
from agents.exchange.downstream import (
    AgentFrame,
    FenceFrame,
    FenceMe,
    LeaseFrame,
    OpenMe,
    RenewLease,
    ToGateway,
)
from agents.kept import Kept, Kill
from fleet.gateway.core import control
from fleet.gateway.core.effects import KeepMarket
from fleet.gateway.core.resume_checks import standing
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import World
from tests.simulation.test_gateway_control import last, quoting

KILL = Kill(cause="loss", reason="day loss", at_ms=1, seen_ms=1)
COUNTED = Kept(day=20_000, open_usd=0.0, pnl_usd=-40.0, peak_usd=3.0)


@pytest.fixture
def world() -> World:
    return World(seed=5)


def say(world: World, agent: Agent, frame: AgentFrame) -> int:
    """A frame of the agent's; how often its market was to be stored for it."""
    raw = msgspec.json.encode(ToGateway(data=frame))
    effects = list(world.core.said(agent.session, raw, world.now_ms))
    world.do(effects)
    return sum(isinstance(effect, KeepMarket) for effect in effects)


def renewal(agent: Agent, kept: Kept) -> RenewLease:
    assert agent.lease is not None
    return RenewLease(agent.lease.generation, 1, 1, Report(phase="QUOTING"), kept)


def test_a_passing_kill_is_opened_by_its_agent_and_a_lasting_one_by_a_person(world: World) -> None:
    agent = quoting(world)
    assert agent.lease is not None
    generation = agent.lease.generation
    assert say(world, agent, FenceMe(generation, "a leap", transient=True)) == 1
    world.run(1_000)
    assert world.state.fence.closed("BTC")
    assert not world.resting("BTC")
    assert say(world, agent, OpenMe(generation, "it has passed")) == 1
    assert last(agent, FenceFrame) == FenceFrame(closed=False, reason="")
    say(world, agent, FenceMe(generation, "day loss"))
    assert say(world, agent, OpenMe(generation, "never mind")) == 0
    assert world.state.fence.closed("BTC")
    world.do(control.resume(world.state, "looked at it", "ann", world.now_ms))
    assert not world.state.fence.closed("BTC")
    assert [alert.event for alert in world.alerts].count("kill") == 3


def test_a_lease_brings_what_the_process_before_it_kept(world: World) -> None:
    agent = quoting(world)
    assert say(world, agent, renewal(agent, COUNTED)) == 1
    poorer = msgspec.structs.replace(COUNTED, pnl_usd=-41.0)
    assert say(world, agent, renewal(agent, poorer)) == 0  # the disk hears of money now and then
    killed = msgspec.structs.replace(poorer, kill=KILL, kills=1)
    assert say(world, agent, renewal(agent, killed)) == 1
    world.disconnect(agent.session)
    after = Agent(world, 2, "BTC")
    world.run(1_000)
    assert isinstance(after.lease, LeaseFrame)
    assert after.lease.kept == killed


def test_whoever_makes_the_market_after_a_resume_begins_small(world: World) -> None:
    agent = quoting(world)
    say(world, agent, renewal(agent, msgspec.structs.replace(COUNTED, kill=KILL)))
    world.do(control.resume(world.state, "looked at it", "ann", world.now_ms))
    kept = world.state.markets["BTC"].kept
    assert (kept.kill, kept.ramp_ms) == (None, world.now_ms)
    assert kept.pnl_usd == COUNTED.pnl_usd  # a person lifts the kill, not the loss


def test_near_its_liquidation_the_caretaker_closes_it_until_a_person_resumes(world: World) -> None:
    agent = quoting(world)
    assert agent.lease is not None
    say(world, agent, FenceMe(agent.lease.generation, "liquidation 2.1 sigmas away", flatten=True))
    assert world.state.markets["BTC"].flatten
    world.do(control.resume(world.state, "margin added", "ann", world.now_ms))
    assert not world.state.markets["BTC"].flatten


def test_a_resume_looks_at_link_position_margin_key_and_clock(world: World) -> None:
    quoting(world)
    state, now_ms = world.state, world.now_ms
    assert standing(state, now_ms, None) == ()
    assert standing(state, now_ms, "the key is gone") == ("the key is gone",)
    assert "was last seen 6" in standing(state, now_ms + 60_000, None)[0]

    held = state.account.dexes[""]
    row = msgspec.structs.replace(state.account.position("BTC"), sz=Decimal(1))
    state.account.dexes[""] = msgspec.structs.replace(
        held, margin_used=held.account_value, positions={"BTC": row}
    )
    assert "margin on DEX main is used up" in standing(state, now_ms, None)[0]
    state.account.dexes[""] = held

    state.drifts.believed("BTC", Decimal(1), Decimal(2), now_ms - 9_000)
    assert "its agent believes in 1" in standing(state, now_ms, None)[0]
    state.drifts.left("BTC", now_ms)

    state.clock.seen(now_ms + 3_000, now_ms)
    assert "the clocks differ" in standing(state, now_ms, None)[0]
    state.link.state = "gap"
    assert "no connection" in standing(state, now_ms, None)[-1]
