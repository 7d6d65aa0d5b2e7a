"""Whether each market earns its keep: its fills of late under the sequential test of ``edge``."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

from fleet.ledger.edge import Edge, Marked, judged
from fleet.ledger.query import reading
from fleet.ledger.schema import DAY_MS

WINDOW_MS: Final = 7 * DAY_MS
FILLS_MAX: Final = 20_000


def edges(
    ledger_db: Path, now_ms: int, since_ms: Mapping[str, int] | None = None
) -> dict[str, Edge]:
    """Each market that had a fill of ours in the last week, or since ``since_ms`` if that is later.
    Raises LedgerUnreadable.
    """
    since_ms = since_ms or {}
    found: dict[str, Edge] = {}
    with reading(ledger_db) as db:
        if db is None:
            return found
        for (market,) in db.execute("SELECT market FROM book").fetchall():
            rows = db.execute(
                "SELECT time_ms, side, px, sz, fee, mid_60s_px FROM fill WHERE market = ? AND ours"
                " AND NOT crossed AND time_ms > ? AND mid_60s_px IS NOT NULL"
                " ORDER BY time_ms DESC LIMIT ?",
                (market, max(now_ms - WINDOW_MS, since_ms.get(market, 0)), FILLS_MAX),
            )
            marked = [_marked(*row) for row in rows]
            if marked:
                found[str(market)] = judged(marked)
    return found


def _marked(time_ms: int, side: str, px: str, sz: str, fee: str, later_px: float) -> Marked:
    price, size = float(Decimal(px)), float(Decimal(sz))
    gained = size * (later_px - price) * (1 if side == "B" else -1)
    return Marked(time_ms, price * size, gained - float(Decimal(fee)))
