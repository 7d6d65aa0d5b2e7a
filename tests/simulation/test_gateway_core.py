"""What the gateway's core promises, against the exchange itself and a network that loses things."""

from collections import Counter

import pytest

from agents.exchange.downstream import Revoked
from fleet.gateway.api import HaltRequest
from fleet.gateway.core.control import Halt
from fleet.gateway.core.state import FLEET
from fleet.gateway.records import Filled
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import LIMIT_USD, Faults, World, generations


def trading(seed: int, faults: Faults | None = None) -> tuple[World, list[Agent]]:
    """Two agents that have traded for some seconds, faults at work."""
    world = World(seed)
    agents = [Agent(world, at, market) for at, market in enumerate(world.markets, start=1)]
    for agent in agents:
        world.every(90 + 7 * agent.session, agent.trade)
    world.faults = faults or Faults()
    world.run(3_000)
    return world, agents


def halt(world: World) -> Halt:
    asked = Halt(HaltRequest(reason="sim", by="test"), world.now_ms)
    world.do(asked.begin(world.state, world.now_ms))
    return asked


@pytest.mark.parametrize("seed", range(5))
def test_a_halt_in_calm_weather_is_proven_soon(seed: int) -> None:
    world, _ = trading(seed)
    asked = halt(world)
    world.run_until(lambda: world.state.clearings[FLEET].done, 2_500)
    report = asked.report(world.state)
    assert report.flat_of_orders
    assert report.proof.snapshots == 2
    assert report.proof.in_flight_unresolved == 0
    assert world.resting() == []


@pytest.mark.parametrize("seed", range(12))
def test_a_halt_is_never_falsely_flat(seed: int) -> None:
    """Placements held back 4 s, a third of everything lost, agents that keep sending."""
    world, _ = trading(seed, Faults(lost_requests=0.1, lost_answers=0.3))
    world.faults.held_ms = 4_000
    world.run(300)
    asked = halt(world)
    flat = False

    def no_order_once_flat() -> None:
        nonlocal flat
        flat = flat or asked.report(world.state).flat_of_orders
        assert not (flat and world.resting())

    world.invariant = no_order_once_flat
    world.run(20_000)
    assert flat
    placed_after = [s for s in world.sent if s.placement and s.nonce > asked.started_ms]
    assert not placed_after
    world.check_nonces()


@pytest.mark.parametrize("seed", range(5))
def test_orders_of_a_closed_socket_are_gone_within_2_s(seed: int) -> None:
    world, agents = trading(seed)
    world.disconnect(agents[0].session)
    world.run(2_000)
    assert world.resting(agents[0].market) == []
    assert agents[1].alive


@pytest.mark.parametrize("seed", range(5))
def test_orders_of_a_closed_socket_go_whatever_is_lost(seed: int) -> None:
    world, agents = trading(seed, Faults(lost_requests=0.2, lost_answers=0.3))
    world.disconnect(agents[0].session)
    world.run_until(
        lambda: not world.state.clearings and not world.resting(agents[0].market), 30_000
    )
    world.run(8_000)
    assert world.resting(agents[0].market) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_second_holder_takes_over_and_only_its_orders_stay(seed: int) -> None:
    world, agents = trading(seed, Faults(lost_answers=0.2))
    second = Agent(world, 9, agents[0].market)
    world.every(100, second.trade)
    world.run(12_000)
    assert not agents[0].alive
    assert any(isinstance(frame, Revoked) for frame in agents[0].heard)
    assert second.lease is not None
    assert second.lease.generation == 2
    assert generations(world.resting(agents[0].market)) <= {2}
    world.check_nonces()


@pytest.mark.parametrize("seed", range(5))
def test_position_and_all_that_may_fill_stay_within_the_limit(seed: int) -> None:
    """I1, with unknown outcomes counted as open."""
    world, _ = trading(seed, Faults(lost_requests=0.05, lost_answers=0.2))
    reached = 0.0

    def within() -> None:
        nonlocal reached
        for market in world.markets:
            worst_usd = world.worst_usd(market)
            reached = max(reached, worst_usd)
            assert worst_usd <= LIMIT_USD

    world.invariant = within
    world.run(15_000)
    assert reached > 0.5 * LIMIT_USD, "the limit was never near"


@pytest.mark.parametrize("seed", range(5))
def test_every_fill_is_booked_once_and_positions_agree(seed: int) -> None:
    world, agents = trading(seed, Faults(lost_answers=0.2))
    world.run(15_000)
    for agent in agents:
        world.disconnect(agent.session)
    world.run(6_000)
    venue = world.exchange.info({"type": "userFills", "user": world.state.identity.address}, 0)
    assert isinstance(venue, list)
    told = Counter((row["time"], row["coin"], row["tid"], row["oid"]) for row in venue)
    fills = [body.fill for body in world.records if isinstance(body, Filled)]
    booked = Counter((fill.time_ms, fill.coin, fill.tid, fill.oid) for fill in fills)
    assert booked == told
    assert booked
    for market in world.markets:
        assert world.state.account.position(market).sz == world.position_sz(market)


def test_equal_seeds_give_equal_histories() -> None:
    sent = []
    for _ in range(2):
        world, _ = trading(3, Faults(lost_requests=0.1, lost_answers=0.2))
        world.run(5_000)
        sent.append([(s.nonce, s.request, s.market) for s in world.sent])
    assert sent[0] == sent[1]
    assert len(sent[0]) > 20
