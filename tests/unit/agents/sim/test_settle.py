"""What a fill writes: rows on both sides, prints, fees, self-trades, fills by a tape."""

from decimal import Decimal

import pytest

from agents.market.types import Coin, Side
from agents.sim.market import Execution
from agents.sim.outputs import AccountChanged, NonUserCancel, Printed
from agents.sim.settle import within_reduce_only
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, HYNA_BTC, NVDA, Desk, cloid, order


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_maker_and_taker_rows_share_trade_time_and_hash(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "A", "84000", "0.1", cloid=cloid(1)))
    desk.place(BOB, order(BTC, "B", "84000", "0.1", tif="Gtc"))
    (maker,), (taker,) = desk.fills(ALICE), desk.fills(BOB)
    assert [maker[k] for k in ("tid", "time", "hash")] == [
        taker[k] for k in ("tid", "time", "hash")
    ]
    assert maker == {
        "coin": "BTC", "px": "84000.0", "sz": "0.1", "side": "A", "time": desk.now_ms,
        "startPosition": "0.0", "dir": "Open Short", "closedPnl": "0.0", "hash": maker["hash"],
        "oid": 1_000_001, "crossed": False, "fee": "1.26", "tid": maker["tid"],
        "cloid": cloid(1), "feeToken": "USDC", "twapId": None,
    }  # fmt: skip
    assert (taker["crossed"], taker["fee"], taker["dir"]) == (True, "3.78", "Open Long")
    assert "cloid" not in taker
    printed = next(o for o in desk.outputs if isinstance(o, Printed))
    assert printed.trades[0].users == (BOB, ALICE)
    assert printed.trades[0].side == "B"
    assert printed.trades[0].tid == maker["tid"]


def test_fees_are_in_the_dex_token_at_its_scale(desk: Desk) -> None:
    desk.place(ALICE, order(HYNA_BTC, "A", "84000", "0.1"), order(NVDA, "A", "182", "10"))
    desk.place(
        BOB,
        order(HYNA_BTC, "B", "84000", "0.1", tif="Gtc"),
        order(NVDA, "B", "182", "10", tif="Gtc"),
    )
    hyna, nvda = desk.fills(ALICE)
    assert (hyna["feeToken"], hyna["fee"]) == ("USDE", "1.399986")
    assert (nvda["feeToken"], nvda["fee"]) == ("USDC", "0.0546")


def test_flow_gets_no_rows_but_prints(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "A", "84000", "0.1"))
    desk.flow("BTC", Side.BID, "84000", "0.03", tif="Ioc")
    desk.block()
    assert [fill["sz"] for fill in desk.fills(ALICE)] == ["0.03"]
    assert desk.order_rows(ALICE) == []
    printed = next(o for o in desk.outputs if isinstance(o, Printed))
    assert printed.trades[0].users[1] == ALICE
    assert printed.trades[0].users[0] not in desk.exchange.floor.accounts


def test_self_trade_cancels_the_resting_order(desk: Desk) -> None:
    own = desk.place(ALICE, order(BTC, "A", "84000", "0.1"))[0]["resting"]["oid"]
    status = desk.place(ALICE, order(BTC, "B", "84000", "0.1", tif="Gtc"))[0]
    assert "resting" in status
    assert desk.fills(ALICE) == []
    assert (own, "selfTradeCanceled", "0.1") in desk.order_rows(ALICE)
    assert NonUserCancel(ALICE, Coin("BTC"), own) in desk.outputs
    assert desk.szi(ALICE, "BTC") == "0.0"


def test_fills_of_one_ms_chain_by_start_position(desk: Desk) -> None:
    desk.place(ALICE, *(order(BTC, "A", str(84000 + i), "0.1") for i in range(3)))
    desk.place(BOB, order(BTC, "B", "84002", "0.3", tif="Ioc"))
    assert [fill["startPosition"] for fill in desk.fills(BOB)] == ["0.0", "0.1", "0.2"]
    assert len({fill["tid"] for fill in desk.fills(BOB)}) == 3


def test_a_tape_fill_is_booked_without_a_print(desk: Desk) -> None:
    oid = desk.place(ALICE, order(BTC, "A", "84000", "0.1"))[0]["resting"]["oid"]
    maker = desk.exchange.floor.markets[Coin("BTC")].cancel(oid)
    assert maker is not None
    maker.sz -= Decimal("0.04")
    fill = Execution(Side.BID, maker.px, Decimal("0.04"), maker, None)
    desk.exchange.tape_fill(Coin("BTC"), (fill,), desk.now_ms + 70)
    desk.block()
    assert [row["sz"] for row in desk.fills(ALICE)] == ["0.04"]
    assert not any(isinstance(o, Printed) for o in desk.outputs)
    assert desk.order_rows(ALICE) == []
    maker.sz -= Decimal("0.06")
    last = Execution(Side.BID, maker.px, Decimal("0.06"), maker, None)
    desk.exchange.tape_fill(Coin("BTC"), (last,), desk.now_ms + 70)
    desk.block()
    assert desk.order_rows(ALICE) == [(oid, "filled", "0.0")]
    assert AccountChanged(ALICE, "", orders=True, money=True) in desk.outputs
    assert desk.szi(ALICE, "BTC") == "-0.1"
    tids = [row["tid"] for row in desk.ask("userFills", user=ALICE)]
    assert len(set(tids)) == 2


def test_a_tape_cannot_fill_reduce_only_beyond_the_position(desk: Desk) -> None:
    desk.flow("BTC", Side.ASK, "84000", "0.1")
    desk.place(ALICE, order(BTC, "B", "84000", "0.1", tif="Ioc"))
    oid = desk.place(ALICE, order(BTC, "A", "84100", "0.1", reduce_only=True))[0]["resting"]["oid"]
    floor = desk.exchange.floor
    maker = floor.markets[Coin("BTC")].cancel(oid)
    assert maker is not None
    maker.sz = Decimal(0)
    fills = [Execution(Side.BID, maker.px, Decimal(sz), maker, None) for sz in ("0.08", "0.05")]
    assert [str(e.sz) for e in within_reduce_only(floor, fills)] == ["0.08", "0.02"]
    assert maker.sz == Decimal("0.03")
