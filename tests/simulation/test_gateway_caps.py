"""The fleet's caps against trading agents: never broken by what is let pass, lowered at once."""

import pytest

from agents.exchange.downstream import LimitsFrame
from fleet.gateway.api import Caps, CapsPut
from fleet.gateway.core import control
from fleet.gateway.core.control import Wrong
from fleet.gateway.core.effects import KeepCaps
from fleet.gateway.core.status import status
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import World

MARKETS = ("BTC", "hyna:BTC")


@pytest.fixture
def world() -> World:
    return World(seed=5, markets=MARKETS)


def put(world: World, caps: Caps, *, authorised: bool = False) -> None:
    effects = control.put_caps(world.state, CapsPut(caps, authorised))
    assert any(isinstance(effect, KeepCaps) for effect in effects)
    world.do(effects)


def trading(world: World) -> list[Agent]:
    agents = [Agent(world, number, market) for number, market in enumerate(MARKETS, 1)]
    for agent in agents:
        world.every(100, agent.trade)
    return agents


def gross_usd(world: World) -> float:
    """Of the venue's own view: what may come to be held if the worst of what is open fills."""
    return sum(world.worst_usd(market) for market in MARKETS)


def test_whatever_agents_send_the_venue_never_holds_more_than_the_caps(world: World) -> None:
    put(world, Caps(gross_max_usd=4_000.0, underlying_gross_max_usd=3_000.0))
    trading(world)
    most = 0.0
    for _ in range(300):
        world.run(100)
        most = max(most, gross_usd(world))
        assert world.worst_usd("BTC") + world.worst_usd("hyna:BTC") <= 3_000.0 * 1.001
        assert most <= 4_000.0 * 1.001
    assert most > 2_000.0, "the caps were what held"
    refusals = status(world.state, world.now_ms).refusals
    assert {"limit:gross", "limit:underlying"} & refusals.keys()
    use = status(world.state, world.now_ms).caps_use
    assert use is not None
    assert use.gross_usd <= 4_000.0 * 1.001


def test_raising_needs_authority_and_lowering_takes_off_what_is_beyond(world: World) -> None:
    put(world, Caps(gross_max_usd=8_000.0, dex_margin_max_usd={"hyna": 5_000.0}))
    agents = trading(world)
    world.run(5_000)
    assert gross_usd(world) > 3_000.0
    for higher in (Caps(gross_max_usd=9_000.0, dex_margin_max_usd={"hyna": 1.0}), Caps()):
        with pytest.raises(Wrong, match="would rise"):
            control.put_caps(world.state, CapsPut(higher))
    put(world, Caps(gross_max_usd=1_500.0, dex_margin_max_usd={"hyna": 5_000.0}))
    world.run(3_000)
    for _ in range(50):
        world.run(100)
        held = sum(abs(float(world.position_sz(m) * world.mids[m])) for m in MARKETS)
        assert gross_usd(world) <= max(1_500.0 * 1.03, held * 1.03)
    told = [f.position_max_usd for a in agents for f in a.heard if isinstance(f, LimitsFrame)]
    assert told, "agents are told how little room there is"
    assert min(told) < 1_500.0
    put(world, Caps(gross_max_usd=50_000.0), authorised=True)
    world.run(2_000)
    last = [f for f in agents[0].heard if isinstance(f, LimitsFrame)][-1]
    assert last.position_max_usd == 3_000.0, "its own again"
