"""``fleet report``: one HTML page of what the fleet earned, how, and how sure that is."""

import time
from pathlib import Path

from fleet.cli.console import put_json, say
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.cli.pnl import parsed
from fleet.ledger import query
from fleet.ledger.query import LedgerUnreadable
from fleet.report.gather import gather
from fleet.report.page import page

DAY_MS = 86_400_000


def run(since: str | None, to: Path, output: str, fleet: str | None) -> None:
    """Write the page. Exit 3: a bad time or path; 1: the ledger can't be read."""
    folder = find(fleet)
    now_ms = time.time_ns() // 1_000_000
    try:
        state = query.state(folder.ledger_db)
        began_ms = state.since_ms if state else now_ms
        since_ms = max(began_ms, now_ms - DAY_MS if since is None else parsed(since, now_ms))
        until_ms = min(now_ms, state.wall_ms) if state else now_ms
        pages = gather(folder.ledger_db, since_ms, max(until_ms, since_ms) + 1)
    except LedgerUnreadable as error:
        raise Failure(ExitCode.UNEXPECTED, f"ledger: {error}", "try again") from None
    try:
        to.write_text(page(folder.root.name, pages, since_ms, until_ms), encoding="utf-8")
    except OSError as error:
        text = f"{to}: cannot be written: {error.strerror or error}"
        raise Failure(ExitCode.INVALID, text, "name another file with --out") from None
    if output == "json":
        put_json({"report": str(to), "since_ms": since_ms, "markets": [p.market for p in pages]})
        return
    say(f"report of {len(pages)} markets: {to}")
