"""An order in the place of another passes the gateway's door as a placement does."""

from decimal import Decimal

import msgspec
import pytest

from agents.commands import NewOrder
from agents.exchange.codec import encode_place, encode_replace
from agents.exchange.downstream import Refusal
from agents.market.types import Cloid, Side
from fleet.gateway.api import HaltRequest
from fleet.gateway.core.control import Halt
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import World


def cloid(agent: Agent, sequence: int) -> Cloid:
    assert agent.lease is not None
    return Cloid(f"0x{agent.lease.cloid_prefix}{sequence:012x}")


def bid(agent: Agent, sequence: int, away: str, *, replaces: Cloid | None = None) -> NewOrder:
    assert agent.lease is not None
    px = agent.world.mids[agent.market] * (1 - Decimal(away))
    px = agent.lease.instrument.passive_px(px, Side.BID)
    return NewOrder(cloid(agent, sequence), Side.BID, px, Decimal("0.002"), replaces=replaces)


@pytest.fixture
def agent() -> Agent:
    """It has a lease, and one bid that rests."""
    world = World(3)
    agent = Agent(world, 1, world.markets[0])
    world.run(2_000)
    assert agent.lease is not None
    agent.post(encode_place([bid(agent, 1, "0.01")], agent.lease.instrument.asset_id))
    world.run(1_000)
    assert len(world.resting(agent.market)) == 1
    return agent


def replace(agent: Agent, order: NewOrder) -> None:
    assert agent.lease is not None
    agent.post(encode_replace([order], agent.lease.instrument.asset_id))


def refusals(agent: Agent) -> list[str]:
    return [frame.reason for frame in agent.heard if isinstance(frame, Refusal)]


def test_one_order_takes_the_place_of_another(agent: Agent) -> None:
    replace(agent, bid(agent, 2, "0.005", replaces=cloid(agent, 1)))
    counted_sz = agent.world.state.exposure(agent.market).open_bid_sz
    assert counted_sz == Decimal("0.004")  # either may fill until it is known
    agent.world.run(1_000)
    (row,) = agent.world.resting(agent.market)
    assert row["cloid"] == cloid(agent, 2)
    assert agent.world.state.exposure(agent.market).open_bid_sz == Decimal("0.002")
    assert not refusals(agent)


def test_what_replaces_is_a_placement_to_latch_and_limits(agent: Agent) -> None:
    big = msgspec.structs.replace(bid(agent, 2, "0.005", replaces=cloid(agent, 1)), sz=Decimal(50))
    replace(agent, big)
    asked = Halt(HaltRequest(reason="sim", by="test"), agent.world.now_ms)
    agent.world.do(asked.begin(agent.world.state, agent.world.now_ms))
    replace(agent, bid(agent, 3, "0.005", replaces=cloid(agent, 1)))
    assert refusals(agent) == ["limit:position", "fenced"]


def test_nobody_replaces_a_strangers_order_nor_uses_a_cloid_twice(agent: Agent) -> None:
    assert agent.lease is not None
    replace(agent, bid(agent, 2, "0.005", replaces=Cloid("0x" + "a" * 32)))
    replace(agent, bid(agent, 1, "0.005", replaces=cloid(agent, 1)))
    by_oid = encode_replace([bid(agent, 3, "0.005", replaces=cloid(agent, 1))], 0)
    by_oid = msgspec.structs.replace(
        by_oid, modifies=(msgspec.structs.replace(by_oid.modifies[0], oid=7),)
    )
    agent.post(by_oid)
    assert refusals(agent) == ["malformed", "duplicate", "malformed"]
    agent.world.run(1_000)
    assert len(agent.world.resting(agent.market)) == 1


def test_nothing_that_takes_replaces_and_nothing_is_placed_beside_an_old_order(
    agent: Agent,
) -> None:
    """``a`` would place the new order even where the old one had filled: twice the exposure."""
    assert agent.lease is not None
    old, asset = cloid(agent, 1), agent.lease.instrument.asset_id
    always = encode_replace([bid(agent, 2, "0.005", replaces=old)], asset)
    agent.post(msgspec.structs.replace(always, a=True))
    taking = msgspec.structs.replace(
        bid(agent, 3, "0.005", replaces=old), tif="Ioc", reduce_only=True
    )
    replace(agent, taking)
    assert refusals(agent) == ["not_post_only", "not_post_only"]
    agent.world.run(1_000)
    (row,) = agent.world.resting(agent.market)
    assert row["cloid"] == old


def test_two_new_orders_in_one_place_count_twice_and_one_comes_to_rest(agent: Agent) -> None:
    assert agent.lease is not None
    old = cloid(agent, 1)
    pair = [bid(agent, 2, "0.005", replaces=old), bid(agent, 3, "0.006", replaces=old)]
    agent.post(encode_replace(pair, agent.lease.instrument.asset_id))
    assert agent.world.state.exposure(agent.market).open_bid_sz == Decimal("0.006")
    agent.world.run(1_000)
    (row,) = agent.world.resting(agent.market)
    assert row["cloid"] == cloid(agent, 2)
    assert agent.world.state.exposure(agent.market).open_bid_sz == Decimal("0.002")


def test_a_new_order_refused_for_crossing_leaves_neither(agent: Agent) -> None:
    """The venue's modify cancels first: the old order is gone, and the gateway counts none."""
    assert agent.lease is not None
    crossing = bid(agent, 2, "-0.002", replaces=cloid(agent, 1))
    replace(agent, crossing)
    agent.world.run(1_000)
    assert not agent.world.resting(agent.market)
    assert agent.world.state.exposure(agent.market).open_bid_sz == 0


def test_a_halt_ends_both_legs_of_what_is_under_way(agent: Agent) -> None:
    """The noop takes the replacement's nonce, or comes after it: either way nothing rests."""
    replace(agent, bid(agent, 2, "0.005", replaces=cloid(agent, 1)))
    asked = Halt(HaltRequest(reason="sim", by="test"), agent.world.now_ms)
    agent.world.do(asked.begin(agent.world.state, agent.world.now_ms))
    agent.world.run(5_000)
    assert not agent.world.resting(agent.market)
    assert not list(agent.world.state.orders.resting(agent.market))
    assert not agent.world.state.orders.unresolved
