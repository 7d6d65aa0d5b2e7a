"""What time does: silence pulls, questions are repeated, draining ends."""

import pytest

from agents.commands import AskOpenOrders, Cancel, Exit, Place
from agents.events import DrainRequested
from agents.market.types import Side
from tests.unit.agents.driver import Driver, holding, quoting, total_sz


def test_incident_67_a_dead_feed_is_seen_without_a_message() -> None:
    driver = quoting()
    driver.fed = False
    driver.pass_s(2.5)
    assert driver.open()
    driver.pass_s(1.0)
    assert not driver.live()
    assert "old" in driver.reason
    driver.pass_s(30.0)
    assert driver.phase == "HALTED"
    driver.fed = True
    driver.pass_s(0.5)
    assert driver.phase == "HALTED"  # a second after it was last seen, stamped once a second
    driver.pass_s(1.0)
    assert driver.phase == "QUOTING"
    assert driver.engine.report(driver.now_ns).ramp_share == 1.0
    assert driver.open()


def test_snapshots_go_on_each_half_minute() -> None:
    driver = quoting()
    driver.auto = False
    driver.pass_s(65.0)
    assert len(driver.sent(AskOpenOrders)) == 2


def test_an_unanswered_first_snapshot_is_asked_for_again() -> None:
    driver = Driver(auto=False)
    driver.pass_s(10.0)
    assert len(driver.sent(AskOpenOrders)) == 5
    assert not driver.sent(Place)


def test_draining_flat_leaves_at_once_and_clean() -> None:
    driver = quoting()
    driver.tell(DrainRequested(deadline_ms=driver.now_ms + 60_000))
    driver.pass_s(0.5)
    assert driver.sent(Exit) == [Exit(0, "drained")]
    assert not driver.live()


def test_draining_reduces_and_leaves_once_flat() -> None:
    driver = quoting(state=holding("5"))
    driver.tell(DrainRequested(deadline_ms=driver.now_ms + 60_000))
    driver.pass_s(2.0)
    assert driver.phase == "DRAINING"
    assert not driver.open(Side.BID)
    asks = driver.open(Side.ASK)
    assert total_sz(asks) == 5
    assert all(order.reduce_only for order in asks)
    assert not driver.sent(Exit)
    for order in asks:
        driver.tell(driver.fill(order, str(order.remaining_sz)))
    driver.pass_s(0.5)
    assert driver.sent(Exit) == [Exit(0, "drained")]


def test_at_the_deadline_it_leaves_with_its_position_and_no_order() -> None:
    driver = quoting(state=holding("5"))
    driver.tell(DrainRequested(deadline_ms=driver.now_ms + 3_000))
    driver.pass_s(4.0)
    assert driver.sent(Exit) == [Exit(0, "drain deadline")]
    assert not driver.live()


def test_it_does_not_leave_while_an_order_may_rest() -> None:
    driver = quoting()
    driver.auto = False
    driver.tell(DrainRequested(deadline_ms=driver.now_ms))
    driver.pass_s(2.0)
    cancels = driver.sent(Cancel)
    assert cancels
    assert not driver.sent(Exit)
    for cancel in cancels:
        answer = driver.answer(cancel)
        assert answer is not None
        driver.tell(answer)
    driver.pass_s(0.2)
    assert driver.sent(Exit)


@pytest.mark.parametrize("position", ["5", "-5"])
def test_incident_29_something_that_reduces_always_stands(position: str) -> None:
    """Under every gate but those that blind or stop, a quote that reduces is out."""
    driver = quoting(state=holding(position))
    driver.directed = False
    reducing = Side.ASK if position == "5" else Side.BID
    for _ in range(11):
        driver.pass_s(10.0)
        assert driver.open(reducing), driver.reason
