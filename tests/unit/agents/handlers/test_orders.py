"""Answers to requests: refusals back off, lost answers are asked about, cancels free room."""

from agents.commands import AskOrder, Cancel, Place
from agents.events import (
    CancelAnswered,
    OrderResult,
    OrderStatus,
    OrderUpdate,
    OutcomeUnknown,
    PlaceAnswered,
    RequestRefused,
)
from agents.market.types import Side
from agents.orders.lifecycle import State
from tests.unit.agents.driver import Driver, holding, quoting

POST_ONLY = "Post only order would have immediately matched, bbo was 199.99@200.01. asset=5"


def _manual() -> tuple[Driver, Place]:
    """An engine that has just sent its first placement, not yet answered."""
    driver = Driver()
    driver.pass_s(4.0)
    driver.auto = False
    while not driver.sent(Place):
        driver.pass_s(0.1)
    return driver, driver.sent(Place)[0]


def test_a_post_only_refusal_is_tried_again_after_a_moment() -> None:
    driver, place = _manual()
    driver.tell(
        PlaceAnswered(
            place.request_id, tuple(OrderResult("refused", text=POST_ONLY) for _ in place.orders)
        )
    )
    assert len(driver.sent(Place)) == 1
    driver.pass_s(0.2)
    assert len(driver.sent(Place)) == 2


def test_a_refusal_tells_a_newer_touch_and_is_followed_once_not_within_its_block() -> None:
    driver, place = _manual()
    driver.fed = False
    driver.pass_s(0.2)
    newer = POST_ONLY.replace("199.99@200.01", "198.99@199.01")
    driver.tell(
        PlaceAnswered(
            place.request_id, tuple(OrderResult("refused", text=newer) for _ in place.orders)
        )
    )
    assert len(driver.sent(Place)) == 1
    driver.pass_s(0.2)
    first, again = driver.sent(Place)
    for side in Side:
        moved = [float(o.px) for o in again.orders if o.side is side]
        stood = [float(o.px) for o in first.orders if o.side is side]
        assert max(moved) < max(stood) - 0.5
    driver.pass_s(0.5)
    assert len(driver.sent(Place)) == 2


def test_a_refusals_touch_is_old_news_where_one_came_since() -> None:
    driver, place = _manual()
    driver.now_ns += 1_000_000
    driver.bbo()
    driver.fed = False
    before = driver.engine.state.panel.bid
    older = POST_ONLY.replace("199.99@200.01", "198.99@199.01")
    driver.tell(PlaceAnswered(place.request_id, (OrderResult("refused", text=older),)))
    assert driver.engine.state.panel.bid == before


def test_other_refusals_wait_longer() -> None:
    driver, place = _manual()
    text = "Insufficient margin to place order. asset=5"
    refused = tuple(OrderResult("refused", text=text) for _ in place.orders)
    driver.tell(PlaceAnswered(place.request_id, refused))
    driver.pass_s(0.8)
    assert len(driver.sent(Place)) == 1
    driver.pass_s(0.5)
    assert len(driver.sent(Place)) == 2


def test_what_the_gateway_turned_away_was_never_sent() -> None:
    driver, place = _manual()
    driver.tell(RequestRefused(place.request_id, "budget"))
    assert not driver.live()
    driver.pass_s(1.5)
    assert len(driver.sent(Place)) == 2


def _refused_while_holding() -> tuple[Driver, Place]:
    """Long 3, nothing resting, and a placement of both sides unanswered."""
    driver = quoting(state=holding("3"))
    driver.auto = False
    for order in driver.open():
        assert order.oid is not None
        gone = (order.oid, order.cloid, order.side, order.px, order.sz, order.sz, "canceled")
        driver.tell(OrderUpdate(*gone, driver.now_ms))
    while not driver.sent(Place):
        driver.pass_s(0.1)
    return driver, driver.sent(Place)[-1]


def test_while_what_adds_is_turned_away_an_order_that_only_reduces_is_offered_at_once() -> None:
    """I14: asks larger than the holding count as adding; backing off they would leave no exit."""
    driver, place = _refused_while_holding()
    assert any(not order.reduce_only for order in place.orders if order.side is Side.ASK)
    driver.forget()
    driver.tell(RequestRefused(place.request_id, "throttle", "the venue limits our requests"))
    driver.pass_s(0.1)
    (exits,) = driver.sent(Place)
    assert {(order.side, order.reduce_only) for order in exits.orders} == {(Side.ASK, True)}
    assert sum(order.sz for order in exits.orders) <= 3


