"""Drawdown from the highest equity, net of what was put in and taken out; kept in the ledger.

    net equity = sum over DEXs of (account value - transfers since the ledger began) · token's mark
    drawdown   = (peak of the net equity - net equity) / (peak + what was moved in since)

so a withdrawal is no loss and a deposit no gain. A minute is judged when the one after the next
begins: by then the row of every transfer has come, whichever arrived first, it or the balance.
"""

import sqlite3
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Final

import msgspec

from fleet.ledger.cash import moved_until
from fleet.ledger.query import EXACT, reading
from fleet.ledger.schema import MINUTE_MS

SETTLED_MS: Final = 2 * MINUTE_MS
AGE_MAX_MS: Final = 10 * MINUTE_MS


class Drawdown(msgspec.Struct, frozen=True):
    """``share`` of the peak that is lost; 0 at the peak. ``net_usd`` as of ``minute_ms``."""

    minute_ms: int
    net_usd: float
    peak_usd: float
    peak_ms: int
    moved_usd: float

    @property
    def share(self) -> float:
        worth_usd = self.peak_usd + self.moved_usd
        return max(0.0, (self.peak_usd - self.net_usd) / worth_usd) if worth_usd > 0 else 0.0


class Peaks:
    """Of the ledger's one writer: takes the settled minute in when a new one begins."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def minute(self, minute_ms: int) -> None:
        """A frame of this minute was written: everything up to ``SETTLED_MS`` before is settled."""
        settled_ms = minute_ms - SETTLED_MS
        held = _held(self._db)
        if held is not None and settled_ms <= held.minute_ms:
            return
        found = _net_usd(self._db, settled_ms)
        if found is None:
            return
        net_usd, moved_usd = found
        peak_usd, peak_ms = net_usd, settled_ms
        if held is not None and held.peak_usd >= net_usd:
            peak_usd, peak_ms = held.peak_usd, held.peak_ms
        self._db.execute(
            "INSERT OR REPLACE INTO peak VALUES (1, ?, ?, ?, ?, ?)",
            (settled_ms, peak_usd, peak_ms, net_usd, moved_usd),
        )


def _held(db: sqlite3.Connection) -> Drawdown | None:
    row = db.execute("SELECT minute_ms, net_usd, peak_usd, peak_ms, moved_usd FROM peak").fetchone()
    return None if row is None else Drawdown(*row)


def _net_usd(db: sqlite3.Connection, minute_ms: int) -> tuple[float, float] | None:
    """(net equity, what was moved in), USD; None while a DEX or the mark of its token is unseen."""
    net_usd = moved_usd = 0.0
    dexes = db.execute("SELECT dex FROM cash_base").fetchall()
    with localcontext(EXACT):
        for (dex,) in dexes:
            row = db.execute(
                "SELECT as_of_ms, account_value, token_mark_usd FROM equity WHERE dex = ?"
                " AND minute_ms <= ? AND minute_ms > ? ORDER BY minute_ms DESC LIMIT 1",
                (dex, minute_ms, minute_ms - AGE_MAX_MS),
            ).fetchone()
            if row is None:
                return None
            value, moved = Decimal(row[1]), moved_until(db, dex, int(row[0]))
            if row[2] is None and (value or moved):
                return None
            mark = Decimal(repr(row[2])) if row[2] is not None else Decimal(0)
            net_usd += float((value - moved) * mark)
            moved_usd += float(moved * mark)
    return (net_usd, moved_usd) if dexes else None


def drawdown(ledger_db: Path) -> Drawdown | None:
    """As of the last settled minute; None until there was one. Raises LedgerUnreadable."""
    with reading(ledger_db) as db:
        return None if db is None else _held(db)
