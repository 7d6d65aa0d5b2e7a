"""Hourly funding: the rate of a calm market, who pays, and where it is shown."""

from decimal import Decimal

import pytest

from agents.market.types import Coin, Side
from agents.sim.outputs import FundingRow
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, Desk, order

HOUR_MS = 3_600_000


@pytest.fixture
def desk() -> Desk:
    """Alice is long 0.1 of Bob's; the oracle lies in the middle of the market."""
    desk = Desk()
    desk.flow("BTC", Side.BID, "83990", "5")
    desk.flow("BTC", Side.ASK, "84010", "5")
    desk.place(BOB, order(BTC, "A", "84000", "0.1"))
    desk.place(ALICE, order(BTC, "B", "84000", "0.1", tif="Ioc"))
    desk.exchange.set_oracle(Coin("BTC"), Decimal(84_000))
    desk.now_ms += 5_000  # a premium is sampled
    desk.block()
    return desk


def next_hour(desk: Desk) -> None:
    desk.now_ms = (desk.now_ms // HOUR_MS + 1) * HOUR_MS - 30
    desk.block()


def test_longs_pay_shorts_the_hourly_rate_of_a_calm_market(desk: Desk) -> None:
    cash = {who: Decimal(desk.state(who)["marginSummary"]["totalRawUsd"]) for who in (ALICE, BOB)}
    next_hour(desk)
    rows = {o.user: o.row for o in desk.outputs if isinstance(o, FundingRow)}
    assert rows[ALICE] == {
        "time": desk.now_ms, "coin": "BTC", "usdc": "-0.105", "szi": "0.1",
        "fundingRate": "0.0000125", "nSamples": None,
    }  # fmt: skip
    assert rows[BOB]["usdc"] == "0.105"
    for who, sign in ((ALICE, -1), (BOB, 1)):
        raw = Decimal(desk.state(who)["marginSummary"]["totalRawUsd"])
        assert raw - cash[who] == sign * Decimal("0.105")
    (position,) = (row["position"] for row in desk.state(ALICE)["assetPositions"])
    assert position["cumFunding"] == {
        "allTime": "0.105", "sinceOpen": "0.105", "sinceChange": "0.105",
    }  # fmt: skip
    desk.place(ALICE, order(BTC, "B", "84010", "0.1", tif="Ioc"))
    (position,) = (row["position"] for row in desk.state(ALICE)["assetPositions"])
    assert position["cumFunding"]["sinceChange"] == "0.0"


def test_history_is_paged_by_time(desk: Desk) -> None:
    next_hour(desk)
    first = desk.now_ms
    next_hour(desk)
    rows = desk.ask("fundingHistory", coin="BTC", startTime=0)
    assert [row["time"] for row in rows] == [first, desk.now_ms]
    assert list(rows[0]) == ["coin", "fundingRate", "premium", "time"]
    assert desk.ask("fundingHistory", coin="BTC", startTime=first + 1) == rows[1:]
    (paid, _) = desk.ask("userFunding", user=ALICE, startTime=0)
    assert (paid["delta"]["type"], paid["delta"]["usdc"]) == ("funding", "-0.105")


def test_a_market_above_its_oracle_pays_more(desk: Desk) -> None:
    desk.exchange.set_oracle(Coin("BTC"), Decimal(83_000))
    desk.now_ms += 5_000
    desk.block()
    rate = Decimal(desk.exchange.ctx(Coin("BTC"))["funding"])  # type: ignore[arg-type]
    assert rate > Decimal("0.0000125")
    predicted = dict(desk.ask("predictedFundings"))
    assert Decimal(dict(predicted["BTC"])["HlPerp"]["fundingRate"]) == rate
