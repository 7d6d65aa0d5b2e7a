"""Mids after each fill, written down as they come: what adverse selection is read from.

A fill's mid at +1, +10 and +60 s is the first one seen from then on, at most ``LATE_MS`` later;
one that was not seen in that time stays unknown.
"""

import sqlite3
from typing import Final

from fleet.gateway.records import MarketSeen

HORIZONS_MS: Final = {"mid_1s_px": 1_000, "mid_10s_px": 10_000, "mid_60s_px": 60_000}
LATE_MS: Final = 5_000
_LONGEST_MS: Final = max(HORIZONS_MS.values()) + LATE_MS


class Markouts:
    """Of the ledger's one writer. It remembers which markets traded lately, and asks the rest."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._last_ms: dict[str, int] = {
            str(market): int(last_ms)
            for market, last_ms in db.execute("SELECT market, last_ms FROM book")
        }

    def filled(self, market: str, time_ms: int) -> None:
        self._last_ms[market] = max(time_ms, self._last_ms.get(market, 0))

    def seen(self, seen: MarketSeen) -> None:
        """One touch: the mid of every fill whose horizon has come."""
        last_ms = self._last_ms.get(seen.market)
        if last_ms is None or seen.venue_ms - last_ms > _LONGEST_MS:
            return
        if seen.bid_px is None or seen.ask_px is None:
            return
        mid_px = (seen.bid_px + seen.ask_px) / 2
        for column, horizon_ms in HORIZONS_MS.items():
            until_ms = seen.venue_ms - horizon_ms
            self._db.execute(
                f"UPDATE fill SET {column} = ? WHERE market = ? AND time_ms <= ? "  # noqa: S608 - our own columns
                f"AND time_ms >= ? AND {column} IS NULL",
                (mid_px, seen.market, until_ms, until_ms - LATE_MS),
            )
