"""The writer: each record once, in one transaction with the place, in whatever order it comes."""

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid
from fleet.gateway.framing import Record
from fleet.gateway.records import (
    Answered,
    Body,
    Equity,
    Filled,
    Funding,
    LatchSet,
    LeaseIssued,
    MarketSeen,
    OrderSeen,
)
from fleet.ledger.schema import DAY_MS
from fleet.ledger.writer import Ledger

DAY = 20_000 * DAY_MS


def filled(
    signed_sz: str, px: str, *, start: str, at_ms: int, tid: int, market: str = "BTC"
) -> Filled:
    sz = Decimal(signed_sz)
    fill = Fill(
        coin=Coin(market), side=Side.BID if sz > 0 else Side.ASK, px=Decimal(px), sz=abs(sz),
        time_ms=at_ms, tid=Tid(tid), oid=Oid(tid), cloid=Cloid("0xab"), fee=Decimal("0.01"),
        fee_token="USDC", crossed=False, start_position_sz=Decimal(start), closed_pnl=Decimal(0),
    )  # fmt: skip
    return Filled(fill=fill, ours=True, mid_px=float(px))


def records(*bodies: Body, first: int = 1) -> list[Record]:
    return [Record.of(n, (DAY + n) * 1_000_000, body) for n, body in enumerate(bodies, first)]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(path)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    tables = rows(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {str(name): sorted(rows(path, f"SELECT * FROM {name}")) for (name,) in tables}


BUY = filled("2", "100", start="0", at_ms=DAY + 10, tid=1)
SELL = filled("-1", "103", start="2", at_ms=DAY + 20, tid=2)
LATE = filled("-1", "101", start="2", at_ms=DAY + 15, tid=3)
AFTER_LATE = filled("-1", "103", start="1", at_ms=DAY + 20, tid=2)


def test_incident_06_a_fill_told_again_is_booked_once(ledger: Ledger, tmp_path: Path) -> None:
    ledger.apply(records(BUY, BUY))
    ledger.apply(records(BUY, SELL, first=3))
    path = tmp_path / "ledger.db"
    assert rows(path, "SELECT position_sz, realized, fills FROM book") == [("1", "3", 2)]
    assert rows(path, "SELECT count(*) FROM fill") == [(2,)]
    assert rows(path, "SELECT seq, duplicates FROM cursor") == [(4, 2)]


def test_a_trade_id_of_zero_is_told_apart_by_order_and_time(ledger: Ledger, tmp_path: Path) -> None:
    ledger.apply(
        records(
            filled("1", "100", start="0", at_ms=DAY + 1, tid=0),
            filled("1", "100", start="1", at_ms=DAY + 2, tid=0),
            filled("1", "50", start="0", at_ms=DAY + 1, tid=0, market="xyz:NVDA"),
        )
    )
    assert rows(tmp_path / "ledger.db", "SELECT market, position_sz FROM book") == [
        ("BTC", "2"),
        ("xyz:NVDA", "1"),
    ]


def test_a_fill_that_comes_late_gives_the_same_book(ledger: Ledger, tmp_path: Path) -> None:
    ledger.apply(records(BUY, AFTER_LATE))
    assert rows(tmp_path / "ledger.db", "SELECT gaps FROM book") == [(1,)]
    ledger.apply(records(LATE, first=3))
    late = dump(tmp_path / "ledger.db")["book"]
    in_order = Ledger(tmp_path / "other.db")
    in_order.apply(records(BUY, LATE, AFTER_LATE))
    in_order.close()
    assert late == dump(tmp_path / "other.db")["book"]
    assert rows(tmp_path / "ledger.db", "SELECT position_sz, realized, gaps FROM book") == [
        ("0", "4", 0)
    ]


def test_a_late_fill_of_an_earlier_day_moves_every_day_behind_it(
    ledger: Ledger, tmp_path: Path
) -> None:
    days = [filled("1", "100", start=str(n), at_ms=DAY + n * DAY_MS, tid=n) for n in range(4)]
    ledger.apply(records(days[0], days[2], days[3]))
    ledger.apply(records(days[1], first=4))
    assert rows(
        tmp_path / "ledger.db", "SELECT position_sz, gaps FROM day_open ORDER BY day_ms"
    ) == [("0", 0), ("1", 0), ("2", 0), ("3", 0)]


def test_a_batch_that_fails_books_nothing_and_keeps_the_place(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.apply(records(BUY))
    torn = Record.of(3, 0, MarketSeen("BTC", None, 1.0, 2.0, 1.5))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        ledger.apply([*records(SELL, first=2), torn])
    assert rows(tmp_path / "ledger.db", "SELECT seq FROM cursor") == [(1,)]
    assert rows(tmp_path / "ledger.db", "SELECT fills FROM book") == [(1,)]
    ledger.apply(records(SELL, first=2))
    assert rows(tmp_path / "ledger.db", "SELECT fills FROM book") == [(2,)]


def test_funding_counts_once_and_by_day(ledger: Ledger, tmp_path: Path) -> None:
    paid = Funding("BTC", DAY - 1, Decimal("-0.5"), Decimal(2), Decimal("0.0001"))
    got = Funding("BTC", DAY + 1, Decimal("0.25"), Decimal(-2), Decimal("0.0001"))
    ledger.apply(records(paid, got, paid))
    assert rows(tmp_path / "ledger.db", "SELECT day_ms, usdc FROM funding_day") == [
        (DAY - DAY_MS, "-0.5"),
        (DAY, "0.25"),
    ]


def test_marks_and_equity_keep_the_last_of_each_minute(ledger: Ledger, tmp_path: Path) -> None:
    def equity(at_ms: int, value: str) -> Equity:
        return Equity("hyna", "USDE", at_ms, Decimal(value), Decimal(value), Decimal(0))

    ledger.apply(
        records(
            MarketSeen("BTC", DAY + 1_000, 1.0, 2.0, 1.5),
            MarketSeen("BTC", DAY + 3_000, 2.0, 3.0, None),
            MarketSeen("BTC", DAY + 2_000, 9.0, 9.0, 9.0),
            equity(DAY + 1, "10"),
            equity(DAY + 60_001, "11"),
            equity(DAY + 60_002, "12"),
        )
    )
    assert rows(tmp_path / "ledger.db", "SELECT venue_ms, bid_px, mark_px FROM market_mark") == [
        (DAY + 3_000, 2.0, 1.5)
    ]
    assert rows(tmp_path / "ledger.db", "SELECT as_of_ms, account_value FROM equity") == [
        (DAY + 1, "10"),
        (DAY + 60_002, "12"),
    ]


def test_what_has_a_retention_is_dropped_and_fills_are_not(ledger: Ledger, tmp_path: Path) -> None:
    old = records(BUY, OrderSeen("BTC", 1, None, "marginCanceled", DAY), LeaseIssued("BTC", 1, 99))
    ledger.apply(old)
    later = 100 * DAY_MS
    ledger.apply(
        [
            Record.of(
                4,
                (DAY + later) * 1_000_000,
                OrderSeen("BTC", 2, None, "marginCanceled", DAY + later),
            ),
            Record.of(5, (DAY + later) * 1_000_000, OrderSeen("BTC", 3, None, "open", DAY + later)),
            Record.of(6, (DAY + later) * 1_000_000, LatchSet("drill", "me")),
        ]
    )
    path = tmp_path / "ledger.db"
    assert rows(path, "SELECT oid FROM order_event") == [(2,)]
    assert rows(path, "SELECT kind FROM event") == [("halt",)]
    assert rows(path, "SELECT count(*) FROM fill") == [(1,)]


def test_reading_the_log_again_changes_no_book(ledger: Ledger, tmp_path: Path) -> None:
    told = records(
        BUY, SELL, OrderSeen("BTC", 1, "0xab", "selfTradeCanceled", DAY), LatchSet("x", "y"),
        Answered(nonce=1, answer="{}"), MarketSeen("BTC", DAY, 1.0, 2.0, 1.5),
    )  # fmt: skip
    ledger.apply(told)
    before = dump(tmp_path / "ledger.db")
    ledger.apply(told)
    after = dump(tmp_path / "ledger.db")
    before.pop("cursor")
    after.pop("cursor")
    assert after == before


def test_batches_of_any_size_give_the_same_ledger(tmp_path: Path) -> None:
    told = records(
        BUY, LATE, AFTER_LATE, Funding("BTC", DAY, Decimal(1), Decimal(1), Decimal(0)), BUY,
        filled("1", "99", start="0", at_ms=DAY + DAY_MS, tid=9), LatchSet("x", "y"),
    )  # fmt: skip
    dumps = []
    for size in (1, 2, 3, len(told)):
        path = tmp_path / f"{size}.db"
        ledger = Ledger(path)
        for at in range(0, len(told), size):
            ledger.apply(told[at : at + size])
        ledger.close()
        dumps.append(dump(path))
    assert all(one == dumps[0] for one in dumps)
