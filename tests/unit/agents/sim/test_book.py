"""Price-time priority, post-only, IOC, self-trade prevention, and the reduce-only cap."""

from decimal import Decimal

import pytest

from agents.market.types import Coin, Side
from agents.sim.book import OrderBook
from agents.sim.market import Placement, RestingOrder, Tif, Touch
from tests.unit.agents.sim.desk import make_resting


class Book:
    def __init__(self) -> None:
        self.book = OrderBook(Coin("X"))
        self.oid = 0

    def put(self, side: str, px: str, sz: str, tif: Tif = "Gtc", owner: str = "a") -> Placement:
        return self.book.place(self.order(side, px, sz, tif, owner), 0)

    def order(
        self, side: str, px: str, sz: str, tif: Tif = "Gtc", owner: str = "a"
    ) -> RestingOrder:
        self.oid += 1
        return make_resting(self.oid, Side(side), px, sz, tif=tif, owner=owner)


def shown(levels: list[Touch]) -> list[tuple[str, str, int]]:
    return [(str(level.px), str(level.sz), level.n) for level in levels]


@pytest.fixture
def book() -> Book:
    return Book()


def test_best_price_first_then_first_come(book: Book) -> None:
    book.put("A", "101", "1")
    book.put("A", "100", "1")
    book.put("A", "100", "2")
    placement = book.put("B", "101", "3.5", owner="b")
    matched = [
        (execution.maker.oid, str(execution.px), str(execution.sz))
        for execution in placement.executions
        if execution.maker is not None
    ]
    assert matched == [(2, "100", "1"), (3, "100", "2"), (1, "101", "0.5")]
    assert not placement.resting
    assert shown(book.book.levels()[1]) == [("101", "0.5", 1)]


def test_bids_match_from_the_highest(book: Book) -> None:
    book.put("B", "99", "1")
    book.put("B", "100", "1")
    placement = book.put("A", "99", "1", owner="b")
    assert placement.executions[0].px == 100
    assert placement.executions[0].side is Side.ASK
    assert placement.executions[0].maker_sz_before == 1


def test_alo_is_refused_where_it_would_match_and_rests_otherwise(book: Book) -> None:
    book.put("A", "100", "1")
    refused = book.put("B", "100", "1", "Alo", "b")
    assert refused.refusal == "alo"
    assert not refused.resting
    assert book.book.touch() == (None, Touch(Decimal(100), Decimal(1), 1))
    assert book.put("B", "99", "1", "Alo", "b").resting


def test_alo_is_refused_even_where_only_its_own_order_stands(book: Book) -> None:
    book.put("A", "100", "1", owner="me")
    assert book.put("B", "100", "1", "Alo", "me").refusal == "alo"
    assert book.book.touch()[1] is not None


def test_ioc_drops_its_remainder_and_is_refused_without_a_match(book: Book) -> None:
    book.put("A", "100", "1")
    part = book.put("B", "100", "3", "Ioc", "b")
    assert part.refusal is None
    assert not part.resting
    assert book.book.levels() == ([], [])
    assert book.put("B", "100", "3", "Ioc", "b").refusal == "ioc"


def test_gtc_rests_what_is_left(book: Book) -> None:
    book.put("A", "100", "1")
    placement = book.put("B", "100", "3", "Gtc", "b")
    assert placement.resting
    assert shown(book.book.levels()[0]) == [("100", "2", 1)]


def test_own_resting_orders_are_cancelled_not_traded(book: Book) -> None:
    book.put("A", "100", "1", owner="me")
    book.put("A", "100", "1", owner="other")
    placement = book.put("B", "100", "1.5", owner="me")
    assert [order.oid for order in placement.self_cancelled] == [1]
    assert [str(execution.sz) for execution in placement.executions] == ["1"]
    assert book.book.order(1) is None
    assert shown(book.book.levels()[0]) == [("100", "0.5", 1)]


def test_cancel_takes_an_order_out_once(book: Book) -> None:
    book.put("B", "99", "1")
    book.put("B", "99", "2")
    book.put("B", "98", "1")
    cancelled = book.book.cancel(1)
    assert cancelled is not None
    assert cancelled.sz == 1
    assert book.book.cancel(1) is None
    assert shown(book.book.levels()[0]) == [("99", "2", 1), ("98", "1", 1)]
    book.book.cancel(3)
    assert shown(book.book.levels()[0]) == [("99", "2", 1)]


def test_trim_keeps_the_place_in_the_queue(book: Book) -> None:
    book.put("A", "100", "5", owner="me")
    book.put("A", "100", "1", owner="other")
    book.book.trim(1, Decimal(2))
    assert shown(book.book.levels()[1]) == [("100", "3", 2)]
    first = book.put("B", "100", "1", owner="b").executions[0].maker
    assert first is not None
    assert first.oid == 1


def test_depth_bounds_the_levels(book: Book) -> None:
    for px in range(90, 100):
        book.put("B", str(px), "1")
    assert [level.px for level in book.book.levels(3)[0]] == [99, 98, 97]


def test_a_reduce_only_maker_matches_no_more_than_its_cap() -> None:
    caps = {1: Decimal("0.4"), 2: Decimal(0)}
    book = OrderBook(Coin("X"), lambda maker, _executions: caps.get(maker.oid, maker.sz))
    for oid in (1, 2):
        book.place(make_resting(oid, Side.ASK, "100", "1", owner="me", reduce_only=True), 0)
    book.place(make_resting(3, Side.ASK, "100", "1", owner="other"), 0)
    placement = book.place(make_resting(4, Side.BID, "100", "1", owner="b"), 0)
    assert [
        (execution.maker.oid, str(execution.sz))
        for execution in placement.executions
        if execution.maker is not None
    ] == [(1, "0.4"), (3, "0.6")]
    assert book.order(1) is None
    assert book.order(2) is None
    assert shown(book.levels()[1]) == [("100", "0.4", 1)]


def test_a_book_of_orders_is_never_dark(book: Book) -> None:
    assert not book.book.dark()
