"""Which markets have passed preflight and collateral, and under which revision.

It is kept: a market that has begun is not asked again, so a loss or a delisting that is announced
never keeps a crashed agent from coming back to its position.
"""

import sqlite3
from typing import Final

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS begun (
    market TEXT PRIMARY KEY, revision INTEGER NOT NULL, at_ms INTEGER NOT NULL);
"""


class BegunBook:
    """The table ``begun`` of ``store.db``."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(_SCHEMA)
        self._kept: dict[str, int] = dict(db.execute("SELECT market, revision FROM begun"))

    def has(self, market: str, revision: int) -> bool:
        return self._kept.get(market) == revision

    def ever(self, market: str) -> bool:
        """Whether it has begun since it came, under whichever revision."""
        return market in self._kept

    def forget(self, market: str) -> None:
        """It has left: should it come again, it begins anew."""
        if self._kept.pop(market, None) is not None:
            self._db.execute("DELETE FROM begun WHERE market = ?", (market,))

    def note(self, market: str, revision: int, at_ms: int) -> None:
        self._kept[market] = revision
        self._db.execute("INSERT OR REPLACE INTO begun VALUES (?, ?, ?)", (market, revision, at_ms))
