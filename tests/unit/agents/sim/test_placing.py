"""Orders of accounts: the venue's checks in its order, its texts, its answers and its rows."""

import pytest

from agents.market.types import Side
from tests.unit.agents.sim.desk import (
    ALICE,
    BOB,
    BTC,
    CRCL,
    HYNA_BTC,
    MATIC,
    NVDA,
    SOL,
    Desk,
    cloid,
    order,
)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_resting_order_answers_its_oid_and_gets_an_open_row(desk: Desk) -> None:
    status = desk.place(ALICE, order(BTC, "B", "83990", "0.1", cloid=cloid(1)))[0]
    assert status == {"resting": {"oid": 1_000_001, "cloid": cloid(1)}}
    assert desk.order_rows(ALICE) == [(1_000_001, "open", "0.1")]


def test_a_taker_answers_what_it_filled_and_is_opened_and_filled(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "A", "84000", "0.1"), order(BTC, "A", "84001", "0.1"))
    status = desk.place(BOB, order(BTC, "B", "84010", "0.15", tif="Ioc", cloid=cloid(2)))[0]
    assert status == {
        "filled": {"totalSz": "0.15", "avgPx": "84000.3", "oid": 1_000_003, "cloid": cloid(2)}
    }
    assert desk.order_rows(BOB) == [(1_000_003, "open", "0.15"), (1_000_003, "filled", "0.0")]
    # The maker that is only partly filled gets no order row.
    assert desk.order_rows(ALICE) == [(1_000_001, "filled", "0.0")]


def test_a_partly_filled_ioc_drops_the_rest_and_a_gtc_rests_it(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "A", "84000", "0.1"))
    ioc = desk.place(BOB, order(BTC, "B", "84000", "0.3", tif="Ioc"))[0]
    assert ioc["filled"]["totalSz"] == "0.1"
    assert [row[1:] for row in desk.order_rows(BOB)] == [("open", "0.3"), ("canceled", "0.2")]
    desk.place(ALICE, order(BTC, "A", "84000", "0.1"))
    gtc = desk.place(BOB, order(BTC, "B", "84000", "0.3", tif="Gtc"))[0]
    assert list(gtc) == ["resting"]
    assert desk.ask("openOrders", user=BOB)[0]["sz"] == "0.2"


def test_post_only_refusal_names_the_touch(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "A", "84001", "0.1"), order(BTC, "B", "84000", "0.1"))
    status = desk.place(BOB, order(BTC, "B", "84001", "0.1"))[0]
    text = "Post only order would have immediately matched, bbo was 84000@84001. asset=0"
    assert status == {"error": text}
    assert [row[1:] for row in desk.order_rows(BOB)] == [("badAloPxRejected", "0.1")]
    assert not desk.open_oids(BOB)


def refused(asset: int, px: str, sz: str, text: str, row: str | None, **terms: str) -> object:
    return pytest.param(order(asset, "B", px, sz, **terms), text, row, id=text[:40])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wire", "text", "row"),
    [
        refused(MATIC, "0.37", "100", "Trading is halted.", None),
        refused(BTC, "84000", "0", "Order has zero size.", None),
        refused(BTC, "84000", "0.000001", "Order has invalid size.", None),
        refused(SOL, "119.1234", "1", "Price must be divisible by tick size. asset=2",
                "tickRejected"),
        refused(NVDA, "182", "0.05", "Order must have minimum value of $10. asset=110002",
                "minTradeNtlRejected"),
        refused(SOL, "119", "5000000", "Order value too large. Max is $50000000.", None),
        refused(SOL, "119", "400000", "Insufficient margin to place order. asset=2",
                "perpMarginRejected"),
        refused(BTC, "84000", "0.1", "Order could not immediately match against any resting orders."
                " asset=0", "iocCancelRejected", tif="Ioc"),
        refused(BTC, "4199", "0.1",
                "Order price cannot be more than 95% away from the reference price", None),
        refused(99, "84000", "0.1", "Unknown asset. asset=99", None),
    ],
)  # fmt: skip
def test_refusals(desk: Desk, wire: dict[str, object], text: str, row: str | None) -> None:
    assert desk.place(ALICE, wire) == [{"error": text}]
    assert [found[1] for found in desk.order_rows(ALICE)] == ([] if row is None else [row])
    assert not desk.open_oids(ALICE)


def test_pre_validation_answers_once_for_the_whole_batch(desk: Desk) -> None:
    good, far = order(BTC, "B", "83000", "0.1"), order(BTC, "B", "1000", "0.1")
    assert len(desk.place(ALICE, good, far)) == 1
    assert not desk.open_oids(ALICE)
    assert desk.place(ALICE) == [{"error": "Orders are empty"}]


def test_a_batch_is_judged_item_by_item(desk: Desk) -> None:
    statuses = desk.place(
        ALICE, order(BTC, "B", "83000", "0.1"), order(BTC, "B", "83000.5", "0.1"),
        order(BTC, "B", "82999", "0.1"),
    )  # fmt: skip
    assert [next(iter(status)) for status in statuses] == ["resting", "error", "resting"]


