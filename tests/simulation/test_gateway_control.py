"""What operators, risk and mishaps do to a trading gateway: fences, pauses, gaps, strangers."""

from decimal import Decimal

import msgspec
import pytest

from agents.exchange.downstream import (
    DrainFrame,
    FenceFrame,
    FenceMe,
    GatewayFrame,
    LimitsFrame,
    LinkFrame,
    PauseFrame,
    PositionsFrame,
    Refusal,
    Release,
    Revoked,
    SettingsFrame,
    ToGateway,
)
from agents.market.types import Coin, Side
from agents.settings import MarketSettings, RiskSettings
from fleet.gateway.api import (
    DirectiveRow,
    DirectivesPut,
    HaltRequest,
    LatchView,
    LeaseView,
    MarketPut,
)
from fleet.gateway.core import control
from fleet.gateway.core.control import Halt, Wrong
from fleet.gateway.core.core import Core
from fleet.gateway.core.lease import Leases
from fleet.gateway.core.state import FLEET
from fleet.gateway.core.status import status
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import ADDRESS, World, fresh_state, generations


@pytest.fixture
def world() -> World:
    return World(seed=5)


def quoting(world: World, market: str = "BTC", session: int = 1) -> Agent:
    agent = Agent(world, session, market)
    world.every(100, agent.trade)
    world.run(1_500)
    world.run_until(lambda: bool(world.resting(market)), 2_000)
    return agent


def last(agent: Agent, kind: type[GatewayFrame]) -> GatewayFrame:
    return [frame for frame in agent.heard if isinstance(frame, kind)][-1]


def lease_of(world: World) -> LeaseView:
    told = status(world.state, world.now_ms)
    return next(market.lease for market in told.markets if market.market == "BTC")


def refused(agent: Agent) -> list[str]:
    return [frame.reason for frame in agent.heard if isinstance(frame, Refusal)]


def say(world: World, agent: Agent, frame: FenceMe | Release) -> None:
    raw = msgspec.json.encode(ToGateway(data=frame))
    world.do(world.core.said(agent.session, raw, world.now_ms))


def put(position_max_usd: float, *, revision: int = 2, authorised: bool = False) -> MarketPut:
    risk = RiskSettings(position_max_usd=position_max_usd, daily_loss_max_usd=1.0)
    settings = MarketSettings(Coin("BTC"), margin_usd=1_000.0, leverage=3, risk=risk)
    return MarketPut(revision=revision, settings=settings, authorised=authorised)


def test_an_agents_own_kill_fences_its_market_until_a_person_opens_it(world: World) -> None:
    agent, other = quoting(world), quoting(world, "hyna:BTC", 2)
    say(world, agent, FenceMe(generation=1, reason="loss limit"))
    world.run(2_000)
    assert world.resting("BTC") == []
    assert "fenced" in refused(agent)
    assert agent.alive
    assert world.resting("hyna:BTC")
    assert refused(other) == []
    world.do(control.act(world.state, "BTC", "unpause", world.now_ms))
    assert last(agent, FenceFrame) == FenceFrame(closed=False, reason="")
    world.run(1_000)
    assert world.resting("BTC")


def test_while_a_file_cannot_be_written_nothing_that_adds_passes(world: World) -> None:
    agent = quoting(world)
    world.state.unwritable["files"] = "the gateway's files can't be written: no space"
    known = len(refused(agent))
    world.run(1_000)
    assert set(refused(agent)[known:]) == {"fenced"}
    assert agent.alive, "cancels go on, and so does its lease"
    del world.state.unwritable["files"]
    world.run_until(lambda: bool(world.resting("BTC")), 3_000)


