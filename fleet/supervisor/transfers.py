"""Transfers of collateral: written down before they are sent, and never sent a second time.

    intended -> accepted -> shown          the venue said ok; frames of both ends are newer than it
             -> refused                    the venue said no
             -> void                       no answer came, and the venue's own list lacks it though
                                           its time (``expiresAfter``) is over: it can't happen
             -> accepted                   no answer came, and the venue's own list has it

A supervisor that dies at any of these finds the row, and asks the venue instead of sending again.
"""

import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

SPOT: Final = "spot"
"""The venue's name of the spot wallet where a DEX's name may stand."""
EXPIRES_MS: Final = 5_000
"""After its intention, by the venue's clock: later the venue takes it no more."""
GONE_MS: Final = 20_000
"""Past this, a transfer that the venue does not list was never made, and never will be."""
REFUSED_WAIT_MS: Final = 60_000
_OPEN: Final = ("intended", "accepted")
_KEPT: Final = 10_000

State = Literal["intended", "accepted", "shown", "refused", "void"]


class Move(msgspec.Struct, frozen=True):
    """So much of a token from one place to another: a DEX ("" is the main one), or ``spot``."""

    token: str
    source: str
    destination: str
    amount: Decimal

    def touches(self, dex: str) -> bool:
        return dex in {self.source, self.destination}

    def __str__(self) -> str:
        return f"{self.amount:f} {self.token} from {_place(self.source)} to " + _place(
            self.destination
        )


class Transfer(msgspec.Struct, frozen=True):
    """One row. Times are the venue's ms; ``venue_ms``: when it happened there, once known."""

    id: int
    move: Move
    cause: str
    intended_ms: int
    state: State
    venue_ms: int | None = None
    told: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state in _OPEN

    @property
    def key(self) -> str:
        """Under which the gateway is asked: the same one is never sent twice by one gateway."""
        return f"transfer-{self.id}-{self.intended_ms}"


def found(transfer: Transfer, rows: object) -> int | None:
    """When the venue made it, by its ``userNonFundingLedgerUpdates``; None if it is not there."""
    if not isinstance(rows, list):
        return None
    move = transfer.move
    for row in rows:
        delta = row.get("delta", {})
        same = (
            delta.get("type") == "send"
            and delta.get("sourceDex") == move.source
            and delta.get("destinationDex") == move.destination
            and delta.get("token", "").partition(":")[0] == move.token
            and Decimal(delta.get("amount", "0")) == move.amount
        )
        if same and int(row["time"]) >= transfer.intended_ms - 1:
            return int(row["time"])
    return None


_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS transfer (
    id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL, source TEXT NOT NULL,
    destination TEXT NOT NULL, amount TEXT NOT NULL, cause TEXT NOT NULL,
    intended_ms INTEGER NOT NULL, state TEXT NOT NULL, venue_ms INTEGER, told TEXT);
"""


class TransferBook:
    """The table ``transfer`` of ``store.db``."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(_SCHEMA)

    def open(self) -> Transfer | None:
        """The one that is under way; there is never more than one."""
        row = self._db.execute(
            "SELECT * FROM transfer WHERE state IN (?, ?) ORDER BY id LIMIT 1", _OPEN
        ).fetchone()
        return None if row is None else _transfer(row)

    def last(self) -> Transfer | None:
        """The newest, whatever became of it."""
        row = self._db.execute("SELECT * FROM transfer ORDER BY id DESC LIMIT 1").fetchone()
        return None if row is None else _transfer(row)

    def all(self) -> list[Transfer]:
        """The oldest first."""
        return [_transfer(row) for row in self._db.execute("SELECT * FROM transfer ORDER BY id")]

    def intend(self, move: Move, cause: str, venue_ms: int) -> Transfer:
        """Written, and on the disk, before anything is sent."""
        assert self.open() is None
        cursor = self._db.execute(
            "INSERT INTO transfer (token, source, destination, amount, cause, intended_ms, state)"
            " VALUES (?, ?, ?, ?, ?, ?, 'intended')",
            (move.token, move.source, move.destination, f"{move.amount:f}", cause, venue_ms),
        )
        made = cursor.lastrowid or 0
        self._db.execute("DELETE FROM transfer WHERE id <= ?", (made - _KEPT,))
        return Transfer(made, move, cause, venue_ms, "intended")

    def settle(
        self, transfer: Transfer, state: State, venue_ms: int | None = None, told: str | None = None
    ) -> Transfer:
        """What became of it."""
        self._db.execute(
            "UPDATE transfer SET state = ?, venue_ms = ?, told = ? WHERE id = ?",
            (state, venue_ms, told, transfer.id),
        )
        return msgspec.structs.replace(transfer, state=state, venue_ms=venue_ms, told=told)


def read_transfers(path: Path) -> list[Transfer]:
    """All that are known, read beside the writer; raises ``sqlite3.Error``."""
    if not path.exists():
        return []
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)
    try:
        made = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'transfer'").fetchone()
        rows = db.execute("SELECT * FROM transfer ORDER BY id") if made else ()
        return [_transfer(row) for row in rows]
    finally:
        db.close()


def _transfer(row: tuple[Any, ...]) -> Transfer:
    move = Move(row[1], row[2], row[3], Decimal(row[4]))
    return Transfer(row[0], move, row[5], row[6], row[7], row[8], row[9])


def _place(name: str) -> str:
    return name if name == SPOT else f"DEX {name}" if name else "the main DEX"
