"""Link, fence, directive, limits, settings, pause: in force with the event that tells them."""

import msgspec
import pytest

from agents.commands import AskOpenOrders, AskOrder, Cancel, Place, Renew, RequestFence
from agents.events import (
    DirectiveReceived,
    FenceChanged,
    JournalLost,
    LimitsChanged,
    LinkChanged,
    OpenOrders,
    OrderStatus,
    PauseChanged,
    SettingsChanged,
)
from agents.market.types import Side
from agents.orders.lifecycle import State
from tests.unit.agents.driver import SETTINGS, Driver, holding, quoting, total_sz


def test_nothing_is_sent_while_the_link_is_down() -> None:
    driver = quoting()
    driver.tell(LinkChanged("gap", driver.now_ms))
    driver.forget()
    driver.fed = False
    driver.pass_s(5.0)
    assert {type(command) for command in driver.commands} == {Renew}
    assert len(driver.live()) == 6  # they rest, as far as anybody knows


def _over_a_gap(seconds: float) -> Driver:
    driver = quoting()
    driver.tell(LinkChanged("gap", driver.now_ms))
    driver.fed = False
    driver.pass_s(seconds)
    driver.forget()
    driver.tell(LinkChanged("recovered", driver.now_ms))
    return driver


def test_back_again_it_keeps_what_rests_and_asks_before_it_adds() -> None:
    driver = _over_a_gap(2.0)
    before = {order.cloid for order in driver.live()}
    driver.auto = False
    driver.pass_s(0.5)
    driver.bbo(200.0)
    asked = driver.sent(AskOpenOrders)
    assert len(asked) == 1
    assert {order.cloid for order in driver.live()} == before
    assert not driver.sent(Cancel)
    assert not driver.sent(Place)
    assert driver.phase == "RECONCILING"
    driver.auto = driver.fed = True
    seen = driver.answer(asked[0])
    assert seen is not None
    driver.tell(seen)
    driver.pass_s(1.0)
    assert driver.phase == "QUOTING"
    assert {order.cloid for order in driver.live()} & before


def test_what_went_during_the_gap_is_asked_about_and_replaced() -> None:
    driver = _over_a_gap(2.0)
    gone = driver.live(Side.BID)[0]
    driver.auto, driver.fed = False, True
    driver.pass_s(0.5)
    rows = tuple(row for row in driver.resting() if row.cloid != gone.cloid)
    asked = driver.sent(AskOpenOrders)[0]
    driver.tell(OpenOrders(asked.request_id, driver.now_ns, rows))
    assert gone.state is State.UNKNOWN
    driver.pass_s(0.2)
    assert [ask.cloid for ask in driver.sent(AskOrder)] == [gone.cloid]
    driver.tell(OrderStatus(gone.cloid, driver.now_ns, "canceled", gone.oid, gone.sz))
    driver.auto = True
    driver.pass_s(1.0)
    assert len(driver.live(Side.BID)) == 3


def test_back_without_market_data_it_pulls_within_a_second() -> None:
    driver = _over_a_gap(5.0)
    driver.pass_s(0.8)
    assert not driver.sent(Cancel)
    driver.pass_s(0.4)
    assert not driver.live()


def test_a_closed_fence_stops_placements_at_once() -> None:
    driver = quoting()
    driver.tell(FenceChanged(closed=True, reason="fleet halt"))
    driver.bbo(205.0)
    driver.pass_s(2.0)
    assert not driver.sent(Place)
    assert not driver.live()
    assert driver.phase == "HALTED"
    assert "fleet halt" in driver.reason


def test_what_a_person_lifts_is_not_killed_again_by_refusals_from_before() -> None:
    driver = quoting()
    for _ in range(9):
        driver.engine.state.watch.refused("429 Too Many Requests", driver.now_ns)
    driver.pass_s(1.0)
    assert "rate" in driver.reason
    driver.tell(FenceChanged(closed=True, reason="agent: killed by rate"))
    driver.tell(FenceChanged(closed=False))
    driver.forget()
    driver.pass_s(1.0)
    assert not driver.sent(RequestFence)
    assert driver.engine.state.kept.kill is None


