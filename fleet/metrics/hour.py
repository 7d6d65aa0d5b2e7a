"""What the last hour's fills came to, by side: sums that SQLite makes, so that a day of fills is
never read for it.

    edge(h)     = sum of sign·sz·(mid h seconds later - px)      of the fills whose mid h was seen
    adverse(h)  = sum of sign·sz·(mid h seconds later - mid)
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from fleet.ledger.markouts import HORIZONS_MS
from fleet.ledger.query import reading

HOUR_MS: Final = 3_600_000
SIDES: Final = {"B": "bid", "A": "ask"}
_SUMS: Final = ", ".join(
    f"SUM(sz * (px + 0) * ({column} IS NOT NULL)), SUM(fee * ({column} IS NOT NULL)),"
    f" SUM(sz * ({column} - px)), SUM(sz * ({column} - mid_px))"
    for column in HORIZONS_MS
)
_QUERY: Final = (
    f"SELECT side, {_SUMS} FROM fill WHERE market = ? AND time_ms >= ? AND ours"  # noqa: S608 - our own columns
    " AND mid_px IS NOT NULL GROUP BY side"
)


class Later(msgspec.Struct, frozen=True):
    """One side's fills at one horizon, in the DEX's collateral; of those whose mid was seen."""

    notional_usd: float
    fees_usd: float
    edge_usd: float
    adverse_usd: float


Hour = dict[tuple[str, int], Later]
"""By side (bid: we bought) and seconds later."""


def hours(ledger_db: Path, markets: Iterable[str], now_ms: int) -> dict[str, Hour]:
    """Each market that had a fill with a mid. Raises LedgerUnreadable."""
    with reading(ledger_db) as db:
        if db is None:
            return {}
        found = {market: _hour(db, market, now_ms - HOUR_MS) for market in markets}
    return {market: hour for market, hour in found.items() if hour}


def _hour(db: sqlite3.Connection, market: str, since_ms: int) -> Hour:
    found: Hour = {}
    for letter, *sums in db.execute(_QUERY, (market, since_ms)):
        sign = 1.0 if letter == "B" else -1.0
        for index, milliseconds in enumerate(HORIZONS_MS.values()):
            notional, fees, edge, adverse = sums[4 * index : 4 * index + 4]
            if notional:
                later = Later(notional, fees, sign * edge, sign * adverse)
                found[SIDES[letter], milliseconds // 1_000] = later
    return found
