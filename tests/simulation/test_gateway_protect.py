"""The venue-side stop of a position, against the exchange: one, in its place, never an orphan."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agents.exchange.wire import OrderAction
from agents.market.types import Side
from agents.settings import ProtectSettings
from fleet.gateway.api import HaltRequest, MarketPut
from fleet.gateway.core import cloids, control
from fleet.gateway.core.control import Halt
from fleet.gateway.core.deadman import View
from fleet.gateway.core.protect import CAUSE, EVERY_MS
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import ADDRESS, Faults, World

BTC = "BTC"
HELD_SZ = Decimal("0.01")
STOP_BPS = 300.0


def protect(world: World, stop_bps: float | None = STOP_BPS) -> None:
    settings = msgspec.structs.replace(
        world.state.markets[BTC].settings, protect=ProtectSettings(stop_bps)
    )
    world.do(control.put_market(world.state, BTC, MarketPut(revision=2, settings=settings)))


def take(world: World, side: Side, sz: Decimal = HELD_SZ) -> None:
    """Somebody with the account's key trades: the position changes, however it came."""
    instrument = world.state.instrument(BTC)
    assert instrument is not None
    px = instrument.passive_px(world.mids[BTC] * (1 + side.sign * Decimal("0.02")), side)
    order = {"a": instrument.asset_id, "b": side is Side.BID, "p": str(px), "s": str(sz),
             "r": False, "t": {"limit": {"tif": "Ioc"}}}  # fmt: skip
    action = {"type": "order", "orders": [order], "grouping": "na"}
    world.exchange.submit(world.now_ms + 10**9, ADDRESS, action, world.now_ms + 10**6)


def stops(world: World) -> list[dict[str, Any]]:
    return [row for row in world.resting(BTC) if row["isTrigger"]]


def holding(seed: int = 1, side: Side = Side.BID) -> tuple[World, Agent]:
    world = World(seed, (BTC,))
    agent = Agent(world, 1, BTC)
    protect(world)
    take(world, side)
    world.run(3_000)
    assert abs(world.position_sz(BTC)) == HELD_SZ
    return world, agent


@pytest.mark.parametrize("side", Side)
def test_a_position_has_one_stop_for_all_of_it_at_its_distance(side: Side) -> None:
    world, _ = holding(side=side)
    (stop,) = stops(world)
    assert (stop["side"], stop["reduceOnly"]) == (side.opposite.value, True)
    assert stop["isPositionTpsl"]
    assert stop["orderType"] == "Stop Market"
    entry_px = world.state.account.position(BTC).entry_px
    assert entry_px is not None
    off_bps = side.sign * (1 - float(Decimal(stop["triggerPx"]) / entry_px)) * 10_000
    assert STOP_BPS <= off_bps < STOP_BPS + 2.0
    take(world, side)
    world.run(60_000)
    assert stops(world) == [stop], "it follows the position's size by itself"


def test_without_a_position_none_stands_and_what_is_not_wanted_is_not_placed() -> None:
    world, _ = holding()
    take(world, Side.ASK)
    world.run(3_000)
    assert world.position_sz(BTC) == 0
    assert stops(world) == []
    protect(world, None)
    take(world, Side.BID)
    world.run(30_000)
    assert stops(world) == []


def test_it_turns_with_the_position() -> None:
    world, _ = holding()
    take(world, Side.ASK, 2 * HELD_SZ)
    world.run(EVERY_MS + 3_000)
    (stop,) = stops(world)
    assert stop["side"] == "B"


def test_a_new_one_stands_before_the_old_one_goes() -> None:
    world, _ = holding()
    (old,) = stops(world)

    def one_stands() -> None:
        assert stops(world)

    world.invariant = one_stands
    protect(world, 2 * STOP_BPS)
    world.run(EVERY_MS + 3_000)
    (new,) = stops(world)
    assert Decimal(new["triggerPx"]) < Decimal(old["triggerPx"])


