"""The tables of ``ledger.db``: what they hold, and for how long.

Money and sizes are TEXT, exact, in the DEX's collateral; beliefs (marks, mids) are REAL; times are
the venue's milliseconds. Every row has a natural key, so reading a record twice changes nothing.
The view ``pnl`` shows the books as numbers, for whoever opens the file with another tool.

    kept for good        fill, funding, funding_day, moved, cash_base, book, day_open, peak, cursor:
                         they are the product
    kept for a time      RETENTION, counted from the table's newest row
"""

import sqlite3
from typing import Final

from fleet.ledger.book import Book

VERSION: Final = 2
DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000

RETENTION: Final = (
    ("market_mark", "minute_ms", 3 * DAY_MS),
    ("equity", "minute_ms", 90 * DAY_MS),
    ("order_event", "status_ms", 7 * DAY_MS),
    ("event", "wall_ms", 90 * DAY_MS),
)

BOOK_FIELDS: Final = Book.__struct_fields__
_BOOK_COLUMNS: Final = ", ".join(
    f"{name} {'INTEGER' if isinstance(default, int) else 'TEXT'} NOT NULL"
    for name, default in zip(BOOK_FIELDS, Book.__struct_defaults__, strict=True)
)

_SINCE_2: Final = (
    """CREATE TABLE moved (
        time_ms INTEGER NOT NULL, hash TEXT NOT NULL, what TEXT NOT NULL, dex TEXT NOT NULL,
        token TEXT NOT NULL, amount TEXT NOT NULL,
        PRIMARY KEY (time_ms, hash, what, dex, token, amount)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE cash_base (
        dex TEXT PRIMARY KEY, token TEXT NOT NULL, as_of_ms INTEGER NOT NULL,
        raw_usd TEXT NOT NULL, account_value TEXT NOT NULL, token_mark_usd REAL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE peak (
        id INTEGER PRIMARY KEY CHECK (id = 1), minute_ms INTEGER NOT NULL, peak_usd REAL NOT NULL,
        peak_ms INTEGER NOT NULL, net_usd REAL NOT NULL, moved_usd REAL NOT NULL
    ) STRICT""",
)
"""Tables that version 1 had not."""

_FROM_1: Final = (
    "ALTER TABLE fill ADD COLUMN mid_1s_px REAL",
    "ALTER TABLE fill ADD COLUMN mid_10s_px REAL",
    "ALTER TABLE fill ADD COLUMN mid_60s_px REAL",
    "ALTER TABLE equity ADD COLUMN token_mark_usd REAL",
    *_SINCE_2,
)

_TABLES: Final = (
    """CREATE TABLE cursor (
        id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, wall_ns INTEGER NOT NULL,
        since_ms INTEGER NOT NULL, duplicates INTEGER NOT NULL, pruned_ms INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE fill (
        market TEXT NOT NULL, time_ms INTEGER NOT NULL, tid INTEGER NOT NULL, oid INTEGER NOT NULL,
        cloid TEXT, side TEXT NOT NULL, px TEXT NOT NULL, sz TEXT NOT NULL, fee TEXT NOT NULL,
        fee_token TEXT NOT NULL, crossed INTEGER NOT NULL, start_position_sz TEXT NOT NULL,
        closed_pnl TEXT NOT NULL, ours INTEGER NOT NULL, mid_px REAL, seq INTEGER NOT NULL,
        mid_1s_px REAL, mid_10s_px REAL, mid_60s_px REAL, PRIMARY KEY (market, time_ms, tid, oid)
    ) STRICT, WITHOUT ROWID""",
    f"CREATE TABLE book (market TEXT PRIMARY KEY, {_BOOK_COLUMNS}) STRICT, WITHOUT ROWID",
    f"""CREATE TABLE day_open (
        market TEXT NOT NULL, day_ms INTEGER NOT NULL, {_BOOK_COLUMNS}, PRIMARY KEY (market, day_ms)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE funding (
        market TEXT NOT NULL, time_ms INTEGER NOT NULL, usdc TEXT NOT NULL, szi TEXT NOT NULL,
        rate TEXT NOT NULL, PRIMARY KEY (market, time_ms)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE funding_day (
        market TEXT NOT NULL, day_ms INTEGER NOT NULL, usdc TEXT NOT NULL,
        PRIMARY KEY (market, day_ms)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE market_mark (
        market TEXT NOT NULL, minute_ms INTEGER NOT NULL, venue_ms INTEGER NOT NULL, bid_px REAL,
        ask_px REAL, mark_px REAL, PRIMARY KEY (market, minute_ms)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE equity (
        dex TEXT NOT NULL, minute_ms INTEGER NOT NULL, as_of_ms INTEGER NOT NULL,
        token TEXT NOT NULL, account_value TEXT NOT NULL, raw_usd TEXT NOT NULL,
        margin_used TEXT NOT NULL, token_mark_usd REAL, PRIMARY KEY (dex, minute_ms)
    ) STRICT, WITHOUT ROWID""",
    *_SINCE_2,
    """CREATE TABLE order_event (
        market TEXT NOT NULL, oid INTEGER NOT NULL, status TEXT NOT NULL,
        status_ms INTEGER NOT NULL, cloid TEXT, PRIMARY KEY (market, oid, status, status_ms)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX order_event_by_time ON order_event (status_ms)",
    """CREATE TABLE event (
        wall_ms INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, market TEXT,
        generation INTEGER, detail TEXT NOT NULL, PRIMARY KEY (wall_ms, seq)
    ) STRICT, WITHOUT ROWID""",
    """CREATE VIEW pnl AS SELECT market, CAST(position_sz AS REAL) AS position_sz,
        CAST(realized AS REAL) AS realized, CAST(fees AS REAL) AS fees,
        (SELECT COALESCE(SUM(CAST(usdc AS REAL)), 0) FROM funding_day
          WHERE funding_day.market = book.market) AS funding,
        CAST(volume AS REAL) AS volume, fills, taker_fills, foreign_fills, gaps FROM book""",
)


class ForeignSchema(Exception):
    """The file is a ledger of another version."""


def open_writer(path: str) -> sqlite3.Connection:
    """Open or create the ledger for its one writer; transactions are the caller's.

    Raises sqlite3.DatabaseError if the file is damaged, ForeignSchema if it is another version's.
    """
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables == 0:
            _create(connection)
        elif version == 1:
            _carry_over(connection)
        elif version != VERSION:
            raise ForeignSchema(f"schema {version}, this build writes {VERSION}")
        (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(answer)
    except BaseException:
        connection.close()
        raise
    return connection


def _carry_over(connection: sqlite3.Connection) -> None:
    """A ledger of version 1: what it holds stays; what it lacks begins now."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in _FROM_1:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO cursor VALUES (1, -1, 0, 0, 0, 0)")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