def test_an_agent_that_sends_too_much_leaves_what_a_halt_needs(world: World) -> None:
    """I10: cancels, noops and snapshots have weight left when placements have none."""
    agent = Agent(world, 1, "BTC")
    world.every(10, agent.trade)
    world.run(20_000)
    assert "budget" in refused(agent)
    assert world.state.weights.used_share(world.now_ms) < 1.0
    asked = Halt(HaltRequest(reason="enough", by="test"), world.now_ms)
    world.do(asked.begin(world.state, world.now_ms))
    world.run_until(lambda: asked.done(world.state), 5_000)
    assert world.resting() == []


def test_a_release_ends_the_lease_and_leaves_nothing(world: World) -> None:
    agent = quoting(world)
    say(world, agent, Release(generation=1, reason="drained"))
    world.run(2_000)
    assert world.resting("BTC") == []
    assert not agent.alive
    assert world.state.leases.holders == {}


def test_new_settings_reach_the_agent_and_raising_needs_authority(world: World) -> None:
    agent = quoting(world)
    world.do(control.put_market(world.state, "BTC", put(2_000.0)))
    assert last(agent, LimitsFrame) == LimitsFrame(position_max_usd=2_000.0)
    frame = last(agent, SettingsFrame)
    assert isinstance(frame, SettingsFrame)
    assert frame.revision == 2
    with pytest.raises(Wrong) as wrong:
        control.put_market(world.state, "BTC", put(2_500.0, revision=3))
    assert wrong.value.error.exit == 3
    assert world.state.markets["BTC"].revision == 2
    world.do(control.put_market(world.state, "BTC", put(2_500.0, revision=3, authorised=True)))
    assert last(agent, LimitsFrame) == LimitsFrame(position_max_usd=2_500.0)


def test_a_market_the_venue_does_not_list_is_refused(world: World) -> None:
    settings = msgspec.structs.replace(put(1.0).settings, market=Coin("NOPE"))
    with pytest.raises(Wrong) as wrong:
        control.put_market(world.state, "NOPE", MarketPut(revision=1, settings=settings))
    assert wrong.value.error.code == "unknown_market"


def test_pause_drain_and_revoke_may_be_repeated(world: World) -> None:
    agent = quoting(world)
    for verb in ("pause", "pause"):
        world.do(control.act(world.state, "BTC", verb, world.now_ms))
    assert last(agent, PauseFrame) == PauseFrame(paused=True)
    world.run(500)
    assert set(refused(agent)) == {"fenced"}
    world.do(control.act(world.state, "BTC", "unpause", world.now_ms))
    for _ in range(2):
        world.do(control.act(world.state, "BTC", "drain", world.now_ms))
        world.run(10)
    deadlines = {f.deadline_ms for f in agent.heard if isinstance(f, DrainFrame)}
    assert len(deadlines) == 1
    for _ in range(2):
        world.do(control.act(world.state, "BTC", "revoke", world.now_ms))
    assert isinstance(agent.heard[-1], Revoked)
    world.run(2_000)
    assert generations(world.resting("BTC")) <= {2}, "the caretaker ends the drain"
    assert all(row["reduceOnly"] for row in world.resting("BTC"))
    with pytest.raises(Wrong):
        control.act(world.state, "BTC", "explode", world.now_ms)
    with pytest.raises(Wrong):
        control.act(world.state, "DOGE", "pause", world.now_ms)


def test_a_market_is_deleted_when_nothing_rests_and_nobody_holds_it(world: World) -> None:
    quoting(world)
    with pytest.raises(Wrong) as held:
        control.delete_market(world.state, "BTC")
    assert held.value.error.code == "lease_held"
    world.do(control.act(world.state, "BTC", "revoke", world.now_ms))
    with pytest.raises(Wrong) as rests:
        control.delete_market(world.state, "BTC")
    assert rests.value.error.code == "orders_rest"
    world.run(7_000)
    world.do(control.delete_market(world.state, "BTC"))
    assert "BTC" not in world.state.markets


