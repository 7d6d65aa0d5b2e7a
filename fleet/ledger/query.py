"""Reading ``ledger.db``: each market's P&L, since the ledger's start and of the UTC day.

    total = realized + unrealized - fees + funding          unrealized = position·mark - cost

Everything is exact and in the DEX's collateral, as ``Decimal``; only a mark is a belief, and comes
from the caller. Readers never write, and never wait for the writer.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Context, Decimal, Inexact, localcontext
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from fleet.ledger.book import Book
from fleet.ledger.schema import BOOK_FIELDS, DAY_MS

_ZERO: Final = Decimal(0)
EXACT: Final = Context(prec=80, traps=[Inexact])
_BOOK: Final = ", ".join(BOOK_FIELDS)


class LedgerUnreadable(Exception):
    """The ledger is there and cannot be read (damaged, locked, another version): one line."""


class MarketPnl(msgspec.Struct, frozen=True):
    """One market. ``fills``, ``taker_fills``, ``volume_usd`` count this fleet's own orders.

    ``cost_usd`` is what the open position cost, signed as the position. ``gaps``: fills that the
    ledger has not seen, found by the position before a later one. ``inherited_sz``: what was held
    before the first fill, plus the gaps. ``day_open_*`` is the state at the day's start; its mark
    is the last one seen before, or the day's first one, or None.
    """

    since_ms: int
    position_sz: Decimal
    cost_usd: Decimal
    entry_px: Decimal | None
    realized_usd: Decimal
    fees_usd: Decimal
    funding_usd: Decimal
    fills: int
    taker_fills: int
    foreign_fills: int
    volume_usd: Decimal
    inherited_sz: Decimal
    gaps: int
    last_fill_ms: int | None
    day_ms: int
    day_realized_usd: Decimal
    day_fees_usd: Decimal
    day_funding_usd: Decimal
    day_fills: int
    day_taker_fills: int
    day_volume_usd: Decimal
    day_open_position_sz: Decimal
    day_open_cost_usd: Decimal
    day_open_mark_px: float | None


class DexEquity(msgspec.Struct, frozen=True):
    """One DEX's account in its own token: the latest frame, and the last one before the day."""

    token: str
    as_of_ms: int
    account_value: Decimal
    raw_usd: Decimal
    margin_used: Decimal
    day_open_ms: int | None
    day_open_account_value: Decimal | None


class LedgerState(msgspec.Struct, frozen=True):
    """How far the ledger is: the log's last record in it, and fills told to it again."""

    seq: int
    wall_ms: int
    since_ms: int
    duplicates: int