def test_a_live_cloid_is_not_given_twice(desk: Desk) -> None:
    wire = order(BTC, "B", "83000", "0.1", cloid=cloid(7))
    oid = desk.place(ALICE, wire)[0]["resting"]["oid"]
    assert "error" in desk.place(ALICE, wire)[0]
    desk.act(ALICE, {"type": "cancel", "cancels": [{"a": BTC, "o": oid}]})
    assert "resting" in desk.place(ALICE, wire)[0]


def open_long(desk: Desk, sz: str) -> None:
    desk.flow("BTC", Side.ASK, "84000", sz)
    desk.place(ALICE, order(BTC, "B", "84000", sz, tif="Ioc"))
    assert desk.szi(ALICE, "BTC") == sz


def test_reduce_only_needs_a_position_of_the_other_side(desk: Desk) -> None:
    text = "Reduce only order would increase position. asset=0"
    sell = order(BTC, "A", "84100", "0.1", reduce_only=True)
    assert desk.place(ALICE, sell) == [{"error": text}]
    assert desk.order_rows(ALICE)[0][1] == "reduceOnlyRejected"
    open_long(desk, "0.1")
    assert desk.place(ALICE, order(BTC, "B", "83000", "0.1", reduce_only=True)) == [{"error": text}]
    assert "resting" in desk.place(ALICE, sell)[0]


def test_an_oversized_reduce_only_ioc_is_capped_to_the_position(desk: Desk) -> None:
    open_long(desk, "0.1")
    desk.flow("BTC", Side.BID, "84000", "5")
    status = desk.place(ALICE, order(BTC, "A", "84000", "0.2", tif="Ioc", reduce_only=True))[0]
    assert status["filled"]["totalSz"] == "0.1"
    assert desk.szi(ALICE, "BTC") == "0.0"


def test_closing_the_whole_position_needs_no_minimum(desk: Desk) -> None:
    open_long(desk, "0.001")
    desk.flow("BTC", Side.BID, "84000", "0.0009")
    desk.place(ALICE, order(BTC, "A", "84000", "0.0009", tif="Ioc", reduce_only=True))
    rest = order(BTC, "A", "84000", "0.0001")
    assert "error" in desk.place(ALICE, rest)[0]
    assert "resting" in desk.place(ALICE, rest | {"r": True})[0]


def test_older_reduce_only_orders_make_way(desk: Desk) -> None:
    open_long(desk, "0.1")
    sell = order(BTC, "A", "84100", "0.1", reduce_only=True)
    first, second = (s["resting"]["oid"] for s in desk.place(ALICE, sell, sell))
    assert desk.open_oids(ALICE) == [second]
    assert (first, "reduceOnlyCanceled", "0.1") in desk.order_rows(ALICE)


def test_a_reduce_only_order_is_trimmed_as_the_position_shrinks(desk: Desk) -> None:
    open_long(desk, "0.1")
    desk.place(ALICE, order(BTC, "A", "84100", "0.1", reduce_only=True))
    desk.flow("BTC", Side.BID, "84000", "0.04")
    desk.place(ALICE, order(BTC, "A", "84000", "0.04", tif="Ioc"))
    assert desk.ask("openOrders", user=ALICE)[0]["sz"] == "0.06"


def test_a_sweep_through_both_kinds_never_flips_by_reduce_only(desk: Desk) -> None:
    open_long(desk, "0.1")
    desk.place(
        ALICE, order(BTC, "A", "84100", "0.07"),
        order(BTC, "A", "84101", "0.1", reduce_only=True),
    )  # fmt: skip
    desk.flow("BTC", Side.BID, "84200", "1", tif="Ioc")
    desk.block()
    assert [fill["sz"] for fill in desk.fills(ALICE)] == ["0.07", "0.03"]
    assert desk.szi(ALICE, "BTC") == "0.0"
    assert not desk.open_oids(ALICE)


def test_margin_binds_resting_orders_of_both_sides_once(desk: Desk) -> None:
    desk = Desk(usd=1000)  # 20x: up to 20000 of notional
    assert "resting" in desk.place(ALICE, order(BTC, "B", "80000", "0.2"))[0]
    assert "resting" in desk.place(ALICE, order(BTC, "A", "88000", "0.2"))[0]
    text = "Insufficient margin to place order. asset=0"
    assert desk.place(ALICE, order(BTC, "B", "80000", "0.06")) == [{"error": text}]
    assert "resting" in desk.place(ALICE, order(BTC, "B", "80000", "0.05"))[0]


def test_each_dex_has_its_own_money(desk: Desk) -> None:
    desk = Desk(usd=100)
    for asset in (BTC, HYNA_BTC):
        assert "resting" in desk.place(ALICE, order(asset, "B", "80000", "0.02"))[0]
    assert "resting" in desk.place(ALICE, order(CRCL, "B", "86", "10"))[0]
    assert "error" in desk.place(ALICE, order(BTC, "B", "80000", "0.02"))[0]
    assert desk.open_oids(ALICE, "hyna")
