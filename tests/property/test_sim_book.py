"""Invariants of the order book over random arrivals, checked against a plain list of orders."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agents.market.types import Coin, Side
from agents.sim.book import OrderBook
from agents.sim.market import RestingOrder, Tif

TIFS: tuple[Tif, ...] = ("Gtc", "Alo", "Ioc")
arrivals = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(Side),
            st.integers(95, 105),
            st.integers(1, 5),
            st.sampled_from(TIFS),
            st.sampled_from("abc"),
        ),
        st.integers(0, 40),  # cancel the order of this id
    ),
    min_size=20,
    max_size=60,
)


class Naive:
    """The rules again, as slowly and plainly as possible."""

    def __init__(self) -> None:
        self.resting: list[RestingOrder] = []

    def place(self, order: RestingOrder) -> list[tuple[int, Decimal, Decimal]]:
        sign = order.side.sign
        others = sorted(
            (o for o in self.resting if o.side is not order.side and sign * (order.px - o.px) >= 0),
            key=lambda o: (sign * o.px, o.oid),
        )
        matched: list[tuple[int, Decimal, Decimal]] = []
        if order.tif == "Alo":
            if not others:
                self.resting.append(order)
            return matched
        for maker in others:
            if not order.sz:
                break
            if maker.owner == order.owner:
                self.resting.remove(maker)
                continue
            sz = min(order.sz, maker.sz)
            matched.append((maker.oid, maker.px, sz))
            maker.sz -= sz
            order.sz -= sz
            if not maker.sz:
                self.resting.remove(maker)
        if order.tif == "Gtc" and order.sz:
            self.resting.append(order)
        return matched


def make(oid: int, side: Side, px: int, sz: int, tif: Tif, owner: str) -> RestingOrder:
    size = Decimal(sz) / 10
    return RestingOrder(oid, owner, side, Decimal(px), size, size, 0, tif=tif)


@given(arrivals)
def test_the_book_follows_the_plain_rules_and_is_never_crossed(
    steps: list[tuple[Side, int, int, Tif, str] | int],
) -> None:
    book, naive = OrderBook(Coin("X")), Naive()
    for oid, step in enumerate(steps):
        if isinstance(step, int):
            known = [order for order in naive.resting if order.oid == step]
            assert (book.cancel(step) is not None) == bool(known)
            naive.resting = [order for order in naive.resting if order.oid != step]
            continue
        placed = make(oid, *step)
        placement = book.place(placed, 0)
        matched = [(e.maker.oid, e.px, e.sz) for e in placement.executions if e.maker is not None]
        assert matched == naive.place(make(oid, *step))
        # Size is conserved: what was placed is matched, rests, or is told to be neither.
        assert sum((sz for _, _, sz in matched), Decimal(0)) + placed.sz == placed.orig_sz
        assert placement.resting == any(order.oid == oid for order in naive.resting)
        bid, ask = book.touch()
        assert bid is None or ask is None or bid.px < ask.px
    for side, levels in zip(Side, book.levels(100), strict=True):
        expected: dict[Decimal, list[Decimal]] = {}
        for order in naive.resting:
            if order.side is side:
                expected.setdefault(order.px, []).append(order.sz)
        shown = [(level.px, level.sz, level.n) for level in levels]
        best_first = sorted(expected, reverse=side is Side.BID)
        assert shown == [(px, sum(expected[px]), len(expected[px])) for px in best_first]
