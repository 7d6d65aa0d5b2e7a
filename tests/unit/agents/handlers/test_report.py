"""The report: what is known, and the share of time in which quotes stood."""

import msgspec
import pytest

from agents.events import LinkChanged, PauseChanged
from agents.market.types import Side
from tests.unit.agents.driver import SETTINGS, Driver, quoting


def test_unknown_is_none() -> None:
    report = Driver().engine.report(0)
    assert report.phase == "BOOT"
    for value in (report.mid_px, report.sigma_bps, report.bid_px, report.data_age_ms):
        assert value is None


def test_it_says_what_stands() -> None:
    driver = quoting()
    report = driver.engine.report(driver.now_ns)
    assert report.bid_px == driver.open(Side.BID)[0].px
    assert report.ask_px == driver.open(Side.ASK)[0].px
    assert report.open_orders == 6
    assert report.requests == 6
    assert report.data_age_ms is not None
    assert report.data_age_ms <= 500
    assert report.half_spread_bps is not None
    assert report.model_half_spread_bps is not None
    assert report.model_half_spread_bps > 0


def test_uptime_is_all_of_the_time_it_was_due() -> None:
    driver = quoting()
    driver.pass_s(20.0)
    report = driver.engine.report(driver.now_ns)
    assert report.quoting_due_s > 18
    assert report.quoting_up_s == pytest.approx(report.quoting_due_s, abs=0.5)


def test_time_without_quotes_is_down() -> None:
    driver = quoting()
    driver.pass_s(5.0)
    before = driver.engine.report(driver.now_ns)
    driver.directed = False
    driver.pass_s(35.0)  # the directive aged out: flat, so nothing stands
    driver.pass_s(10.0)
    after = driver.engine.report(driver.now_ns)
    assert after.quoting_due_s - before.quoting_due_s == pytest.approx(45, abs=1)
    assert after.quoting_up_s - before.quoting_up_s < 35


def test_outages_and_pauses_are_not_due() -> None:
    driver = quoting()
    before = driver.engine.report(driver.now_ns).quoting_due_s
    driver.tell(PauseChanged(paused=True))
    driver.pass_s(5.0)
    driver.tell(PauseChanged(paused=False))
    driver.tell(LinkChanged("gap", driver.now_ms))
    driver.pass_s(5.0)
    assert driver.engine.report(driver.now_ns).quoting_due_s - before < 0.5


def test_too_wide_to_quote_is_said() -> None:
    strategy = msgspec.structs.replace(SETTINGS.strategy, half_spread_max_bps=1.0)
    driver = quoting(settings=msgspec.structs.replace(SETTINGS, strategy=strategy))
    assert not driver.live()
    assert "above its maximum" in driver.reason
