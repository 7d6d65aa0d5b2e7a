"""Positions that part: late fills are waited for, missing ones asked for, the rest is told."""

from decimal import Decimal

from agents.market.types import Coin, Fill, Oid, Side, Tid
from fleet.gateway.core.drift import ASK_EVERY_MS, ASK_MS, OVERLAP_MS, TOLD_MS, Drifts, Tally

BTC = "BTC"


def fill(time_ms: int, sz: str = "1", side: Side = Side.BID) -> Fill:
    return Fill(
        coin=Coin(BTC), side=side, px=Decimal(100), sz=Decimal(sz), time_ms=time_ms,
        tid=Tid(time_ms), oid=Oid(1), cloid=None, fee=Decimal(0), fee_token="USDC",
        crossed=False, start_position_sz=Decimal(0), closed_pnl=Decimal(0),
    )  # fmt: skip


def counting(sz: str = "5", as_of_ms: int = 100) -> Drifts:
    drifts = Drifts()
    drifts.frame(BTC, Decimal(sz), as_of_ms, as_of_ms)
    return drifts


def test_a_tally_counts_each_fill_in_the_frame_that_holds_it() -> None:
    tally = Tally(Decimal(5), 100)
    tally.fill(90, Decimal(7))  # in the base already
    tally.fill(150, Decimal(1))
    tally.fill(250, Decimal(-3))
    tally.frame(Decimal(6), 200)
    assert (tally.sum_sz, tally.agreed_ms) == (Decimal(6), 200)
    tally.frame(Decimal(4), 300)
    assert tally.sum_sz == 3
    tally.fill(280, Decimal(1))  # late
    assert (tally.sum_sz, tally.agreed_ms) == (Decimal(4), 300)


def test_a_late_fill_is_no_drift() -> None:
    drifts = counting()
    drifts.frame(BTC, Decimal(6), 1_000, 1_000)
    assert drifts.text(BTC, 1_500) is None
    drifts.fill(fill(900), 1_500)
    assert list(drifts.news(60_000)) == []
    assert drifts.ask_since_ms(60_000) is None


def test_a_missing_fill_is_asked_for_and_then_told_until_it_comes() -> None:
    drifts = counting()
    drifts.frame(BTC, Decimal("4.5"), 10_000, 10_000)
    assert drifts.ask_since_ms(10_000 + ASK_MS - 1) is None
    assert drifts.ask_since_ms(10_000 + ASK_MS) == 100 - OVERLAP_MS
    assert drifts.ask_since_ms(10_000 + ASK_MS + 1) is None, "not twice at once"
    assert drifts.ask_since_ms(10_000 + ASK_MS + ASK_EVERY_MS) is not None
    late_ms = 10_000 + TOLD_MS
    assert drifts.text(BTC, late_ms) == "our fills add up to 5, the venue holds 4.5"
    assert list(drifts.news(late_ms)) == [(BTC, drifts.text(BTC, late_ms))]
    assert list(drifts.news(late_ms + 1)) == [], "told once"
    drifts.fill(fill(5_000, "0.5", Side.ASK), late_ms + 2)
    assert drifts.text(BTC, late_ms + 2) is None
    assert list(drifts.news(late_ms + 3)) == [(BTC, None)]
    assert list(drifts.news(late_ms + 4)) == []


def test_an_agents_belief_counts_only_while_it_lasts() -> None:
    drifts = counting()
    drifts.believed(BTC, Decimal(4), Decimal(5), 0)
    drifts.believed(BTC, Decimal(5), Decimal(5), 500)
    drifts.believed(BTC, Decimal(5), Decimal(6), 1_000)
    assert drifts.text(BTC, 4_500) is None
    assert drifts.text(BTC, 5_000) == "its agent believes in 5, the venue holds 6"
    assert drifts.ask_since_ms(60_000) is None, "asking for fills would not help"
    drifts.left(BTC, 5_500)
    assert drifts.text(BTC, 60_000) is None


def test_a_market_that_left_is_forgotten() -> None:
    drifts = counting()
    drifts.frame(BTC, Decimal(1), 200, 200)
    drifts.forget(BTC)
    assert list(drifts.news(60_000)) == []
    assert drifts.tallies == {}
