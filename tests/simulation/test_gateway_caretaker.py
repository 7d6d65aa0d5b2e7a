"""A position whose agent is gone, against the exchange itself: nobody is left alone with it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Literal

import msgspec
import pytest

from agents.commands import NewOrder
from agents.exchange.codec import encode_place
from agents.exchange.wire import OrderAction
from agents.market.types import Cloid, Side
from agents.settings import DrainSettings, OrphanSettings
from fleet.gateway.api import HaltRequest, MarketPut, MarketView
from fleet.gateway.core import control, fence, lease, requests
from fleet.gateway.core.control import Halt, Wrong
from fleet.gateway.core.effects import Effect, Record
from fleet.gateway.core.state import State
from fleet.gateway.core.status import status
from fleet.gateway.records import LinkSeen
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import ADDRESS, Faults, World

BTC = "BTC"
HELD_SZ = Decimal("0.01")


def holding(
    seed: int = 1,
    *,
    do: Literal["hold", "reduce", "flatten"] = "reduce",
    after_s: float = 5.0,
    drain: DrainSettings = DrainSettings(),  # noqa: B008  (frozen)
) -> tuple[World, Agent]:
    """An agent, and a position of 0.01 BTC that the account was given."""
    world = World(seed, (BTC,))
    agent = Agent(world, 1, BTC)
    settings = msgspec.structs.replace(
        world.state.markets[BTC].settings,
        on_orphan=OrphanSettings(after_s=after_s, do=do, collar_bps=50.0), drain=drain,
    )  # fmt: skip
    world.do(control.put_market(world.state, BTC, MarketPut(revision=2, settings=settings)))
    buy(world, HELD_SZ)
    world.run(1_000)
    assert world.position_sz(BTC) == HELD_SZ
    return world, agent


def buy(world: World, sz: Decimal) -> None:
    """Somebody with the account's key takes ``sz``: a position, however it came."""
    instrument = world.state.instrument(BTC)
    assert instrument is not None
    px = instrument.passive_px(world.mids[BTC] * Decimal("1.02"), Side.BID)
    order = {"a": instrument.asset_id, "b": True, "p": str(px), "s": str(sz), "r": False,
             "t": {"limit": {"tif": "Ioc"}}, "c": "0x" + "7" * 32}  # fmt: skip
    action = {"type": "order", "orders": [order], "grouping": "na"}
    world.exchange.submit(10**9, ADDRESS, action, world.now_ms + 10**6)


def die(world: World, agent: Agent) -> None:
    world.disconnect(agent.session)


def view(world: World) -> MarketView:
    return next(m for m in status(world.state, world.now_ms).markets if m.market == BTC)


def caretakers_orders(world: World) -> list[OrderAction]:
    return [
        s.action for s in world.sent if s.closing and isinstance(s.action, OrderAction)
    ]  # fmt: skip


def check_orders(world: World, collar_bps: float = 50.0) -> None:
    """All reduce-only, none worse than the collar."""
    mark = world.mids[BTC]
    for action in caretakers_orders(world):
        for order in action.orders:
            assert order.r
            assert not order.b
            assert Decimal(order.p) >= mark * (1 - Decimal(collar_bps) / 10_000)


def test_until_it_is_due_the_caretaker_watches_and_says_so() -> None:
    world, agent = holding(after_s=30.0)
    assert view(world).lease.owner == "agent"
    die(world, agent)
    world.run(10_000)
    seen = view(world)
    assert seen.lease.owner == "caretaker"
    assert seen.care is not None
    assert seen.care.text.startswith("reduce in ")
    assert caretakers_orders(world) == []
    assert world.alerts == []


def test_hold_holds_and_tells_once() -> None:
    world, agent = holding(do="hold")
    die(world, agent)
    world.run(30_000)
    assert caretakers_orders(world) == []
    assert world.position_sz(BTC) == HELD_SZ
    assert view(world).lease.owner == "caretaker"
    assert [alert.event for alert in world.alerts] == ["orphan"]
    assert "0.01 has no agent" in world.alerts[0].text


def test_reduce_rests_at_the_touch_and_never_takes() -> None:
    world, agent = holding(do="reduce")
    die(world, agent)
    world.run(9_000)
    rows = world.resting(BTC)
    assert [(row["side"], row["reduceOnly"], row["sz"]) for row in rows] == [("A", True, "0.01")]
    world.run(60_000)
    check_orders(world)
    tifs = {o.t.limit.tif for a in caretakers_orders(world) for o in a.orders if o.t.limit}
    assert tifs == {"Alo"}
    assert len(caretakers_orders(world)) <= 14, "it requotes seldom"


@pytest.mark.parametrize("seed", range(6))
def test_flatten_closes_inside_the_collar_whatever_is_lost(seed: int) -> None:
    world, agent = holding(seed, do="flatten")
    world.faults = Faults(lost_requests=0.1, lost_answers=0.2)
    die(world, agent)
    world.run_until(lambda: not world.position_sz(BTC), 90_000)
    check_orders(world)
    world.faults = Faults()
    world.run(20_000)
    assert world.position_sz(BTC) == 0
    assert world.resting(BTC) == []
    assert view(world).lease.owner == "none"
    assert [alert.event for alert in world.alerts] == ["orphan", "caretaker"]
    world.check_nonces()


