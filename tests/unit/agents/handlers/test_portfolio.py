"""Holdings elsewhere move the quotes within the event that tells of them, and no further."""

from decimal import Decimal

import pytest

from agents.commands import Cancel, Place
from agents.events import DirectiveReceived, GammaRowReceived, HoldingsSeen
from agents.market.types import Side
from agents.market.units import s_to_ns
from agents.portfolio import HOLDINGS_MAX_MS, GammaRow, Holdings
from tests.unit.agents.driver import COIN, Driver, holding, quoting


def row(driver: Driver, *, in_force: bool = True, btc: float = 0.006) -> GammaRowReceived:
    table = {str(COIN): 0.008, "BTC": btc}
    return GammaRowReceived(GammaRow(driver.now_ms, 0.01, table, in_force))


def held(driver: Driver, usd: float) -> HoldingsSeen:
    return HoldingsSeen(Holdings(driver.now_ms, {"BTC": usd}))


def firsts(driver: Driver) -> tuple[float, float]:
    pricing = driver.engine.state.pricing
    assert pricing is not None
    return pricing.quoting.first_bps


@pytest.fixture
def driver() -> Driver:
    made = quoting()
    made.tell(row(made))
    return made


def test_longs_elsewhere_move_both_quotes_down_at_once(driver: Driver) -> None:
    before = firsts(driver)
    driver.tell(held(driver, 0.0))
    told = driver.tell(held(driver, 40_000.0))
    after = firsts(driver)
    assert after[0] > before[0]
    assert after[1] < before[1]
    assert any(isinstance(command, Cancel | Place) for command in told)
    why = driver.engine.explain(driver.now_ns)
    assert why.skew is not None
    assert why.skew.cross == "on"
    assert why.skew.cross_bps > 0
    assert why.skew.own_share == pytest.approx(0.8)
    for side in (why.bid, why.ask):
        assert side is not None
        assert side.first_bps == pytest.approx(
            side.half_spread_bps + side.inventory_bps + side.cross_bps + side.patience_bps
            + side.presence_bps + (side.grid_bps or 0.0)
        )  # fmt: skip


def test_a_hedge_moves_them_the_other_way(driver: Driver) -> None:
    driver.tell(held(driver, 0.0))
    before = firsts(driver)
    driver.tell(held(driver, -4_000.0))
    assert firsts(driver)[1] > before[1]


def test_in_shadow_it_is_looked_at_and_changes_nothing() -> None:
    plain, shadowed = quoting(), quoting()
    shadowed.tell(row(shadowed, in_force=False))
    shadowed.tell(held(shadowed, 4_000.0))
    for driver in (plain, shadowed):
        driver.pass_s(2.0)
    assert firsts(plain) == firsts(shadowed)
    why = shadowed.engine.explain(shadowed.now_ns)
    assert why.skew is not None
    assert (why.skew.cross, why.skew.cross_bps) == ("shadow", 0.0)
    assert why.skew.cross_clips > 0


def test_holdings_that_nobody_renews_are_forgotten(driver: Driver) -> None:
    alone = quoting()
    driver.tell(held(driver, 4_000.0))
    driver.pass_s(HOLDINGS_MAX_MS / 1_000 + 2)
    alone.pass_s(HOLDINGS_MAX_MS / 1_000 + 2)
    assert firsts(driver) == firsts(alone)
    assert driver.engine.report(driver.now_ns).cross_bps is None


def test_a_row_that_ends_leaves_the_market_to_itself(driver: Driver) -> None:
    alone = quoting()
    driver.tell(held(driver, 4_000.0))
    driver.pass_s(1.0)
    alone.pass_s(1.0)
    driver.tell(GammaRowReceived(GammaRow(driver.now_ms, 0.0, {})))
    assert driver.engine.state.gamma_row is None
    driver.pass_s(2.0)
    alone.pass_s(2.0)
    assert firsts(driver) == firsts(alone)


def test_older_news_is_passed_over(driver: Driver) -> None:
    driver.tell(held(driver, 4_000.0))
    old = Holdings(driver.now_ms - 1, {"BTC": -4_000.0})
    driver.tell(HoldingsSeen(old))
    assert driver.engine.state.holdings != old
    older = GammaRow(driver.now_ms - s_to_ns(1.0), 0.01, {str(COIN): 0.008})
    driver.tell(GammaRowReceived(older))
    assert driver.engine.state.gamma_row != older


def test_a_cap_binds_and_is_counted(driver: Driver) -> None:
    driver.tell(held(driver, 5e6))
    why, report = driver.engine.explain(driver.now_ns), driver.engine.report(driver.now_ns)
    assert why.skew is not None
    assert why.bid is not None
    assert why.ask is not None
    half = (why.bid.half_spread_bps + why.ask.half_spread_bps) / 2
    assert why.skew.cross_bps == pytest.approx(half)
    assert report.cross_caps > 0
    assert report.cross_bps == why.skew.cross_bps
    first = why.ask.first_bps
    assert first is not None
    assert first >= driver.engine.state.instrument.maker_fee_bps - 1e-9


def test_what_reduces_for_others_sake_never_takes_a_loss_here() -> None:
    """Short here and long everywhere else: the bid may come near, but not past fair less fee."""
    driver = quoting(state=holding("-20"))
    driver.tell(row(driver))
    driver.tell(DirectiveReceived(2, driver.now_ms, "normal"))
    alone = firsts(driver)
    driver.tell(held(driver, -5e6))
    assert firsts(driver)[0] >= min(alone[0], driver.engine.state.instrument.maker_fee_bps) - 1e-9
    assert driver.engine.state.position.sz == Decimal(-20)
    assert driver.engine.state.tracker.side(Side.BID)
