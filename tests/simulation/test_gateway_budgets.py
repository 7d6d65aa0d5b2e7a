"""Allowance and dead-man switch in the gateway's core, against the exchange that enforces both."""

from decimal import Decimal
from typing import Any

import msgspec

from agents.exchange.downstream import BudgetFrame, Refusal
from agents.exchange.wire import CancelByCloidAction, OrderAction, ReserveRequestWeightAction
from agents.sim.rules import Rules
from fleet.gateway.core import budgets
from fleet.gateway.core.allowance import Told
from fleet.gateway.core.deadman import LEAD_MS
from fleet.gateway.core.request_price import PRICE_MAX_USD, WEIGHT_SHARE
from fleet.gateway.core.status import status
from tests.simulation.gateway_agent import Agent
from tests.simulation.gateway_world import ADDRESS, World

TRIED_MS = 400


def told(world: World, **changed: Any) -> None:
    """The shell's question: what the venue itself says of the account."""
    answer: Any = world.exchange.info({"type": "userRateLimit", "user": ADDRESS}, world.now_ms)
    known = Told(
        used=answer["nRequestsUsed"], cap=answer["nRequestsCap"],
        surplus=answer["nRequestsSurplus"], volume_usd=float(answer["cumVlm"]),
    )  # fmt: skip
    allowance = world.state.allowance
    allowance.told(
        msgspec.structs.replace(known, **changed),
        spent_then=allowance.spent_total, now_ms=world.now_ms,
    )  # fmt: skip


def busy(seed: int, requests_free: int, volume_usd: Decimal = Decimal(1_000_000)) -> World:
    world = World(seed)
    rules = Rules(requests_free=requests_free, schedule_volume_usd=volume_usd)
    world.exchange.floor.rules = rules  # type: ignore[misc]  # before anything was asked
    world.every(30_000, lambda: told(world))
    told(world)
    for session, market in enumerate(world.markets, 1):
        agent = Agent(world, session, market)
        world.every(TRIED_MS, agent.trade)
    return world


def refused_for_want(world: World) -> list[Any]:
    """Actions that the venue itself turned away for want of allowance."""
    return [
        record for record in world.records
        if "Too many cumulative requests" in str(getattr(record, "answer", ""))
    ]  # fmt: skip


def test_placements_end_first_and_every_order_can_still_be_cancelled() -> None:
    """Mindless agents place for as long as they are let; the venue turns no cancel of theirs away,
    and a halt on an empty account clears everything.
    """
    world = busy(3, requests_free=100)
    world.run(50_000)
    state = world.state
    held = [frame for agent in world.agents.values() for frame in agent.heard]
    assert any(isinstance(f, Refusal) and f.reason == "budget" for f in held)
    assert refused_for_want(world) == []
    left = state.allowance.cancels_left
    assert left is not None
    assert left >= 2 * len(world.resting())
    cancels = [s for s in world.sent if isinstance(s.action, CancelByCloidAction)]
    assert cancels
    for session in list(world.agents):
        world.disconnect(session)
    world.run_until(lambda: not world.resting(), 10_000)


def test_agents_hear_what_requests_cost_and_status_says_it() -> None:
    world = busy(4, requests_free=2_000)
    world.run(62_000)
    prices = [
        frame.request_usd
        for agent in world.agents.values() for frame in agent.heard
        if isinstance(frame, BudgetFrame)
    ]  # fmt: skip
    assert prices
    assert max(prices) == PRICE_MAX_USD, "they spend far more than lasts"
    seen = status(world.state, world.now_ms).allowance
    assert seen.request_usd == world.state.terms.request_usd
    assert seen.burn_per_h is not None
    answer: Any = world.exchange.info({"type": "userRateLimit", "user": ADDRESS}, world.now_ms)
    assert seen.cap is not None
    burnt = answer["nRequestsUsed"] - (seen.cap - 2_000)
    assert abs(seen.burn_per_h * 62 / 3_600 - burnt) < 0.05 * abs(burnt)
    assert (seen.hours_to_empty is None) == (burnt <= 0)


def test_an_ip_that_is_nearly_used_up_makes_requests_dear_but_buys_none() -> None:
    """The account has plenty: what is scarce is the minute's weight, which no purchase mends."""
    world = busy(3, requests_free=1_000_000)
    world.run(180_000)
    assert world.state.terms.request_usd == 0.0
    world.do(budgets.allow(world.state, 100.0))
    world.every(1_000, lambda: world.state.weights.add(16, world.now_ms))
    world.run(120_000)
    assert world.state.weights.used_share(world.now_ms) > WEIGHT_SHARE
    assert world.state.terms.request_usd == PRICE_MAX_USD
    assert world.state.terms.pace_s > 0.0
    bought = [s for s in world.sent if isinstance(s.action, ReserveRequestWeightAction)]
    assert bought == []