def test_an_agent_takes_its_market_back_and_the_caretakers_orders_go() -> None:
    world, agent = holding()
    die(world, agent)
    world.run(9_000)
    assert len(world.resting(BTC)) == 1
    again = Agent(world, 2, BTC)
    world.run(2_000)
    assert again.lease is not None
    assert again.lease.generation == 3, "agent, caretaker, agent"
    assert world.resting(BTC) == []
    assert view(world).lease.owner == "agent"
    sent = len(caretakers_orders(world))
    world.run(20_000)
    assert len(caretakers_orders(world)) == sent


def test_the_caretakers_generation_outlives_a_restart() -> None:
    world, agent = holding()
    die(world, agent)
    world.run(9_000)
    rows = msgspec.json.decode(
        msgspec.json.encode(world.state.leases.rows), type=dict[str, lease.Durable]
    )
    assert rows[BTC].ended_ms, "when the agent was lost is remembered too"
    assert lease.Leases(rows).issue(BTC, "p", 1, 1, world.now_ms).generation == 3


@pytest.mark.parametrize("then", ["hold", "flatten"])
def test_the_end_of_a_drain_is_the_caretakers(then: Literal["hold", "flatten"]) -> None:
    world, agent = holding(drain=DrainSettings(passive_s=10.0, then=then))
    world.do(control.act(world.state, BTC, "drain", world.now_ms))
    die(world, agent)
    world.run_until(lambda: BTC not in world.state.leases.holders, 5_000)
    with pytest.raises(Wrong):  # before the caretaker has looked at what is left
        control.delete_market(world.state, BTC)
    world.run(5_000)
    care = view(world).care
    assert care is not None
    assert (care.do, care.cause) == ("reduce", "drain")
    with pytest.raises(Wrong):
        control.delete_market(world.state, BTC)
    world.run(40_000)
    check_orders(world)
    if then == "hold":
        assert world.resting(BTC) == []
    else:
        assert world.position_sz(BTC) == 0
    world.do(control.delete_market(world.state, BTC))
    world.run(5_000)
    assert world.resting(BTC) == []


def test_an_agent_that_overstays_its_drain_is_sent_home() -> None:
    world, agent = holding(drain=DrainSettings(passive_s=5.0, then="hold"))
    world.do(control.act(world.state, BTC, "drain", world.now_ms))
    world.run(9_000)
    assert agent.alive
    world.run(3_000)
    assert not agent.alive


def test_an_operators_flatten_pauses_the_market_and_closes_beside_its_agent() -> None:
    world, agent = holding()
    world.every(100, agent.trade)
    world.run(1_000)
    for _ in range(2):
        world.do(control.act(world.state, BTC, "flatten", world.now_ms))
    world.run_until(lambda: not world.position_sz(BTC), 60_000)
    world.run(10_000)
    check_orders(world)
    assert world.position_sz(BTC) == 0
    assert world.resting(BTC) == []
    assert agent.alive
    assert view(world).paused
    assert view(world).care is None
    world.do(control.act(world.state, BTC, "unpause", world.now_ms))
    world.run(1_500)
    assert world.resting(BTC)


def test_a_halt_that_flattens_proves_both() -> None:
    world, agent = holding()
    world.every(100, agent.trade)
    world.run(1_000)
    asked = Halt(HaltRequest(reason="r", by="b", flatten=True), world.now_ms)
    world.do(asked.latch(world.state, world.now_ms))
    asked.try_door(world.state, world.now_ms)
    world.do(asked.clear(world.state, world.now_ms))
    world.run_until(lambda: asked.done(world.state), 60_000)
    report = asked.report(world.state)
    assert (report.flat_of_orders, report.flat_of_positions) == (True, True)
    assert report.first_refusal_ms == 0
    assert world.position_sz(BTC) == 0
    assert world.resting() == []
    tifs = {o.t.limit.tif for a in caretakers_orders(world) for o in a.orders if o.t.limit}
    assert tifs == {"Ioc"}


def test_after_a_halt_without_flatten_nothing_is_placed() -> None:
    world, agent = holding(do="flatten", after_s=1.0)
    world.do(Halt(HaltRequest(reason="r", by="b"), world.now_ms).begin(world.state, world.now_ms))
    die(world, agent)
    world.run(30_000)
    assert world.position_sz(BTC) == HELD_SZ
    assert caretakers_orders(world) == []
    assert view(world).lease.owner == "caretaker"
    assert any(alert.event == "orphan" for alert in world.alerts)


