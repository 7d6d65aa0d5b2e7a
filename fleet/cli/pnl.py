"""``fleet pnl``: what the fleet earned, and of what, by market, DEX or hour."""

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from fleet.cli.console import put, put_json, say
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.cli.pnl_rows import MONEY, By, as_csv, rows_of, sleepers
from fleet.ledger import query
from fleet.ledger.cash import cash
from fleet.ledger.keep import edges as edges_of
from fleet.ledger.peak import drawdown
from fleet.ledger.periods import periods
from fleet.ledger.query import LedgerUnreadable
from fleet.ledger.tokens import token_periods

HOUR_MS: Final = 3_600_000
HOURS_MAX: Final = 24 * 31
_UNITS_MS: Final = {"m": 60_000, "h": HOUR_MS, "d": 86_400_000}
_SHORT: Final = (
    "total", "realized", "unreal.", "fees", "funding", "spread", "inventory", "basis", "token",
    "adv. 60s",
)  # fmt: skip
_SHOWN: Final = (*MONEY, "adverse_60s_usd")


def run(since: str | None, by: By, output: str, fleet: str | None) -> None:
    folder = find(fleet)
    now_ms = time.time_ns() // 1_000_000
    try:
        state = query.state(folder.ledger_db)
        began_ms = state.since_ms if state else now_ms
        since_ms = began_ms if since is None else max(began_ms, parsed(since, now_ms))
        if since_ms > now_ms:
            raise Failure(
                ExitCode.INVALID, f"--since {since}: is yet to come", "name an earlier time"
            )
        moments = edges(since_ms, now_ms, by)
        rows, whole = rows_of(
            periods(folder.ledger_db, moments), token_periods(folder.ledger_db, moments), by
        )
        books = cash(folder.ledger_db)
        kept = edges_of(folder.ledger_db, now_ms)
        lost = drawdown(folder.ledger_db)
    except LedgerUnreadable as error:
        raise Failure(ExitCode.UNEXPECTED, f"ledger: {error}", "try again") from None
    if output == "json":
        put_json({
            "fleet": folder.root.name, "since_ms": since_ms, "until_ms": now_ms, "by": by,
            "rows": rows, "total": whole,
            "cash": [
                {"dex": row.dex, "token": row.token, "as_of_ms": row.as_of_ms,
                 "drift": float(row.drift), "balanced": row.balanced}
                for row in books.values()
            ],
            "edge": dict(sorted(kept.items())),
            "drawdown_share": lost.share if lost else None,
        })  # fmt: skip
        return
    if output == "csv":
        put(as_csv(rows, by).rstrip())
    else:
        _table(rows, whole, by, since_ms)
    for text in sleepers(kept):
        say(text)
    for row in books.values():
        if not row.balanced:
            say(row.text)


def parsed(since: str, now_ms: int) -> int:
    """``24h``, ``30m``, ``7d``, ``today``, or a time of ISO 8601 (UTC); exit 3 otherwise."""
    if since == "today":
        return now_ms - now_ms % _UNITS_MS["d"]
    if found := re.fullmatch(r"(\d{1,6})([mhd])", since):
        return now_ms - int(found[1]) * _UNITS_MS[found[2]]
    try:
        at = datetime.fromisoformat(since)
    except ValueError:
        mend = "write 24h, 30m, 7d, today, or 2026-09-26T12:00"
        raise Failure(ExitCode.INVALID, f"--since {since}: no time", mend) from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(at.timestamp() * 1000)


def edges(since_ms: int, now_ms: int, by: By) -> list[int]:
    """The moments between which is counted: both ends, and by hour each full hour between."""
    end_ms = now_ms + 1
    if by != "hour":
        return [since_ms, end_ms]
    first = since_ms - since_ms % HOUR_MS + HOUR_MS
    hours = list(range(first, end_ms, HOUR_MS))
    if len(hours) > HOURS_MAX:
        text = f"{len(hours)} hours are too many"
        raise Failure(ExitCode.INVALID, text, f"give --since {HOURS_MAX}h or later")
    return [since_ms, *hours, end_ms]


def _table(rows: Sequence[dict[str, Any]], whole: dict[str, Any], by: By, since_ms: int) -> None:
    at = datetime.fromtimestamp(since_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    put(f"since {at}, USD; ? is not known")
    heads = "".join(f"{name:>11}" for name in _SHORT)
    put(f"{by:<18}{heads}{'volume':>13}{'fills':>7}{'taker':>6}")
    for row in rows:
        put(_line(row[by] or "(main)", row))
    put(_line("total", whole))


def _line(name: str, row: dict[str, Any]) -> str:
    money = "".join(f"{_number(row[key], ',.2f'):>11}" for key in _SHOWN)
    return (
        f"{name:<18}{money}{_number(row['volume_usd'], ',.0f'):>13}{row['fills']:>7}"
        f"{row['taker_fills']:>6}"
    )


def _number(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)
