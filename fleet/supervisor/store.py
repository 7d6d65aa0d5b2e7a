"""What the supervisor must not forget: revisions, desired state, phases, audit. SQLite, one writer.

A revision and the desired state of its markets are written in one transaction, before anything is
done about them; so a supervisor that dies at any step finds its way back.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from fleet.manifests.spec import FleetSpec, decode
from fleet.supervisor.phases import Phase

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS revision (
    rev INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, by TEXT NOT NULL, spec TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS market (
    market TEXT PRIMARY KEY, desired INTEGER NOT NULL, phase TEXT NOT NULL, reason TEXT,
    restarts INTEGER NOT NULL, since_ms INTEGER NOT NULL, revision INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS audit (
    at_ms INTEGER NOT NULL, by TEXT NOT NULL, verb TEXT NOT NULL, detail TEXT NOT NULL,
    outcome TEXT NOT NULL);
"""
HISTORY_ROWS: Final = 200
SPECS_MAX: Final = 32
AUDIT_ROWS_MAX: Final = 100_000


class Revision(msgspec.Struct, frozen=True):
    """One manifest that was applied, as canonical JSON in ``spec``."""

    rev: int
    at_ms: int
    by: str
    spec: str


class MarketRow(msgspec.Struct, frozen=True):
    """One market. ``desired``: shall run; ``revision``: the one that last changed its settings."""

    market: str
    desired: bool
    phase: Phase
    reason: str | None
    restarts: int
    since_ms: int
    revision: int


class AuditRow(msgspec.Struct, frozen=True):
    at_ms: int
    by: str
    verb: str
    detail: str
    outcome: str


