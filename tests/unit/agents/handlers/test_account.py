"""Fills and the venue's position: each once, and drift is seen."""

from decimal import Decimal

import msgspec

from agents.events import Fills, PositionSeen
from agents.market.types import Cloid, Coin, Side
from tests.unit.agents.driver import holding, quoting


def test_incident_4_a_fill_told_twice_moves_the_position_once() -> None:
    driver = quoting()
    fills = driver.fill(driver.open(Side.BID)[0], "2")
    driver.tell(fills)
    driver.tell(fills)
    driver.tell(Fills(fills=fills.fills, is_snapshot=True))
    assert driver.engine.report(driver.now_ns).position_sz == 2


def test_incident_6_a_snapshot_brings_what_was_missed() -> None:
    driver = quoting(state=holding("3"))
    known = driver.fill(driver.open(Side.ASK)[0], "1")
    missed = driver.fill(driver.open(Side.ASK)[1], "1")
    driver.tell(known)
    old = msgspec.structs.replace(known.fills[0], time_ms=5)
    driver.tell(Fills(fills=(old, *known.fills, *missed.fills), is_snapshot=True))
    assert driver.engine.report(driver.now_ns).position_sz == 1


def test_foreign_fills_count_and_raise_no_alarm() -> None:
    driver = quoting()
    mine = driver.fill(driver.open(Side.BID)[0], "2", crossed=True).fills[0]
    foreign = msgspec.structs.replace(mine, cloid=Cloid("0x" + "9" * 32))
    driver.tell(Fills(fills=(foreign,)))
    report = driver.engine.report(driver.now_ns)
    assert report.position_sz == 2
    assert report.taker_fills == 0


def test_fills_of_other_coins_are_not_ours() -> None:
    driver = quoting()
    other = msgspec.structs.replace(
        driver.fill(driver.open(Side.BID)[0], "2").fills[0], coin=Coin("BTC")
    )
    driver.tell(Fills(fills=(other,)))
    assert driver.engine.report(driver.now_ns).position_sz == 0


def test_drift_reduces_then_halts_and_agreement_ends_it() -> None:
    driver = quoting()
    driver.tell(PositionSeen(driver.now_ms + 1, Decimal(2), None))
    driver.pass_s(2.0)
    assert driver.phase == "QUOTING"  # a frame may be ahead of its fill
    driver.pass_s(2.0)
    assert driver.phase == "REDUCING"
    assert "drift" in driver.reason
    assert not driver.live()  # 0 here, 2 there: no side is sure to reduce
    driver.pass_s(28.0)
    assert driver.phase == "HALTED"
    driver.tell(PositionSeen(driver.now_ms + 1, Decimal(0), None))
    driver.pass_s(1.0)
    assert driver.phase == "QUOTING"


def test_in_drift_only_what_both_agree_on_is_reduced() -> None:
    driver = quoting(state=holding("5"))
    driver.tell(PositionSeen(driver.now_ms + 1, Decimal(3), None))
    driver.pass_s(5.0)
    assert not driver.open(Side.BID)
    assert sum(order.remaining_sz for order in driver.open(Side.ASK)) == 3


def test_a_position_older_than_our_last_fill_proves_nothing() -> None:
    driver = quoting()
    driver.tell(driver.fill(driver.open(Side.BID)[0], "2"))
    driver.tell(PositionSeen(driver.now_ms - 1, Decimal(0), None))
    driver.pass_s(10.0)
    assert driver.phase == "QUOTING"


def test_an_older_position_does_not_replace_a_newer() -> None:
    driver = quoting()
    driver.tell(PositionSeen(driver.now_ms + 10, Decimal(0), None))
    driver.tell(PositionSeen(driver.now_ms + 5, Decimal(7), None))
    driver.pass_s(5.0)
    assert driver.phase == "QUOTING"