def test_a_directive_is_obeyed_and_older_ones_are_not() -> None:
    driver = quoting(state=holding("5"))
    driver.directed = False
    now = driver.now_ms
    driver.tell(DirectiveReceived(seq=9, as_of_ms=now, mode="reduce_only", reason="gross"))
    driver.tell(DirectiveReceived(seq=8, as_of_ms=now - 500, mode="normal"))
    driver.pass_s(1.0)
    assert not driver.open(Side.BID)
    assert total_sz(driver.open(Side.ASK)) == 5
    assert all(order.reduce_only for order in driver.open(Side.ASK))
    driver.tell(DirectiveReceived(seq=1, as_of_ms=driver.now_ms, mode="halt"))
    assert not driver.open()
    assert driver.phase == "HALTED"
    driver.tell(DirectiveReceived(seq=2, as_of_ms=driver.now_ms, mode="normal"))
    driver.pass_s(1.0)
    assert driver.open(Side.BID)


def test_a_silent_risk_actor_first_stops_new_risk_then_clears_it_then_all() -> None:
    driver = quoting(state=holding("5"))
    driver.directed = False
    driver.pass_s(10.5)
    resting = driver.open(Side.BID)
    assert resting
    driver.forget()
    driver.tell(driver.fill(resting[0], "1"))
    driver.pass_s(5.0)
    assert all(o.side is Side.ASK for place in driver.sent(Place) for o in place.orders)
    assert driver.open(Side.BID)
    driver.pass_s(15.5)
    assert not driver.open(Side.BID)
    assert driver.open(Side.ASK)
    driver.pass_s(90.0)
    assert not driver.live()
    assert driver.phase == "HALTED"


def test_incident_19_a_lower_limit_trims_what_adds() -> None:
    driver = quoting()
    before = total_sz(driver.open(Side.BID))
    driver.tell(LimitsChanged(position_max_usd=1_500.0))
    driver.pass_s(1.0)
    after = total_sz(driver.open(Side.BID))
    assert after < before
    assert float(after) * 200 <= 1_500.0


def test_a_limit_above_the_users_does_not_count() -> None:
    driver = quoting()
    driver.tell(LimitsChanged(position_max_usd=1e9))
    driver.pass_s(1.0)
    assert driver.engine.state.position_max_usd == 10_000.0


def test_settings_are_in_force_and_acknowledged() -> None:
    driver = quoting()
    strategy = msgspec.structs.replace(SETTINGS.strategy, half_spread_floor_bps=30.0)
    driver.tell(
        SettingsChanged(revision=5, settings=msgspec.structs.replace(SETTINGS, strategy=strategy))
    )
    driver.pass_s(1.0)
    assert driver.sent(Renew)[-1].revision == 5
    assert float(driver.open(Side.BID)[0].px) < 200.0 * (1 - 29.9e-4)


def test_paused_is_without_quotes_and_warm() -> None:
    driver = quoting()
    driver.tell(PauseChanged(paused=True))
    driver.pass_s(3.0)
    assert not driver.live()
    assert driver.phase == "PAUSED"
    driver.tell(PauseChanged(paused=False))
    driver.pass_s(0.2)
    assert driver.phase == "QUOTING"
    assert len(driver.open()) == 6


def test_without_a_journal_it_only_reduces_and_says_why() -> None:
    driver = quoting(state=holding("0.1"))
    driver.tell(JournalLost("agents/BTC/journal: No space left on device"))
    driver.pass_s(2.0)
    assert driver.phase == "REDUCING"
    assert {order.side for order in driver.live()} == {Side.ASK}
    assert "No space left on device" in driver.reason


@pytest.mark.parametrize("held", ["0", "10"])
def test_a_fleets_cap_that_is_full_leaves_an_agent_that_only_reduces(held: str) -> None:
    """The gateway then tells a limit of 0: nothing is divided by it, and nothing is killed."""
    driver = quoting(state=holding(held)) if held != "0" else quoting()
    driver.tell(LimitsChanged(0.0))
    driver.bbo()
    driver.pass_s(5.0)
    assert driver.phase in {"QUOTING", "REDUCING"}
    assert [o for o in driver.live() if o.side is Side.BID] == []
    assert driver.sent(RequestFence) == []
    driver.tell(LimitsChanged(5_000.0))
    driver.pass_s(65.0)
    assert driver.phase == "QUOTING"
