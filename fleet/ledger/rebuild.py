"""The ledger once more, from what it was made of: the action log, and the venue's own fills.

What the log no longer holds (its segments go after 30 days) is taken over from the ledger that is
there; a fill that the venue tells of and the log never had is booked too. The same records give
the same rows, so what differs from the ledger in use was wrong in it, or lost.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fleet.gateway.framing import Record
from fleet.gateway.records import Filled
from fleet.ledger.schema import RETENTION, open_writer
from fleet.ledger.tail import Tail, segments
from fleet.ledger.writer import Ledger

BATCH: Final = 2_000
_SUFFIXES: Final = ("", "-wal", "-shm")
_COMPARED: Final = (
    "fill", "book", "day_open", "funding", "funding_day", "moved", "cash_base", "peak", "equity",
    "market_mark", "order_event", "event",
)  # fmt: skip
_CARRIED: Final = ("funding", "funding_day", "moved", "cash_base", "equity")
_TIMES: Final = {table: column for table, column, _ in RETENTION}


def rebuilt(
    actions: Path,
    into: Path,
    old: Path | None = None,
    told: Iterable[Filled] = (),
    until_seq: int | None = None,
) -> Ledger:
    """A ledger made anew in ``into``, which is replaced. The caller closes it.

    ``told``: the venue's fills; those that the log has are known already. ``old``: the ledger in
    use, for what is older than the log. ``until_seq``: the last record. Raises sqlite3.Error.
    """
    for suffix in _SUFFIXES:
        into.with_name(into.name + suffix).unlink(missing_ok=True)
    ledger = Ledger(into)
    first = next(iter(segments(actions)), None)
    if old is not None and old.exists() and first is not None and first[0] > 1:
        ledger.take_over(old, _CARRIED, first[0])
    tail = Tail(actions)
    while records := tail.read(BATCH):
        wanted = [r for r in records if until_seq is None or r.seq <= until_seq]
        ledger.apply(wanted)
        if len(wanted) < len(records):
            break
    missing = [Record.of(0, tail.place.wall_ns, body) for body in told]
    ledger.complete(missing)
    return ledger


def copied(ledger_db: Path, into: Path) -> int:
    """A ledger that is being written, as of one moment; the last record in it."""
    into.unlink(missing_ok=True)
    uri = f"file:{quote(str(ledger_db))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as db, closing(sqlite3.connect(into)) as copy:
        db.backup(copy)
    with closing(open_writer(str(into))) as copy:  # of an older version: carried over in the copy
        return int(copy.execute("SELECT seq FROM cursor").fetchone()[0])


def differences(one: Path, other: Path) -> list[str]:
    """What two ledgers do not agree on, a line a table; what either has pruned is left out."""
    found = []
    uri = f"file:{quote(str(one))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as db:
        db.execute("ATTACH ? AS other", (f"file:{quote(str(other))}?mode=ro",))
        for table in _COMPARED:
            where = ""
            if table in _TIMES:
                column = _TIMES[table]
                where = (
                    f" WHERE {column} >= max((SELECT min({column}) FROM main.{table}), "  # noqa: S608 - our own names
                    f"(SELECT min({column}) FROM other.{table}))"
                )
            counts = [
                db.execute(
                    f"SELECT count(*) FROM (SELECT * FROM {a}.{table}{where}"  # noqa: S608 - our own names
                    f" EXCEPT SELECT * FROM {b}.{table})"
                ).fetchone()[0]
                for a, b in (("main", "other"), ("other", "main"))
            ]
            if any(counts):
                found.append(f"{table}: {counts[0]} rows here alone, {counts[1]} there alone")
    return found