class Store:
    """The one writer of ``store.db``. Not for two threads at once."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)
        self._specs: dict[int, FleetSpec] = {}
        path.chmod(0o600)

    def close(self) -> None:
        self._db.close()

    @property
    def db(self) -> sqlite3.Connection:
        """The one connection: tables of other modules are written by it too."""
        return self._db

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one inside another is part of it."""
        if self._db.in_transaction:
            yield
            return
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def rev(self) -> int:
        """The revision in force; 0 before the first apply."""
        row = self._db.execute("SELECT COALESCE(MAX(rev), 0) FROM revision").fetchone()
        return int(row[0])

    def spec(self, rev: int) -> FleetSpec:
        """A revision's spec; it never changes, so it is read once. ``KeyError``: there is none."""
        if rev not in self._specs:
            row = self.revision(rev)
            if row is None:
                raise KeyError(rev)
            while len(self._specs) >= SPECS_MAX:
                del self._specs[next(iter(self._specs))]
            self._specs[rev] = decode(row.spec)
        return self._specs[rev]

    def in_force(self, spec: FleetSpec, rows: Mapping[str, MarketRow]) -> FleetSpec:
        """``spec`` with each desired market as its own row's revision has it."""
        markets = {}
        for row in rows.values():
            settings = self.spec(row.revision).markets.get(row.market) if row.desired else None
            if settings is not None:
                markets[row.market] = settings
        return msgspec.structs.replace(spec, markets=markets)

    def current(self) -> Revision | None:
        """The revision in force; None before the first apply."""
        row = self._db.execute("SELECT * FROM revision ORDER BY rev DESC LIMIT 1").fetchone()
        return None if row is None else Revision(*row)

    def revision(self, rev: int) -> Revision | None:
        row = self._db.execute("SELECT * FROM revision WHERE rev = ?", (rev,)).fetchone()
        return None if row is None else Revision(*row)

    def revisions(self, limit: int = HISTORY_ROWS) -> list[Revision]:
        """The newest first."""
        rows = self._db.execute("SELECT * FROM revision ORDER BY rev DESC LIMIT ?", (limit,))
        return [Revision(*row) for row in rows]

    def audits(self, limit: int = HISTORY_ROWS) -> list[AuditRow]:
        """The newest first."""
        rows = self._db.execute("SELECT * FROM audit ORDER BY rowid DESC LIMIT ?", (limit,))
        return [AuditRow(*row) for row in rows]

    def markets(self) -> dict[str, MarketRow]:
        return _market_rows(self._db)

    def revise(
        self,
        spec_json: str,
        desired: Mapping[str, bool],
        by: str,
        at_ms: int,
        back_to: int | None = None,
        also: Callable[[int], None] | None = None,
    ) -> int:
        """Write a revision and, of each market it touches, what is desired; returns its number.

        ``desired``: markets that start or change (True), and those that leave (False). A market
        that is desired anew begins in BOOT, with its count of restarts kept. ``back_to``: the old
        revision whose settings these are, if they are. ``also`` is written with it, or not at all.
        """
        with self.transaction():
            rev = self.rev() + 1
            self._db.execute(
                "INSERT INTO revision VALUES (?, ?, ?, ?)", (rev, at_ms, by, spec_json)
            )
            for market, wanted in desired.items():
                self._desire(market, wanted=wanted, at_ms=at_ms, revision=rev)
            verb = "apply" if back_to is None else "rollback"
            about = f"revision {rev}" if back_to is None else f"to {back_to}, as revision {rev}"
            self._audit(by, verb, about, "accepted", at_ms)
            if also is not None:
                also(rev)
        return rev

    def desire(self, markets: Mapping[str, bool], rev: int, at_ms: int) -> None:
        """Markets of a revision that waited for its canaries."""
        with self.transaction():
            for market, wanted in markets.items():
                self._desire(market, wanted=wanted, at_ms=at_ms, revision=rev)

    def _desire(self, market: str, *, wanted: bool, at_ms: int, revision: int) -> None:
        known = self._db.execute(
            "SELECT desired, phase FROM market WHERE market = ?", (market,)
        ).fetchone()
        fresh = known is None or not known[0] or known[1] == Phase.FAILED.value
        if known is None:
            phase = Phase.BOOT if wanted else Phase.STOPPED
            self._db.execute(
                "INSERT INTO market VALUES (?, ?, ?, NULL, 0, ?, ?)",
                (market, int(wanted), phase.value, at_ms, revision),
            )
            return
        self._db.execute(
            "UPDATE market SET desired = ?, revision = ? WHERE market = ?",
            (int(wanted), revision, market),
        )
        if wanted and fresh:
            self.note_phase(market, Phase.BOOT, None, at_ms)
        elif not wanted:
            self.note_phase(market, Phase.DRAINING, "left the manifest", at_ms)

    def drain(self, market: str, by: str, reason: str, at_ms: int) -> None:
        """Desire a market no more; an apply that names it desires it again."""
        with self.transaction():
            self._db.execute("UPDATE market SET desired = 0 WHERE market = ?", (market,))
            self.note_phase(market, Phase.DRAINING, reason, at_ms)
            self._audit(by, "drain", market, "accepted", at_ms)

    def restart(self, market: str, by: str, at_ms: int) -> None:
        """A FAILED market is BOOT again."""
        with self.transaction():
            self.note_phase(market, Phase.BOOT, None, at_ms)
            self._audit(by, "restart", market, "accepted", at_ms)

    def stand_down(self, by: str, at_ms: int) -> None:
        """Desire nothing any more; the fleet is being taken down."""
        with self.transaction():
            self._db.execute(
                "UPDATE market SET desired = 0, phase = ?, reason = NULL, since_ms = ?",
                (Phase.STOPPED.value, at_ms),
            )
            self._audit(by, "down", "", "accepted", at_ms)

    def note_phase(self, market: str, phase: Phase, reason: str | None, at_ms: int) -> None:
        """Writes only what differs, so it may be called each round."""
        self._db.execute(
            "UPDATE market SET since_ms = CASE WHEN phase = ? THEN since_ms ELSE ? END,"
            " phase = ?, reason = ? WHERE market = ? AND (phase <> ? OR reason IS NOT ?)",
            (phase.value, at_ms, phase.value, reason, market, phase.value, reason),
        )

    def count_restart(self, market: str) -> None:
        self._db.execute("UPDATE market SET restarts = restarts + 1 WHERE market = ?", (market,))

    def audit(self, by: str, verb: str, detail: str, outcome: str, at_ms: int) -> None:
        self._audit(by, verb, detail, outcome, at_ms)

    def _audit(self, by: str, verb: str, detail: str, outcome: str, at_ms: int) -> None:
        cursor = self._db.execute(
            "INSERT INTO audit VALUES (?, ?, ?, ?, ?)", (at_ms, by, verb, detail, outcome)
        )
        oldest = (cursor.lastrowid or 0) - AUDIT_ROWS_MAX
        if oldest > 0:
            self._db.execute("DELETE FROM audit WHERE rowid <= ?", (oldest,))


def read_spec(path: Path) -> tuple[int, FleetSpec] | None:
    """The revision in force and its spec, read beside the writer; None before the first apply.

    Raises ``sqlite3.Error`` where the store cannot be read.
    """
    if not path.exists():
        return None
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)
    try:
        row = db.execute("SELECT rev, spec FROM revision ORDER BY rev DESC LIMIT 1").fetchone()
    finally:
        db.close()
    return None if row is None else (int(row[0]), decode(row[1]))


def read_markets(path: Path) -> dict[str, MarketRow]:
    """What is desired and where it stands, read beside the writer; raises ``sqlite3.Error``."""
    if not path.exists():
        return {}
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)
    try:
        return _market_rows(db)
    finally:
        db.close()


def _market_rows(db: sqlite3.Connection) -> dict[str, MarketRow]:
    rows = db.execute("SELECT * FROM market ORDER BY market")
    return {
        row[0]: MarketRow(row[0], bool(row[1]), Phase(row[2]), row[3], row[4], row[5], row[6])
        for row in rows
    }
