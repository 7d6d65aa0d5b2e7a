"""Decisions: not more often than worth it, cancels first, one action each."""

from agents.commands import AskOrder, Cancel, Place
from agents.events import Bbo, OrderResult, PlaceAnswered
from agents.market.types import Level, Side
from tests.unit.agents.driver import quoting


def test_a_small_move_is_not_worth_a_decision() -> None:
    driver = quoting()
    priced = driver.engine.state.pricing
    assert driver.bbo(200.002) == []
    assert driver.engine.state.pricing is priced


def test_a_larger_one_is_one_replacement_and_what_has_no_room_is_cancelled() -> None:
    driver = quoting()
    driver.auto = False
    before = {order.cloid: order for order in driver.open()}
    told = driver.bbo(200.25)
    assert [type(command) for command in told] == [Cancel, Place]
    swaps = driver.sent(Place)[0].orders
    assert {order.side for order in swaps} == set(Side)
    assert all(before[order.replaces].side is order.side for order in swaps if order.replaces)
    gone = [*driver.sent(Cancel)[0].cloids, *(order.replaces for order in swaps)]
    assert len(gone) == len(set(gone)) >= 3
    assert driver.sent(Place)[0].value_usd > 0


def test_a_shell_that_replaces_nothing_is_told_to_cancel_and_place() -> None:
    """Whoever drives an engine and knows only placements and cancels leaves no old order behind."""
    driver = quoting(replaces=False)
    driver.auto = False
    before = {order.cloid for order in driver.open()}
    told = driver.bbo(200.25)
    assert [type(command) for command in told] == [Cancel, Place]
    assert all(order.replaces is None for place in driver.sent(Place) for order in place.orders)
    assert len(before & set(driver.sent(Cancel)[0].cloids)) >= 3


def test_while_the_gateway_turns_cancels_away_nothing_is_replaced_either() -> None:
    driver = quoting()
    driver.auto = False
    driver.engine.state.throttle.cancel_refused(driver.now_ns)
    driver.bbo(200.25)
    assert not driver.sent(Cancel)
    assert all(order.replaces is None for place in driver.sent(Place) for order in place.orders)


def test_incident_2_a_refused_replacement_leaves_the_old_order_in_doubt_and_asked_about() -> None:
    driver = quoting()
    driver.auto = False
    driver.bbo(200.25)
    place = driver.sent(Place)[0]
    no = OrderResult("refused", text="Cannot modify canceled or filled order")
    driver.tell(PlaceAnswered(place.request_id, (no,) * len(place.orders)))
    driver.pass_s(0.2)
    asked = {ask.cloid for ask in driver.sent(AskOrder)}
    assert asked == {order.replaces for order in place.orders}


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