def test_refused_over_and_over_what_adds_leaves_an_exit_standing() -> None:
    driver, place = _refused_while_holding()
    answered = {place.request_id}
    driver.tell(RequestRefused(place.request_id, "throttle"))
    without_s = 0.0
    for _ in range(900):
        driver.pass_s(0.1)
        for command in list(driver.commands):
            if not isinstance(command, Place | Cancel) or command.request_id in answered:
                continue
            answered.add(command.request_id)
            adds = isinstance(command, Place) and not all(o.reduce_only for o in command.orders)
            answer = driver.answer(command)
            assert answer is not None
            driver.tell(RequestRefused(command.request_id, "throttle") if adds else answer)
        without_s += 0.0 if driver.open(Side.ASK) else 0.1
    assert without_s < 5.0


def test_an_exit_turned_away_waits_on_its_own_and_never_long() -> None:
    driver, _ = _refused_while_holding()
    answered, last_s, gaps, at_s = set[int](), 0.0, list[float](), 0.0
    for _ in range(600):
        for command in driver.sent(Place):
            if command.request_id not in answered:
                answered.add(command.request_id)
                driver.tell(RequestRefused(command.request_id, "rate_limited"))
                if all(order.reduce_only for order in command.orders):
                    gaps.append(at_s - last_s)
                    last_s = at_s
        driver.pass_s(0.1)
        at_s += 0.1
    assert gaps
    assert max(gaps) < 6.0


def test_nothing_is_sent_again_blind() -> None:
    driver, place = _manual()
    driver.tell(OutcomeUnknown(place.request_id))
    driver.pass_s(3.0)
    asked = {ask.cloid for ask in driver.sent(AskOrder)}
    assert asked == {order.cloid for order in place.orders}
    open_usd = sum(float(o.remaining_sz * o.px) for o in driver.live(Side.BID))
    assert open_usd <= 10_000.0
    for order in place.orders:
        driver.tell(OrderStatus(order.cloid, driver.now_ns, "open", remaining_sz=order.sz))
    assert not driver.engine.state.tracker.count(State.UNKNOWN)


def test_a_cancel_turned_away_is_tried_again_without_a_flood() -> None:
    driver = quoting()
    driver.auto = False
    driver.bbo(210.0)
    first = driver.sent(Cancel)
    assert len(first) == 1
    driver.tell(RequestRefused(first[0].request_id, "throttle"))
    driver.pass_s(0.1)
    assert len(driver.sent(Cancel)) == 1
    driver.pass_s(0.4)
    assert len(driver.sent(Cancel)) == 2


def test_a_cancel_frees_the_room_for_what_waits() -> None:
    driver = quoting()
    driver.tell(driver.fill(driver.open(Side.BID)[0], "8"))  # most of the bid's room is used
    driver.pass_s(1.0)
    driver.auto = False
    driver.forget()
    driver.bbo(205.0)
    cancel = driver.sent(Cancel)[0]
    before = len(driver.sent(Place))
    driver.tell(CancelAnswered(cancel.request_id, (None,) * len(cancel.cloids)))
    assert len(driver.sent(Place)) >= before


def test_the_venues_own_cancel_is_replaced() -> None:
    driver = quoting()
    order = driver.open(Side.ASK)[0]
    driver.tell(
        OrderUpdate(
            oid=order.oid or 0,  # type: ignore[arg-type]
            cloid=order.cloid,
            side=order.side,
            px=order.px,
            remaining_sz=order.sz,
            orig_sz=order.sz,
            status="marginCanceled",
            status_ms=driver.now_ms,
        )
    )
    driver.pass_s(0.2)
    assert len(driver.open(Side.ASK)) == 3
    assert order.cloid not in driver.engine.state.tracker.live


def test_the_venues_own_limit_is_counted_and_the_gateways_thrift_is_not() -> None:
    driver, place = _refused_while_holding()
    now_ns = driver.now_ns
    driver.tell(RequestRefused(place.request_id, "throttle", "the venue limits our requests"))
    assert driver.engine.state.watch.rate_limited(now_ns) == 0
    driver.tell(RequestRefused(place.request_id, "rate_limited", "429 Too Many Requests"))
    assert driver.engine.state.watch.rate_limited(now_ns) == 1
