"""A ledger of the version before keeps what it holds."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from fleet.ledger import query
from fleet.ledger.cash import cash
from tests.unit.fleet.ledger.test_cash import frame
from tests.unit.fleet.ledger.test_query import TODAY, YESTERDAY, book


def _as_version_1(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        for column in ("mid_1s_px", "mid_10s_px", "mid_60s_px"):
            db.execute(f"ALTER TABLE fill DROP COLUMN {column}")
        db.execute("ALTER TABLE equity DROP COLUMN token_mark_usd")
        for table in ("moved", "cash_base", "peak"):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 1")
        db.commit()


def test_version_1_is_carried_over(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, *YESTERDAY)
    before = query.markets(path)
    _as_version_1(path)
    book(path, frame(0, "1000"))
    assert query.markets(path) == before
    book(path, *TODAY, frame(9, "1115.05"))
    assert query.markets(path)["BTC"].realized_usd == Decimal(15)
    assert cash(path)[""].drift == 0
    assert not path.with_name("ledger.db.aside").exists()
