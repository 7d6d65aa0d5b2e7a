"""Decisions: not more often than worth it, cancels first, one action each."""

from agents.commands import Cancel, Place
from agents.events import Bbo
from agents.market.types import Level, Side
from tests.unit.agents.driver import quoting


def test_a_small_move_is_not_worth_a_decision() -> None:
    driver = quoting()
    priced = driver.engine.state.pricing
    assert driver.bbo(200.002) == []
    assert driver.engine.state.pricing is priced


def test_a_larger_one_is_one_cancel_and_then_one_placement() -> None:
    driver = quoting()
    driver.auto = False
    told = driver.bbo(200.25)
    assert [type(command) for command in told] == [Cancel, Place]
    assert len(driver.sent(Cancel)[0].cloids) >= 2
    assert {order.side for order in driver.sent(Place)[0].orders} == set(Side)
    assert driver.sent(Place)[0].value_usd > 0


def test_in_flight_nothing_is_sent_twice() -> None:
    driver = quoting()
    driver.auto = False
    driver.bbo(203.0)
    driver.forget()
    for _ in range(20):
        driver.bbo()
    assert not driver.commands


def test_what_is_wanted_never_meets_what_still_rests_on_our_other_side() -> None:
    """A rise through our own asks: bids wait until those are gone."""
    driver = quoting()
    driver.auto = False
    driver.bbo(203.0)
    asks = [order.px for order in driver.live(Side.ASK)]
    bids = [order.px for order in driver.live(Side.BID)]
    assert max(bids) < min(asks)


def test_a_crossed_touch_pulls_at_once() -> None:
    driver = quoting()
    state = driver.engine.state
    assert state.panel.bid is not None
    driver.tell(
        Bbo(
            coin=state.instrument.coin,
            venue_ms=driver.now_ms + 1,
            bbo=(Level(201.0, 1.0), Level(200.0, 1.0)),
        )
    )
    assert not driver.open()
    assert "crossed" in driver.reason