def test_a_halt_takes_the_caretakers_orders_too() -> None:
    world, agent = holding()
    die(world, agent)
    world.run(9_000)
    assert world.resting(BTC)
    asked = Halt(HaltRequest(reason="r", by="b"), world.now_ms)
    world.do(asked.begin(world.state, world.now_ms))
    world.run_until(lambda: asked.done(world.state), 5_000)
    assert world.resting() == []
    world.run(20_000)
    assert world.resting() == []


def test_another_fleets_orders_are_told_at_the_top() -> None:
    world, _ = holding()
    assert status(world.state, world.now_ms).second_controller is None
    instrument = world.state.instrument(BTC)
    assert instrument is not None
    px = str(instrument.passive_px(world.mids[BTC] * Decimal("0.98"), Side.BID))
    order = {"a": 0, "b": True, "p": px, "s": "0.001", "r": False,
             "t": {"limit": {"tif": "Alo"}}, "c": f"0xf1ee99999900010000010{0:011x}"}  # fmt: skip
    action = {"type": "order", "orders": [order], "grouping": "na"}
    world.exchange.submit(10**9 + 1, ADDRESS, action, world.now_ms + 10**6)
    world.run(2_000)
    assert "999999" in (status(world.state, world.now_ms).second_controller or "")
    assert [alert.event for alert in world.alerts] == ["second_controller"]


# ── planted bugs ─────────────────────────────────────────────────────────────────────────────

Patch = pytest.MonkeyPatch


def fence_forgotten(patch: Patch) -> None:
    patch.setattr(fence.Fence, "closed", lambda *_: False)
    patch.setattr(fence.Fence, "set_latch", lambda *_: None)


def lease_never_expires(patch: Patch) -> None:
    patch.setattr(lease.Leases, "expired", lambda *_: [])


def noop_sent_is_noop_accepted(patch: Patch) -> None:
    """What may still be executed is forgotten: the snapshots are then older than a placement."""

    def void(state: State, nonce: int, _clearing: str | None, _now_ms: int) -> Effect:
        state.orders.voided(nonce)
        return Record(body=LinkSeen(state="up"))

    patch.setattr(requests, "void", void)


def flat_is_what_we_believe(patch: Patch) -> None:
    patch.setattr("fleet.gateway.core.flat_proof.FlatProof.proven", True)


def collar_forgotten(patch: Patch) -> None:
    patch.setattr(
        "fleet.gateway.core.caretaker.worst_px",
        lambda instrument, side, mark_px, _: instrument.passive_px(mark_px * (1 - 0.01), side),
    )


def a_halt_with_held_placements() -> None:
    world = World(1)
    for at, market in enumerate(world.markets, start=1):
        world.every(90, Agent(world, at, market).trade)
    world.run(2_000)
    world.faults = Faults(held_ms=4_000)
    world.run(300)
    asked = Halt(HaltRequest(reason="r", by="b"), world.now_ms)
    world.do(asked.begin(world.state, world.now_ms))
    began_ms = world.now_ms

    def truthful() -> None:
        assert not (asked.report(world.state).flat_of_orders and world.resting())

    world.invariant = truthful
    world.run(10_000)
    assert asked.report(world.state).flat_of_orders
    assert not [s for s in world.sent if s.placement and s.nonce > began_ms]


def a_silent_agent() -> None:
    world = World(2, (BTC,))
    agent = Agent(world, 1, BTC)
    world.run(200)
    assert agent.lease is not None
    instrument = agent.lease.instrument
    px = instrument.passive_px(world.mids[BTC] * Decimal("0.97"), Side.BID)
    cloid = Cloid(f"0x{agent.lease.cloid_prefix}{1:012x}")
    agent.post(encode_place([NewOrder(cloid, Side.BID, px, Decimal("0.001"))], 0))
    world.run(1_000)
    assert world.resting(BTC)
    agent.lease = None  # stopped: it renews no more
    world.run(8_000)
    assert world.resting(BTC) == []


def a_flattening_halt() -> None:
    world, _ = holding()
    asked = Halt(HaltRequest(reason="r", by="b", flatten=True), world.now_ms)
    world.do(asked.begin(world.state, world.now_ms))
    for _ in range(200):
        world.run(100)
        flat = asked.report(world.state).flat_of_positions
        assert not (flat and world.position_sz(BTC))
    check_orders(world)


MUTANTS = [
    (fence_forgotten, a_halt_with_held_placements),
    (lease_never_expires, a_silent_agent),
    (noop_sent_is_noop_accepted, a_halt_with_held_placements),
    (flat_is_what_we_believe, a_flattening_halt),
    (collar_forgotten, a_flattening_halt),
]


@pytest.mark.parametrize(
    "story",
    [a_halt_with_held_placements, a_silent_agent, a_flattening_halt],
    ids=lambda s: s.__name__,
)
def test_the_stories_hold(story: Callable[[], None]) -> None:
    story()


@pytest.mark.parametrize(("mutant", "story"), MUTANTS, ids=lambda part: part.__name__)
def test_mutants_are_killed(
    mutant: Callable[[Patch], None], story: Callable[[], None], monkeypatch: Patch
) -> None:
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        story()