def test_requests_are_bought_within_the_days_limit() -> None:
    world = busy(5, requests_free=200)
    world.do(budgets.allow(world.state, 0.15))
    world.run(70_000)
    actions = [submit.action for submit in world.sent]
    bought = [each.weight for each in actions if isinstance(each, ReserveRequestWeightAction)]
    assert bought
    assert sum(bought) * PRICE_MAX_USD <= 0.15 + 1e-9
    account = world.exchange.floor.accounts[ADDRESS]
    assert account.reserved == sum(bought)
    assert [a.event for a in world.alerts if "bought" in a.text] == ["requests"] * len(bought)


def test_nothing_is_bought_that_a_restart_could_buy_again() -> None:
    """The disk takes nothing: no purchase, and what the tick does besides is not held up."""
    world = busy(5, requests_free=200)
    world.do(budgets.allow(world.state, 0.15))
    world.state.unwritable["files"] = "no space"
    world.run(30_000)
    assert not any(isinstance(s.action, ReserveRequestWeightAction) for s in world.sent)
    assert world.state.purse.spent_usd(world.now_ms) == 0.0


def test_the_switch_is_armed_where_the_venue_grants_it_and_goes_off_without_us() -> None:
    world = busy(6, requests_free=10_000, volume_usd=Decimal(0))
    world.run(30_000)
    venue_ms = world.state.clock.venue_ms(world.now_ms)
    assert status(world.state, world.now_ms).dead_man.state == "armed"
    account = world.exchange.floor.accounts[ADDRESS]
    assert account.cancel_at_ms is not None
    assert account.cancel_at_ms > venue_ms + LEAD_MS / 2
    assert world.resting()
    world.do = lambda _: None  # type: ignore[method-assign, assignment]  # the gateway is gone
    world.run(LEAD_MS + 1_000)
    assert world.resting() == []


def test_the_switch_is_shown_as_the_venue_refuses_it() -> None:
    world = busy(7, requests_free=10_000)
    world.run(10_000)
    seen = status(world.state, world.now_ms).dead_man
    assert seen.state == "ineligible"
    assert "1000000" in seen.reason
    tries = [s for s in world.sent if "ScheduleCancel" in type(s.action).__name__]
    assert len(tries) == 1, "asked once, and again when enough was traded"


def test_the_switch_is_pushed_on_behind_the_latch_until_all_is_cleared_then_cleared() -> None:
    world = busy(8, requests_free=10_000, volume_usd=Decimal(0))
    world.run(25_000)
    for session in list(world.agents):
        world.disconnect(session)
    world.run_until(lambda: not world.resting(), 10_000)
    world.run(30_000)
    seen = status(world.state, world.now_ms).dead_man
    assert (seen.state, seen.reason) == ("off", "nothing is quoted")
    assert world.exchange.floor.accounts[ADDRESS].cancel_at_ms is None


def test_foreign_orders_keep_it_off() -> None:
    """It would cancel them too, and they are not ours to touch."""
    world = busy(9, requests_free=10_000, volume_usd=Decimal(0))
    px = str(int(world.mids["BTC"]) * 8 // 10)
    world.exchange.submit(
        10**6, ADDRESS,
        {"type": "order", "grouping": "na", "orders": [
            {"a": 0, "b": True, "p": px, "s": "0.1", "r": False, "t": {"limit": {"tif": "Gtc"}}}
        ]},
        world.now_ms + 1, expires_after_ms=None,
    )  # fmt: skip
    world.run(45_000)
    assert world.state.foreign_orders() == 1
    seen = status(world.state, world.now_ms).dead_man
    assert seen.state == "off"
    assert "foreign" in seen.reason
    assert world.exchange.floor.accounts[ADDRESS].cancel_at_ms is None


def test_late_answers_hold_back_new_risk_and_quick_ones_let_it_go_on() -> None:
    world = busy(10, requests_free=10_000)
    world.run(10_000)
    world.faults.held_ms = 2_500
    world.run(20_000)
    assert "congested" in status(world.state, world.now_ms).strain
    held = [f for a in world.agents.values() for f in a.heard if isinstance(f, Refusal)]
    assert any(f.reason == "throttle" for f in held)
    world.faults.held_ms = 0
    placed = len([s for s in world.sent if isinstance(s.action, OrderAction)])
    world.run(10_000)
    assert status(world.state, world.now_ms).strain == ()
    assert len([s for s in world.sent if isinstance(s.action, OrderAction)]) > placed + 10
    assert not any(a.event == "requests" for a in world.alerts)
