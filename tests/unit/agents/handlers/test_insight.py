"""What only the metrics show: counted by the venue's word, and none of it invented."""

from decimal import Decimal

import pytest

from agents.commands import Cancel, Place
from agents.events import (
    CancelAnswered,
    OpenOrders,
    OrderResult,
    PauseChanged,
    PlaceAnswered,
    PositionSeen,
    Trades,
)
from agents.handlers.insight import reason_of
from agents.market.types import Side, Tid, Trade
from agents.telemetry.insight import Insight, Tally
from tests.unit.agents.driver import COIN, Driver, leftover, quoting

POST_ONLY = "Post only order would have immediately matched, bbo was 199.99@200.01. asset=5"


def told(driver: Driver) -> Insight:
    return driver.engine.report(driver.now_ns).insight


def test_before_anything_is_known_nothing_is_told() -> None:
    insight = told(Driver())
    assert insight.tally == Tally()
    assert {"regime", "momentum", "depth_usd", "own_bid"} <= set(insight.unknown)
    assert (insight.jump_ratio, insight.regime, insight.trade_age_ms) == (None, None, None)
    assert (insight.parts_bps, insight.quote_age_ms) == ({}, {})


def test_what_the_venue_took_is_counted_not_what_was_sent() -> None:
    driver = quoting()
    assert (told(driver).tally.placed, told(driver).tally.replaced) == (6, 0)
    driver.auto = False
    driver.bbo(203.0)
    driver.pass_s(0.2)
    moved = next(c for c in driver.sent(Place) if c.orders[0].replaces)
    assert told(driver).tally.placed == 6
    driver.tell(PlaceAnswered(moved.request_id, tuple(driver.rests() for _ in moved.orders)))
    driver.tell(PlaceAnswered(moved.request_id, tuple(driver.rests() for _ in moved.orders)))
    tally = told(driver).tally
    assert tally.placed - 6 == tally.replaced == len(moved.orders)


def test_a_cancel_counts_once_it_is_confirmed() -> None:
    driver = quoting()
    driver.auto = False
    driver.tell(PauseChanged(paused=True))
    cancel = driver.sent(Cancel)[0]
    assert told(driver).tally.cancelled == 0
    errors = (None, "Order was never placed, already canceled, or filled. asset=5")
    driver.tell(CancelAnswered(cancel.request_id, (*errors, *[None] * (len(cancel.cloids) - 2))))
    assert told(driver).tally.cancelled == len(cancel.cloids) - 1


def test_a_refusal_is_counted_by_its_reason() -> None:
    driver = Driver(auto=False)
    while not driver.sent(Place):
        driver.pass_s(0.1)
        for command in driver.commands:
            answer = None if isinstance(command, Place) else driver.answer(command)
            if answer is not None:
                driver.tell(answer)
    place = driver.sent(Place)[0]
    refused = tuple(OrderResult("refused", text=POST_ONLY) for _ in place.orders)
    driver.tell(PlaceAnswered(place.request_id, refused))
    assert told(driver).tally.refused == {"post_only_crossed": len(place.orders)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (POST_ONLY, "post_only_crossed"),
        (f"Error placing new order during modify: {POST_ONLY}", "post_only_crossed"),
        ("Insufficient margin to place order. asset=5", "insufficient_margin"),
        ("something new", "rejected"),
    ],
)
def test_reasons_are_few(text: str, reason: str) -> None:
    assert reason_of(text) == reason


def test_what_differs_from_the_venue_is_counted_by_kind() -> None:
    driver = quoting()
    missing = driver.open()[0].cloid
    driver.listed = (leftover(1, Side.BID, "150"),)
    for _ in range(2):
        driver.now_ns += 1_000_000
        driver.tell(OpenOrders(1, driver.now_ns, driver.listed + driver.resting()))
        driver.now_ns += 1_000_000
    rows = tuple(row for row in driver.resting() if row.cloid != missing)
    driver.auto = False
    driver.tell(OpenOrders(1, driver.now_ns, driver.listed + rows))
    driver.tell(PositionSeen(as_of_ms=driver.now_ms + 10, position_sz=Decimal(1), entry_px=None))
    driver.pass_s(0.2)
    assert told(driver).tally.mismatches == {"orphan": 1, "missing": 1, "position": 1}


def test_parts_add_up_and_ages_rise() -> None:
    driver = quoting()
    insight = told(driver)
    pricing = driver.engine.state.pricing
    assert pricing is not None
    for name, half in (("bid", pricing.quoting.bid), ("ask", pricing.quoting.ask)):
        assert sum(insight.parts_bps[name].values()) == pytest.approx(half.total_bps, abs=1e-3)
    aged = driver.engine.report(driver.now_ns + 1_000_000_000).insight.quote_age_ms
    assert aged == {side: ms + 1_000 for side, ms in insight.quote_age_ms.items()}


def test_the_time_at_the_touch_is_that_of_a_quote_at_the_best_price() -> None:
    driver = quoting()
    driver.pass_s(2.0)
    assert told(driver).tally.touch_s == 0.0  # the touch is a cent away, our quotes are bps
    best = {side: driver.open(side)[0].near_px for side in Side}
    driver.mid_px = best[Side.BID]  # the market's best bid is now a cent below ours
    due_s = driver.engine.report(driver.now_ns).quoting_due_s
    driver.auto = False
    driver.bbo()
    driver.pass_s(0.1)
    passed_s = driver.engine.report(driver.now_ns).quoting_due_s - due_s
    assert told(driver).tally.touch_s == pytest.approx(passed_s / 2)


def test_the_newest_trade_ages() -> None:
    driver = quoting()
    trade = Trade(coin=COIN, side=Side.BID, px=200.0, sz=1.0, time_ms=driver.now_ms, tid=Tid(7))
    driver.tell(Trades(trades=(trade,)))
    driver.pass_s(3.0)
    age_ms = told(driver).trade_age_ms
    assert age_ms == pytest.approx(3_000, abs=500)


def test_a_copy_stands_still() -> None:
    tally = Tally(placed=1)
    tally.refuse("x")
    copied = tally.copy()
    tally.refuse("x")
    tally.mismatch("orphan")
    assert (copied.refused, copied.mismatches) == ({"x": 1}, {})
