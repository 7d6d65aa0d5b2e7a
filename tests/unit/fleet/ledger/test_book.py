"""One market's book: positions, costs and realised P&L worked out by hand."""

from decimal import Decimal

import pytest

from agents.market.types import Coin, Fill, Oid, Side, Tid
from fleet.ledger.book import Book, Booked, chained, fold, plain


def booked(
    signed_sz: str, px: str, *, start: str, at_ms: int = 1, tid: int = 1, fee: str = "0",
    ours: bool = True, crossed: bool = False,
) -> Booked:  # fmt: skip
    sz = Decimal(signed_sz)
    fill = Fill(
        coin=Coin("BTC"), side=Side.BID if sz > 0 else Side.ASK, px=Decimal(px), sz=abs(sz),
        time_ms=at_ms, tid=Tid(tid), oid=Oid(tid), cloid=None, fee=Decimal(fee), fee_token="USDC",
        crossed=crossed, start_position_sz=Decimal(start), closed_pnl=Decimal(0),
    )  # fmt: skip
    return Booked(fill, ours=ours)


def shown(*values: object) -> str:
    return " ".join(plain(v) if isinstance(v, Decimal) else str(v) for v in values)


def test_a_round_trip_realises_the_difference_without_fees() -> None:
    book = fold(
        Book(),
        [
            booked("2", "100", start="0", at_ms=1, fee="0.03"),
            booked("-2", "101.5", start="2", at_ms=2, fee="-0.01"),
        ],
    )
    assert book.realized == Decimal(3)
    assert book.fees == Decimal("0.02")
    assert shown(book.position_sz, book.cost, book.entry_px) == "0 0 None"
    assert book.volume == Decimal(403)


def test_adding_averages_the_entry_and_closing_leaves_it() -> None:
    opened = fold(
        Book(),
        [booked("1", "100", start="0", at_ms=1), booked("3", "104", start="1", at_ms=2)],
    )
    assert opened.entry_px == Decimal(103)
    closed = fold(opened, [booked("-1", "105", start="4", at_ms=3)])
    assert closed.entry_px == Decimal(103)
    assert closed.realized == Decimal(2)


def test_a_short_gains_when_bought_back_lower() -> None:
    book = fold(
        Book(),
        [booked("-5", "10", start="0", at_ms=1), booked("2", "9", start="-5", at_ms=2)],
    )
    assert shown(book.position_sz, book.realized, book.entry_px) == "-3 2 10"


def test_turning_round_closes_the_old_side_and_opens_the_new_at_the_fill() -> None:
    book = fold(
        Book(),
        [booked("1", "100", start="0", at_ms=1), booked("-3", "110", start="1", at_ms=2)],
    )
    assert shown(book.position_sz, book.realized, book.entry_px) == "-2 10 110"


def test_what_was_held_before_the_first_fill_is_inherited_at_its_price() -> None:
    book = fold(Book(), [booked("-1", "50", start="3")])
    assert shown(book.position_sz, book.inherited_sz, book.inherited_cost) == "2 3 150"
    assert shown(book.realized, book.entry_px, book.gaps) == "0 50 0"


def test_incident_84_a_fill_never_seen_is_a_gap_and_the_position_is_the_venues() -> None:
    book = fold(
        Book(),
        [booked("1", "100", start="0", at_ms=1), booked("1", "100", start="3", at_ms=2)],
    )
    assert shown(book.position_sz, book.gaps, book.inherited_sz) == "4 1 2"


def test_incident_13_foreign_fills_move_the_position_but_are_not_counted_as_ours() -> None:
    book = fold(Book(), [booked("1", "100", start="0", ours=False, crossed=True)])
    assert shown(book.position_sz, book.fills, book.taker_fills, book.volume) == "1 0 0 0"
    assert book.foreign_fills == 1


def test_taker_fills_of_ours_are_counted() -> None:
    book = fold(Book(), [booked("1", "100", start="0", crossed=True)])
    assert book.taker_fills == 1


def test_fills_of_one_millisecond_are_chained_by_the_position_before_each() -> None:
    told = [
        booked("-3", "12", start="3", tid=1),
        booked("1", "10", start="0", tid=3),
        booked("2", "11", start="1", tid=2),
    ]
    assert [b.fill.start_position_sz for b in chained(Decimal(0), told)] == [0, 1, 3]
    assert fold(Book(), told).gaps == 0


def test_a_chain_that_passes_a_position_twice_takes_every_fill() -> None:
    told = [
        booked("1", "10", start="0", tid=1),
        booked("2", "10", start="0", tid=2),
        booked("-1", "10", start="1", tid=3),
    ]
    assert [b.fill.tid for b in chained(Decimal(0), told)] == [1, 3, 2]


def test_the_first_chain_seen_begins_where_it_began_and_not_at_zero() -> None:
    told = [booked("1", "10", start="0", tid=1), booked("2", "10", start="-2", tid=2)]
    assert [b.fill.tid for b in chained(Decimal(0), told)] == [2, 1]
    assert shown(fold(Book(), told).position_sz, fold(Book(), told).gaps) == "1 0"


def test_a_broken_chain_still_takes_every_fill_once() -> None:
    told = [booked("1", "10", start="7", tid=1), booked("1", "10", start="3", tid=2)]
    assert sorted(b.fill.tid for b in chained(Decimal(0), told)) == [1, 2]


def test_thirds_lose_nothing_to_rounding() -> None:
    fills = [booked("3", "100.01", start="0", at_ms=1)]
    fills += [booked("-1", "100", start=str(3 - n), at_ms=2 + n) for n in range(3)]
    assert fold(Book(), fills).realized == Decimal("-0.03")


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.10", "0.1"), ("-0", "0"), ("1E+3", "1000"), ("0E-12", "0"), ("-2.500", "-2.5")],
)
def test_plain_has_one_text_for_equal_values(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text
