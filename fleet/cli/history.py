"""``fleet history``: revisions, and who said what when; read from disk, so it needs no process.

The supervisor writes down what is said to it. What is said past it (halt, resume, and every verb
while it is away) stands in the gateway's action log, and so in the ledger.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from fleet.cli.console import Output, put, put_json
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.find import find
from fleet.folder import Folder
from fleet.manifests.spec import FleetSpec, decode
from fleet.supervisor.plan import what_changed

ROWS: Final = 200
_SAID: Final = ("said", "halt", "resume")


def run(output: Output, fleet: str | None) -> None:
    folder = find(fleet)
    try:
        document = read(folder)
    except sqlite3.Error as error:
        text = f"the history in {folder.root} cannot be read: {error}"
        raise Failure(ExitCode.UNEXPECTED, text, "try again") from None
    if output == "json":
        put_json(document)
        return
    for row in document["revisions"]:
        put(f"{_at(row['at_ms'])}  revision {row['rev']} by {row['by']}: {row['markets']} markets")
        for change in row["changes"] or ():
            whose = "(fleet)" if change["market"] == "*" else change["market"]
            put(f"{'':22}{change['class']:<8} {whose:<12} {change['text']}".rstrip())
    for row in document["audit"]:
        what = f"{row['verb']} {row['detail']}".strip()
        put(f"{_at(row['at_ms'])}  {row['by']}: {what}  ({row['outcome']})")


def read(folder: Folder) -> dict[str, Any]:
    """``{"revisions", "audit"}``, the newest first. Raises sqlite3.Error."""
    revisions = _revisions(folder)
    audit = [
        {"at_ms": at_ms, "by": by, "verb": verb, "detail": detail, "outcome": outcome}
        for at_ms, by, verb, detail, outcome in _rows(
            folder.store_db, "SELECT * FROM audit ORDER BY rowid DESC LIMIT ?", (ROWS,)
        )
    ]
    said = _rows(
        folder.ledger_db,
        "SELECT wall_ms, kind, market, detail FROM event WHERE kind IN (?, ?, ?)"
        " ORDER BY wall_ms DESC LIMIT ?",
        (*_SAID, ROWS),
    )
    audit += [_past_the_supervisor(*row) for row in said]
    audit.sort(key=lambda row: row["at_ms"], reverse=True)
    return {"revisions": revisions, "audit": audit[:ROWS]}


def _revisions(folder: Folder) -> list[dict[str, Any]]:
    """The newest first, each with its difference to the one before; None: of another build."""
    rows = list(_rows(folder.store_db, "SELECT * FROM revision ORDER BY rev DESC LIMIT ?", (ROWS,)))
    specs = [_spec(row[3]) for row in rows]
    found = []
    for place, (rev, at_ms, by, _) in enumerate(rows):
        after = specs[place]
        before = specs[place + 1] if place + 1 < len(rows) else None
        known = after is not None and (before is not None or rev == 1)
        steps = what_changed(before, after) if after is not None and known else None
        changes = None if steps is None else [
            {"market": step.market, "class": step.kind, "text": step.text} for step in steps
        ]  # fmt: skip
        count = len(after.markets) if after is not None else None
        found.append({"rev": rev, "at_ms": at_ms, "by": by, "markets": count, "changes": changes})
    return found


def _spec(raw: str) -> FleetSpec | None:
    try:
        return decode(raw)
    except msgspec.MsgspecError:
        return None


def _past_the_supervisor(at_ms: int, kind: str, market: str | None, detail: str) -> dict[str, Any]:
    """``reason (by ann)`` of a halt or resume; ``drain (by ann): accepted`` of a verb."""
    what, _, rest = detail.rpartition(" (by ")
    by, _, outcome = rest.partition(")")
    verb, about = (what, market or "") if kind == "said" else (kind, what)
    told = outcome.removeprefix(": ") or "accepted"
    return {"at_ms": at_ms, "by": by, "verb": verb, "detail": about, "outcome": told}


def _rows(path: Path, query: str, values: tuple[object, ...]) -> Iterator[Any]:
    if not path.exists():
        return
    uri = f"file:{quote(str(path))}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=1.0)) as db:
        yield from db.execute(query, values)


def _at(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
