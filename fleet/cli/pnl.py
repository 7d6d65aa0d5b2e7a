"""``fleet pnl``: what the fleet earned, and of what, by market, DEX or hour."""

import csv
import io
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from fleet.cli.console import put, put_json
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.ledger import query
from fleet.ledger.periods import Period, periods
from fleet.ledger.query import LedgerUnreadable

By = Literal["market", "dex", "hour"]
HOUR_MS: Final = 3_600_000
HOURS_MAX: Final = 24 * 31
_SUMMED: Final = (
    "total_usd", "realized_usd", "unrealized_usd", "fees_usd", "funding_usd", "spread_usd",
    "inventory_usd", "basis_usd", "volume_usd", "fills", "taker_fills",
)  # fmt: skip
_UNITS_MS: Final = {"m": 60_000, "h": HOUR_MS, "d": 86_400_000}
_SHORT: Final = ("total", "realized", "unreal.", "fees", "funding", "spread", "inventory", "basis")


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
        rows = summed(periods(folder.ledger_db, edges(since_ms, now_ms, by)), by)
    except LedgerUnreadable as error:
        raise Failure(ExitCode.UNEXPECTED, f"ledger: {error}", "try again") from None
    whole = _sum(rows)
    if output == "json":
        span = {"since_ms": since_ms, "until_ms": now_ms, "by": by}
        put_json({"fleet": folder.root.name, **span, "rows": rows, "total": whole})
    elif output == "csv":
        put(as_csv(rows, by).rstrip())
    else:
        _table(rows, whole, by, since_ms)


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


def summed(found: Sequence[Period], by: By) -> list[dict[str, Any]]:
    """A row a market, a DEX or an hour; what one part does not know, the sum does not know."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for period in found:
        if by == "market":
            key = period.market
        elif by == "dex":
            key = period.market.rpartition(":")[0]
        else:
            at = datetime.fromtimestamp(period.since_ms / 1000, UTC)
            key = at.strftime("%Y-%m-%dT%H:00Z")
        row = {name: getattr(period, name) for name in _SUMMED}
        groups.setdefault(key, []).append(row)
    return [{by: key, **_sum(rows)} for key, rows in sorted(groups.items())]


def _sum(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    sums: dict[str, Any] = {}
    for name in _SUMMED:
        parts = [row[name] for row in rows]
        if any(part is None for part in parts):
            sums[name] = None
        elif name.endswith("fills"):
            sums[name] = sum(parts)
        else:
            sums[name] = float(sum(parts, Decimal(0)) if _exact(parts) else sum(parts))
    return sums


def _exact(parts: Sequence[object]) -> bool:
    return all(isinstance(part, Decimal) for part in parts)


def as_csv(rows: Sequence[dict[str, Any]], by: By) -> str:
    """With a header; an empty field is not known."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [by, *_SUMMED], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _table(rows: Sequence[dict[str, Any]], whole: dict[str, Any], by: By, since_ms: int) -> None:
    at = datetime.fromtimestamp(since_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    put(f"since {at}, USD of each DEX's collateral; ? is not known")
    heads = "".join(f"{name:>11}" for name in _SHORT)
    put(f"{by:<18}{heads}{'volume':>13}{'fills':>7}{'taker':>6}")
    for row in rows:
        put(_line(row[by] or "(main)", row))
    put(_line("total", whole))


def _line(name: str, row: dict[str, Any]) -> str:
    money = "".join(
        f"{'?' if row[key] is None else format(row[key], ',.2f'):>11}" for key in _SUMMED[:8]
    )
    return f"{name:<18}{money}{row['volume_usd']:>13,.0f}{row['fills']:>7}{row['taker_fills']:>6}"
