"""What the ledger has of a market since a moment: the canary's fills and refused orders."""

from pathlib import Path
from typing import Final

from fleet.ledger.query import reading
from fleet.supervisor.gates import Evidence, SeenFill

POST_ONLY: Final = "badAloPxRejected"
_REJECTED: Final = "Rejected"
_BOUGHT: Final = "B"


def evidence(ledger_db: Path, market: str, since_ms: int) -> Evidence:
    """By the venue's times. Raises ``LedgerUnreadable``."""
    with reading(ledger_db) as db:
        if db is None:
            return Evidence()
        fills = tuple(
            SeenFill(
                time_ms=int(time_ms),
                sign=1 if side == _BOUGHT else -1,
                px=float(px),
                sz=float(sz),
                fee_usd=float(fee),
                crossed=bool(crossed),
                later_px=None if later_px is None else float(later_px),
            )
            for time_ms, side, px, sz, fee, crossed, later_px in db.execute(
                "SELECT time_ms, side, px, sz, fee, crossed, mid_10s_px FROM fill"
                " WHERE market = ? AND time_ms > ? AND ours = 1",
                (market, since_ms),
            )
        )
        counts: dict[str, int] = dict(
            db.execute(
                "SELECT status, count(*) FROM order_event"
                " WHERE market = ? AND status_ms > ? GROUP BY status",
                (market, since_ms),
            )
        )
    rejected = sum(n for status, n in counts.items() if status.endswith(_REJECTED))
    post_only = counts.get(POST_ONLY, 0)
    return Evidence(fills, rejected - post_only, post_only)