def test_risk_shuts_the_door_market_by_market(world: World) -> None:
    agent, other = quoting(world), quoting(world, "hyna:BTC", 2)
    round_of_risk = DirectivesPut(
        seq=10**15, as_of_ms=world.now_ms + 60_000, state="normal", reason="",
        directives={"BTC": DirectiveRow(mode="halt", reason="gross")},
    )  # fmt: skip
    world.do(control.put_directives(world.state, round_of_risk))
    world.run(800)
    assert "fenced" in refused(agent)
    assert refused(other) == []


def test_a_halt_can_be_lifted_only_when_it_is_over(world: World) -> None:
    agent = quoting(world)
    world.do(Halt(HaltRequest(reason="r", by="b"), world.now_ms).begin(world.state, world.now_ms))
    with pytest.raises(Wrong) as wrong:
        control.resume(world.state, "too soon", "b", world.now_ms)
    assert wrong.value.error.exit == 5
    world.run_until(lambda: world.state.clearings[FLEET].done, 3_000)
    assert last(agent, FenceFrame) == FenceFrame(closed=True, reason="halt: r")
    world.do(control.resume(world.state, "over", "b", world.now_ms))
    assert last(agent, FenceFrame) == FenceFrame(closed=False, reason="")
    world.run(1_000)
    assert world.resting("BTC")


def test_a_latch_found_on_disk_halts_too(world: World) -> None:
    quoting(world)
    world.do(world.core.latch_found(LatchView("by hand", "me", 1), world.now_ms))
    world.run(3_000)
    assert world.resting() == []
    assert world.state.clearings[FLEET].done


def test_what_comes_to_rest_after_a_halt_is_taken_out_too(world: World) -> None:
    quoting(world)
    world.do(Halt(HaltRequest(reason="r", by="b"), world.now_ms).begin(world.state, world.now_ms))
    world.run(4_000)
    stray_order(world, f"0xf1eeabc1230001000001{99:012x}")
    world.run(3_000)
    assert world.resting() == []


def stray_order(world: World, cloid: str) -> None:
    """An order that the gateway did not send: another program with the account's key."""
    px = world.state.instrument("BTC")
    assert px is not None
    order = {
        "a": 0, "b": True, "p": str(px.passive_px(world.mids["BTC"] * Decimal("0.99"), Side.BID)),
        "s": "0.01", "r": False, "t": {"limit": {"tif": "Alo"}}, "c": cloid,
    }  # fmt: skip
    action = {"type": "order", "orders": [order], "grouping": "na"}
    world.exchange.submit(10**9, ADDRESS, action, world.now_ms + 10**6)
    world.run(400)


def test_foreign_orders_are_counted_and_left_unless_told_to(world: World) -> None:
    quoting(world)
    stray_order(world, "0x" + "7" * 32)
    assert world.state.foreign_orders() == 1
    asked = Halt(HaltRequest(reason="r", by="b"), world.now_ms)
    world.do(asked.begin(world.state, world.now_ms))
    world.run(4_000)
    report = asked.report(world.state)
    assert (report.flat_of_orders, report.foreign_orders) == (True, 1)
    assert len(world.resting()) == 1
    everything = Halt(HaltRequest(reason="r", by="b", all=True), world.now_ms)
    world.do(everything.begin(world.state, world.now_ms))
    world.run(4_000)
    report = everything.report(world.state)
    assert (report.flat_of_orders, report.foreign_orders) == (True, 0)
    assert world.resting() == []


def test_a_second_controller_shuts_every_market_and_is_not_touched(world: World) -> None:
    agent = quoting(world)
    stray_order(world, f"0xf1ee99999900010000010{0:011x}")
    world.run(2_000)
    assert "fenced" in refused(agent)
    view = next(m for m in status(world.state, world.now_ms).markets if m.market == "BTC")
    assert "another fleet" in view.fence_reason
    assert any(row["cloid"].startswith("0xf1ee999999") for row in world.resting())