@contextmanager
def reading(ledger_db: Path) -> Iterator[sqlite3.Connection | None]:
    """A read-only connection; None where there is no ledger yet."""
    if not ledger_db.exists():
        yield None
        return
    try:
        db = sqlite3.connect(f"file:{quote(str(ledger_db))}?mode=ro", uri=True, timeout=0.2)
        try:
            db.execute("BEGIN")
            (made,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            yield db if made else None
        finally:
            db.close()
    except sqlite3.Error as error:
        raise LedgerUnreadable(f"{ledger_db} cannot be read ({error})") from error


def markets(ledger_db: Path, now_ms: int | None = None) -> dict[str, MarketPnl]:
    """Every market that has a fill or a funding payment. None are known where there is no ledger.

    The UTC day is that of ``now_ms``, by default of the newest thing that the ledger saw.
    Raises LedgerUnreadable.
    """
    with reading(ledger_db) as db, localcontext(EXACT):
        if db is None:
            return {}
        day_ms = _day_ms(db, now_ms)
        (since_ms,) = db.execute("SELECT since_ms FROM cursor").fetchone()
        rows = db.execute(f"SELECT market, {_BOOK} FROM book")  # noqa: S608 - our own columns
        books = {str(row[0]): _book(row[1:]) for row in rows}
        opens = {
            str(row[0]): _book(row[1:])
            for row in db.execute(
                f"SELECT market, {_BOOK} FROM day_open AS o WHERE day_ms = (SELECT min(day_ms) "  # noqa: S608
                "FROM day_open WHERE market = o.market AND day_ms >= ?)",
                (day_ms,),
            )
        }
        funding = _funding(db, day_ms)
        return {
            market: _pnl(
                since_ms=int(since_ms),
                day_ms=day_ms,
                book=(book := books.get(market, Book())),
                opened=opens.get(market, book),
                funding=funding.get(market, (_ZERO, _ZERO)),
                mark_px=_mark_at(db, market, day_ms),
            )
            for market in sorted(books.keys() | funding.keys())
        }


def _day_ms(db: sqlite3.Connection, now_ms: int | None) -> int:
    if now_ms is None:
        row = db.execute(
            "SELECT max(COALESCE((SELECT max(venue_ms) FROM market_mark), 0), "
            "COALESCE((SELECT max(last_ms) FROM book), 0))"
        ).fetchone()
        now_ms = int(row[0])
    return now_ms - now_ms % DAY_MS


def _book(row: tuple[object, ...]) -> Book:
    return msgspec.convert(dict(zip(BOOK_FIELDS, row, strict=True)), Book)


def _funding(db: sqlite3.Connection, day_ms: int) -> dict[str, tuple[Decimal, Decimal]]:
    """Market -> (all of it, the day's)."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for market, of_day_ms, text in db.execute("SELECT market, day_ms, usdc FROM funding_day"):
        total, of_day = sums.get(str(market), (_ZERO, _ZERO))
        usdc = Decimal(text)
        sums[str(market)] = (total + usdc, of_day + usdc if of_day_ms == day_ms else of_day)
    return sums


def _mark_at(db: sqlite3.Connection, market: str, day_ms: int) -> float | None:
    for side, order in (("<", "DESC"), (">=", "ASC")):
        row = db.execute(
            f"SELECT mark_px FROM market_mark WHERE market = ? AND minute_ms {side} ? "  # noqa: S608
            f"AND mark_px IS NOT NULL ORDER BY minute_ms {order} LIMIT 1",
            (market, day_ms),
        ).fetchone()
        if row:
            return float(row[0])
    return None


def _pnl(
    *,
    since_ms: int,
    day_ms: int,
    book: Book,
    opened: Book,
    funding: tuple[Decimal, Decimal],
    mark_px: float | None,
) -> MarketPnl:
    return MarketPnl(
        since_ms=since_ms,
        position_sz=book.position_sz,
        cost_usd=book.cost,
        entry_px=book.entry_px,
        realized_usd=book.realized,
        fees_usd=book.fees,
        funding_usd=funding[0],
        fills=book.fills,
        taker_fills=book.taker_fills,
        foreign_fills=book.foreign_fills,
        volume_usd=book.volume,
        inherited_sz=book.inherited_sz,
        gaps=book.gaps,
        last_fill_ms=book.last_ms or None,
        day_ms=day_ms,
        day_realized_usd=book.realized - opened.realized,
        day_fees_usd=book.fees - opened.fees,
        day_funding_usd=funding[1],
        day_fills=book.fills - opened.fills,
        day_taker_fills=book.taker_fills - opened.taker_fills,
        day_volume_usd=book.volume - opened.volume,
        day_open_position_sz=opened.position_sz,
        day_open_cost_usd=opened.cost,
        day_open_mark_px=mark_px,
    )


def _marked(*, position_sz: Decimal, cost_usd: Decimal, mark_px: float | None) -> Decimal | None:
    """position·mark - cost; 0 when flat, whatever the mark."""
    if not position_sz:
        return -cost_usd
    with localcontext(EXACT):
        return None if mark_px is None else position_sz * Decimal(repr(mark_px)) - cost_usd


def unrealized_usd(pnl: MarketPnl, mark_px: float | None) -> Decimal | None:
    """Unrealised P&L of the open position at ``mark_px``; None if that is needed and not known."""
    return _marked(position_sz=pnl.position_sz, cost_usd=pnl.cost_usd, mark_px=mark_px)


def day_usd(pnl: MarketPnl, mark_px: float | None) -> Decimal | None:
    """P&L of the UTC day: its own realised, fees and funding, and the change of the unrealised."""
    now = unrealized_usd(pnl, mark_px)
    opened = _marked(
        position_sz=pnl.day_open_position_sz,
        cost_usd=pnl.day_open_cost_usd,
        mark_px=pnl.day_open_mark_px,
    )
    if now is None or opened is None:
        return None
    with localcontext(EXACT):
        return pnl.day_realized_usd - pnl.day_fees_usd + pnl.day_funding_usd + now - opened


def is_reconciled(pnl: MarketPnl, venue_position_sz: Decimal) -> bool:
    """True if our fills come to the venue's position, and none is missing on the way (I4)."""
    return pnl.gaps == 0 and pnl.position_sz == venue_position_sz


def dexes(ledger_db: Path, now_ms: int) -> dict[str, DexEquity]:
    """Each DEX's equity, by name (main: ""). Raises LedgerUnreadable."""
    with reading(ledger_db) as db:
        if db is None:
            return {}
        found: dict[str, DexEquity] = {}
        for dex, token, as_of_ms, value, raw, margin in db.execute(
            "SELECT dex, token, as_of_ms, account_value, raw_usd, margin_used FROM equity AS e "
            "WHERE minute_ms = (SELECT max(minute_ms) FROM equity WHERE dex = e.dex)"
        ):
            before = db.execute(
                "SELECT as_of_ms, account_value FROM equity WHERE dex = ? AND minute_ms < ? "
                "ORDER BY minute_ms DESC LIMIT 1",
                (dex, now_ms - now_ms % DAY_MS),
            ).fetchone()
            found[str(dex)] = DexEquity(
                token=str(token),
                as_of_ms=int(as_of_ms),
                account_value=Decimal(value),
                raw_usd=Decimal(raw),
                margin_used=Decimal(margin),
                day_open_ms=int(before[0]) if before else None,
                day_open_account_value=Decimal(before[1]) if before else None,
            )
        return found


def state(ledger_db: Path) -> LedgerState | None:
    """How far the ledger is; None where there is none. Raises LedgerUnreadable."""
    with reading(ledger_db) as db:
        if db is None:
            return None
        row = db.execute("SELECT seq, wall_ns, since_ms, duplicates FROM cursor").fetchone()
        seq, wall_ns, since_ms, duplicates = (int(value) for value in row)
        return LedgerState(seq, wall_ns // 1_000_000, since_ms, duplicates)
