"""The day's P&L and the phases."""

import pytest

from agents.commands import Place, RequestFence
from agents.market.types import Side
from agents.market.units import NS_PER_MS, NS_PER_S
from tests.unit.agents.driver import START_NS, Driver, holding, quoting

DAY_NS = 86_400 * NS_PER_S


def test_the_days_loss_halts_and_asks_for_the_fence_once() -> None:
    driver = quoting(pnl_day_usd=-90.0, state=holding("10"))
    driver.bbo(199.5)  # 10 coins down by 0.50: 95 lost today
    driver.pass_s(1.0)
    assert driver.phase in {"QUOTING", "REDUCING"}
    driver.bbo(198.5)
    driver.pass_s(3.0)
    assert driver.phase == "HALTED"
    assert "day loss" in driver.reason
    assert len(driver.sent(RequestFence)) == 1
    assert not driver.live()
    driver.bbo(210.0)
    driver.pass_s(3.0)
    assert driver.phase == "HALTED"  # it holds, though the price came back


def test_fees_and_realized_losses_count() -> None:
    driver = quoting()
    bid = driver.open(Side.BID)[0]
    driver.tell(driver.fill(bid, "2"))
    driver.bbo(190.0)
    driver.pass_s(2.0)
    kept = driver.engine.state.kept
    assert kept.open_usd == 0.0
    assert float(driver.engine.state.position.fees_usd) > 0
    assert kept.pnl_usd == pytest.approx(2 * (190.0 - float(bid.px)) - 0.001)


def test_a_new_day_starts_at_zero() -> None:
    driver = quoting(pnl_day_usd=-99.0, state=holding("10"))
    driver.now_ns = (START_NS // DAY_NS + 1) * DAY_NS
    driver.bbo()
    driver.pass_s(1.0)
    driver.bbo(198.0)  # 20 lost, of the new day
    driver.pass_s(2.0)
    assert driver.phase != "HALTED"
    kept = driver.engine.state.kept
    assert (kept.day, kept.before_usd) == (driver.now_ns // DAY_NS, 0.0)
    assert kept.pnl_usd == pytest.approx(-20.0)


def test_a_day_lost_before_the_lease_is_lost() -> None:
    driver = Driver(pnl_day_usd=-100.0)
    driver.pass_s(10.0)
    assert driver.phase == "HALTED"


def test_above_its_limit_a_position_is_only_reduced() -> None:
    driver = quoting(state=holding("52"))
    assert driver.phase == "REDUCING"
    assert "above" in driver.reason
    assert not driver.open(Side.BID)
    assert driver.open(Side.ASK)


def left_s(driver: Driver) -> float:
    """How long the directive held still allows to add."""
    held = driver.engine.state.directive
    assert held is not None
    return (
        driver.engine.state.settings.risk.directive_age_max_s
        - (driver.now_ms - held.as_of_ms) / 1_000
    )


def test_a_directive_that_ages_between_ticks_adds_nothing_with_the_next_touch() -> None:
    driver = quoting()
    driver.directed = False
    driver.pass_s(left_s(driver))
    driver.now_ns += NS_PER_MS  # and no tick
    driver.commands.clear()
    driver.bbo(201.0)
    assert "directive" in driver.reason
    assert not driver.sent(Place)


def test_a_stopped_process_judges_anew_before_it_acts_on_what_it_missed() -> None:
    driver = quoting(state=holding("4"))
    driver.directed = False
    driver.pass_s(left_s(driver) - 4.0)
    driver.now_ns += 5 * NS_PER_S  # stopped; then its market data comes before its tick
    driver.commands.clear()
    driver.bbo(201.0)
    assert all(order.reduce_only for place in driver.sent(Place) for order in place.orders)
