"""What risk must know of transfers each round: read from the ledger and the supervisor's store."""

import sqlite3
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from fleet.folder import Folder
from fleet.gateway.api import DexView, GatewayStatus
from fleet.ledger.cash import moved_until
from fleet.ledger.query import LedgerUnreadable, reading
from fleet.risk.baseline import Baseline
from fleet.risk.moves import UnderWay, held_still, shifted, unsettled
from fleet.supervisor.transfers import SPOT, read_transfers


class Moves:
    """Makes each round's account view free of transfers."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._last: dict[str, DexView] = {}
        self._moved: Mapping[str, Decimal] = {}
        self._booked: frozenset[tuple[str, int]] = frozenset()

    def settle(
        self, status: GatewayStatus, kept: Baseline | None
    ) -> tuple[GatewayStatus | None, Baseline | None]:
        """What is to be judged and against what; None: nothing can be, for the moment."""
        self._read(status)
        venue_ms = round(status.as_of_ms + status.venue_offset_ms)
        unsure = unsettled(self._under_way(), self._booked, venue_ms)
        seen = held_still(status, unsure, self._last)
        self._last |= {view.dex: view for view in status.dexes if view.dex not in unsure}
        marks = {view.dex: view.token_mark_usd for view in status.dexes}
        return seen, shifted(kept, self._moved, marks, unsure)

    def noted(self, made: Baseline | None) -> Baseline | None:
        """A baseline that is new holds what had moved by this round."""
        if made is None or made.moved is not None:
            return made
        return shifted(made, self._moved, {}, ())

    def _under_way(self) -> list[UnderWay]:
        try:
            rows = read_transfers(self._folder.store_db)
        except (sqlite3.Error, msgspec.MsgspecError):
            return []
        return [
            UnderWay(
                frozenset({row.move.source, row.move.destination} - {SPOT}),
                row.intended_ms,
                row.is_open,
                row.venue_ms,
            )
            for row in rows
        ]

    def _read(self, status: GatewayStatus) -> None:
        """A ledger that can't be read is read the next time: until then nothing has moved."""
        try:
            with reading(self._folder.ledger_db) as db:
                if db is None:
                    return
                rows = db.execute("SELECT dex, time_ms FROM moved").fetchall()
                self._moved = {v.dex: moved_until(db, v.dex, v.as_of_ms) for v in status.dexes}
                self._booked = frozenset((str(dex), int(at_ms)) for dex, at_ms in rows)
        except (LedgerUnreadable, sqlite3.Error):
            return