def test_agents_are_not_told_of_it() -> None:
    world, agent = holding()
    told: list[bytes] = []
    agent.told = told.append  # type: ignore[method-assign, assignment]
    for kind in ("openOrders", "orderUpdates"):
        frame = {"method": "subscribe", "subscription": {"type": kind}}
        world.do(world.core.said(1, msgspec.json.encode(frame), world.now_ms))
    payload = {"type": "frontendOpenOrders"}
    post = {"method": "post", "id": 5, "request": {"type": "info", "payload": payload}}
    world.do(world.core.said(1, msgspec.json.encode(post), world.now_ms))
    protect(world, 2 * STOP_BPS)
    world.run(EVERY_MS + 6_000)
    assert any(b'"channel":"openOrders"' in raw for raw in told)
    assert any(b'"id":5' in raw for raw in told)
    mark = cloids.of_stop(world.state.digits, world.state.leases.number(BTC), 0)[:22].encode()
    assert not any(mark in raw for raw in told)


def test_lost_data_and_a_lost_lease_leave_it_and_nobody_quoting_leaves_the_switch_off() -> None:
    world, agent = holding()
    (stop,) = stops(world)
    world.state.feeds.gaps[BTC] = (world.now_ms, "by test")
    world.run(3_000)
    world.do(world.core.link_lost(world.now_ms, 5_000))
    world.run(3_000)
    world.do(world.core.link_up(world.now_ms))
    world.state.allowance.volume_usd = 1e9
    world.disconnect(agent.session)
    world.run(10_000)
    assert stops(world) == [stop]
    assert world.state.deadman.view(world.now_ms) == View("off", "nothing is quoted")


def test_a_halt_takes_it_counts_it_and_sets_none_anew() -> None:
    world, _ = holding()
    halt = Halt(HaltRequest(reason="r", by="t"), world.now_ms)
    world.do(halt.begin(world.state, world.now_ms))
    world.run_until(lambda: halt.done(world.state), 20_000)
    report = halt.report(world.state)
    assert report.flat_of_orders
    assert report.markets[0].orders_cancelled == 1
    world.run(30_000)
    assert world.resting() == []
    world.do(control.resume(world.state, "r", "t", world.now_ms))
    world.run(3_000)
    assert len(stops(world)) == 1


def test_a_market_that_leaves_takes_it_along() -> None:
    world, agent = holding()
    world.disconnect(agent.session)
    world.run(3_000)
    world.do(control.delete_market(world.state, BTC))
    world.run(5_000)
    assert world.resting() == []


def test_one_that_fires_closes_the_position_and_fences_its_market() -> None:
    world, _ = holding()
    bid_px = world.mids[BTC] * Decimal("0.9")
    instrument = world.state.instrument(BTC)
    assert instrument is not None
    for side in Side:  # the whole book is lower now
        px = instrument.passive_px(bid_px * (1 - side.sign * Decimal("0.001")), side)
        world._flow(BTC, side, px, Decimal(300))
    world.exchange.set_oracle(BTC, bid_px)  # type: ignore[arg-type]
    world.run(3_000)
    assert world.position_sz(BTC) == 0
    assert world.state.fence.causes(BTC).keys() == {CAUSE}
    assert [a.event for a in world.alerts if a.severity == "critical"] == ["protect"]
    assert stops(world) == []


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_lost_one_stands_in_the_end_and_none_is_left_over(seed: int) -> None:
    world, _ = holding(seed)
    world.faults = Faults(lost_requests=0.2, lost_answers=0.3, held_ms=1_500)
    for side in (Side.ASK, Side.BID, Side.BID, Side.ASK):
        take(world, side, 2 * HELD_SZ)
        world.run(world.rng.randint(2_000, 15_000))
    world.faults = Faults()
    world.run(3 * EVERY_MS)
    assert world.position_sz(BTC) == HELD_SZ
    assert [stop["side"] for stop in stops(world)] == ["A"]
    take(world, Side.ASK)
    world.run(20_000)
    assert world.resting() == []
    world.check_nonces()


def test_no_stop_is_sent_behind_the_latch_nor_ever_by_an_agent() -> None:
    world, _ = holding()
    (sent,) = [s for s in world.sent if isinstance(s.action, OrderAction)]
    assert isinstance(sent.action, OrderAction)
    assert sent.action.grouping == "positionTpsl"
    assert sent.placement
    assert not sent.closing
