"""The engine as a whole: it starts, warms up, quotes, and says nothing after it left."""

from decimal import Decimal

import msgspec
import pytest

from agents import events
from agents.commands import AskOpenOrders, Cancel, Exit, NewOrder, Place, Renew
from agents.engine import HANDLERS, Engine
from agents.events import AssetCtx, Event, FenceChanged, Tick
from agents.exchange.downstream import DirectiveFrame, LimitsFrame
from agents.market.types import Coin, Level, Side
from tests.unit.agents.driver import COIN, START_NS, Driver, holding, lease, leftover, quoting


def test_every_event_has_a_handler() -> None:
    kinds = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
    }
    assert kinds == set(HANDLERS)


def test_from_boot_to_quoting() -> None:
    driver = Driver(auto=False)
    assert driver.phase == "BOOT"
    driver.pass_s(1.0)
    assert driver.phase == "RECONCILING"
    driver.auto = True
    driver.pass_s(2.5)
    assert driver.phase == "WARMUP"
    assert not driver.sent(Place)
    driver.pass_s(6.0)
    assert driver.phase == "QUOTING"
    assert len(driver.open(Side.BID)) == len(driver.open(Side.ASK)) == 3


def test_all_placements_are_post_only_and_priced_once() -> None:
    driver = quoting()
    driver.pass_s(20.0)
    for place in driver.sent(Place):
        assert {order.tif for order in place.orders} == {"Alo"}
    bids, asks = driver.live(Side.BID), driver.live(Side.ASK)
    assert bids[0].px < Decimal(200) < asks[0].px


def test_a_still_market_is_left_alone() -> None:
    driver = quoting()
    driver.pass_s(30.0)
    assert not driver.sent(Place)
    assert not driver.sent(Cancel)


def test_quotes_follow_the_market() -> None:
    driver = quoting()
    before = driver.open(Side.BID)[0].px
    driver.bbo(200.4)
    driver.pass_s(2.0)
    assert driver.open(Side.BID)[0].px > before
    assert len(driver.live()) == 6


def test_incident_5_orders_of_an_earlier_generation_are_cleared_before_the_first_quote() -> None:
    rows = (leftover(1, Side.BID, "150"), leftover(2, Side.ASK, "250"))
    driver = Driver()
    driver.listed = rows
    driver.pass_s(1.0)
    assert {c for cancel in driver.sent(Cancel) for c in cancel.cloids} == {
        row.cloid for row in rows
    }
    driver.pass_s(10.0)
    assert not driver.sent(Place)  # the venue still lists them: wait
    driver.listed = ()
    driver.pass_s(5.0)
    assert driver.sent(Place)


def test_foreign_orders_are_never_touched() -> None:
    driver = Driver()
    foreign = msgspec.structs.replace(leftover(1, Side.BID, "150"), cloid=None)
    driver.listed = (foreign,)
    driver.pass_s(8.0)
    assert driver.phase == "QUOTING"
    assert not driver.sent(Cancel)


def test_the_leases_own_list_of_orders_is_cleared_too() -> None:
    row = leftover(1, Side.BID, "150")
    state = msgspec.structs.replace(holding("0"), open_orders=(row,))
    engine = Engine(lease(state=state), START_NS)
    told = engine.handle(Tick(), START_NS + 1)
    assert [c.cloids for c in told if isinstance(c, Cancel)] == [(row.cloid,)]


def test_a_renewal_each_renew_ms_with_a_report() -> None:
    driver = quoting()
    driver.pass_s(10.0)
    renewals = driver.sent(Renew)
    assert len(renewals) == 20
    assert renewals[-1].event_ns > renewals[0].event_ns
    assert renewals[-1].report.phase == "QUOTING"


def test_request_ids_rise() -> None:
    driver = quoting()
    for px in (201.0, 202.0, 200.0, 199.0):
        driver.bbo(px)
        driver.pass_s(1.5)
    ids = [
        command.request_id
        for command in driver.commands
        if isinstance(command, Place | Cancel | AskOpenOrders)
    ]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_other_coins_are_not_ours() -> None:
    driver = quoting()
    fair = driver.engine.report(driver.now_ns).fair_px
    levels = (Level(99.0, 1.0), Level(99.1, 1.0))
    driver.tell(events.Bbo(coin=Coin("BTC"), venue_ms=driver.now_ms, bbo=levels))
    assert driver.engine.report(driver.now_ns).fair_px == fair


def test_fenced_at_the_lease_places_nothing() -> None:
    driver = Driver(fenced=True)
    driver.pass_s(10.0)
    assert driver.phase == "HALTED"
    assert not driver.sent(Place)
    driver.tell(FenceChanged(closed=False))
    driver.pass_s(1.0)
    assert driver.sent(Place)


def test_incident_20_the_least_limit_counts() -> None:
    driver = Driver(limits=LimitsFrame(position_max_usd=500.0))
    driver.pass_s(10.0)
    worst_usd = float(sum(order.remaining_sz * order.px for order in driver.live(Side.BID)))
    assert 0 < worst_usd <= 500.0


def test_incident_1_a_quote_that_took_is_an_alarm() -> None:
    driver = quoting()
    order = driver.open(Side.BID)[0]
    driver.tell(driver.fill(order, "1", crossed=True))
    driver.pass_s(1.0)
    assert driver.phase == "REDUCING"
    assert "taker fill" in driver.reason
    assert driver.engine.report(driver.now_ns).taker_fills == 1
    assert not driver.open(Side.BID)
    assert all(order.reduce_only for order in driver.open(Side.ASK))


@pytest.mark.parametrize("directive", [None, DirectiveFrame(1, 0, "normal")])
def test_no_risk_is_added_without_a_fresh_directive(directive: DirectiveFrame | None) -> None:
    driver = Driver(directive=directive)
    driver.directed = False
    driver.pass_s(10.0)
    assert not driver.sent(Place)
    assert "directive" in driver.reason


def test_after_leaving_it_is_silent() -> None:
    driver = quoting()
    driver.tell(events.DrainRequested(deadline_ms=driver.now_ms + 60_000))
    driver.pass_s(1.0)
    assert [exit_.code for exit_ in driver.sent(Exit)] == [0]
    assert driver.tell(Tick()) == []


def test_the_mark_counts_where_it_is_above_the_mid() -> None:
    driver = quoting()
    before = driver.engine.state.sizing
    driver.tell(AssetCtx(coin=COIN, mark_px=220.0, oracle_px=220.0, funding_per_h=0.0))
    driver.pass_s(2.0)
    after = driver.engine.state.sizing
    assert before is not None
    assert after is not None
    assert after.limit_sz < before.limit_sz


def test_orders_are_on_the_venues_grid() -> None:
    driver = quoting()
    instrument = driver.engine.state.instrument
    placed: list[NewOrder] = [o for place in driver.sent(Place) for o in place.orders]
    for order in placed or driver.live():
        assert instrument.accepts_px(order.px)
        assert instrument.accepts_sz(order.sz)