def test_resume_opens_no_fence_while_the_other_fleets_order_rests(world: World) -> None:
    quoting(world)
    stray_order(world, f"0xf1ee99999900010000010{0:011x}")
    world.run(2_000)
    world.do(control.resume(world.state, "calm again", "operator", world.now_ms))
    world.do(control.act(world.state, "BTC", "unpause", world.now_ms))
    assert "second_controller" in world.state.fence.causes("BTC")
    world.state.strangers.clear()  # as by the next list, once they have left
    world.do(control.resume(world.state, "calm again", "operator", world.now_ms))
    assert not world.state.fence.causes("BTC")


def test_in_a_gap_agents_send_nothing_and_what_rests_is_cancelled(world: World) -> None:
    agent = quoting(world)
    world.do(world.core.link_lost(world.now_ms))
    frame = last(agent, LinkFrame)
    assert isinstance(frame, LinkFrame)
    assert (frame.seq, frame.state) == (2, "gap")
    world.run(500)
    assert set(refused(agent)) == {"link_down"}
    world.run(4_000)
    assert world.resting("BTC") == []
    world.do(world.core.link_up(world.now_ms))
    frame = last(agent, LinkFrame)
    assert isinstance(frame, LinkFrame)
    assert (frame.seq, frame.state) == (3, "recovered")
    world.run(1_000)
    assert world.resting("BTC")


def test_a_mark_that_moves_trims_the_adding_side(world: World) -> None:
    """I1: above 1.02 times the limit the farthest orders go within a second or two."""
    quoting(world)
    held_usd = world.worst_usd("BTC")
    world.do(control.put_market(world.state, "BTC", put(held_usd / 2)))
    world.run(2_000)
    assert world.worst_usd("BTC") <= held_usd / 2 * 1.02


def test_after_a_restart_orders_wait_3_s_for_their_owner(world: World) -> None:
    agent = quoting(world)
    assert agent.lease is not None
    old = world.state
    state = fresh_state()
    state.leases = Leases(old.leases.rows)
    world.core = Core(state)
    world.state.leases.await_holders(world.now_ms)
    world.core.learned(old.registry or pytest.fail("no registry"))
    world.do(control.put_market(world.state, "BTC", put(3_000.0)))
    world.do(world.core.link_up(world.now_ms))
    world._heartbeat()
    world.run(1_000)
    resting = {row["cloid"] for row in world.resting("BTC")}
    assert resting
    assert world.state.clearings == {}
    lease = lease_of(world)
    assert (lease.owner, lease.pid, lease.awaited) == ("none", None, True), "nobody is known yet"
    world.run(4_000)  # it did not come back within 3 s
    assert world.resting("BTC") == []
    assert not lease_of(world).awaited


def test_the_venues_position_goes_to_its_agent_alone(world: World) -> None:
    agent = quoting(world)
    world.run(8_000)
    frame = last(agent, PositionsFrame)
    assert isinstance(frame, PositionsFrame)
    assert list(frame.positions) == ["BTC"]


def test_a_post_error_is_sorted_by_whether_it_happened(world: World) -> None:
    agent = Agent(world, 1, "BTC")
    world.run(100)
    world.faults.lost_requests = 1.0  # the wire is cut: answers are made up below
    agent.trade()
    request = world.sent[-1].request
    data = {"id": request, "response": {"type": "error", "payload": "429 Too Many Requests"}}
    world.frame(msgspec.json.encode({"channel": "post", "data": data}))
    assert refused(agent) == ["rate_limited"]
    assert world.state.orders.by_cloid == {}


def test_status_tells_everything_of_one_moment(world: World) -> None:
    agent = quoting(world)
    agent.lease = None  # it says nothing more, and what was under way arrives
    world.run(1_500)
    told = status(world.state, world.now_ms)
    assert msgspec.json.decode(msgspec.json.encode(told), type=type(told)) == told
    view = next(m for m in told.markets if m.market == "BTC")
    assert view.lease.owner == "agent"
    assert view.open_orders == len(world.resting("BTC"))
    assert view.position_sz == world.position_sz("BTC")
    assert told.link == "up"
    assert [dex.dex for dex in told.dexes] == list(world.state.dexes())
