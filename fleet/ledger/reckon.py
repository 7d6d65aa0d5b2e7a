"""What the ledger finds wrong, looked at again and again: balances that drift, markets that lose.

A balance is looked at each ``LOOK_MS``. What is still unexplained after ``SURE_MS`` is drift: told,
and the DEX's markets only reduce; after ``HALT_MS`` they stop. Rows under way explain themselves
before that; so does a drift that ends, and then everything is as it was.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from fleet.alerts.conditions import Books
from fleet.gateway.api import BooksPut, DirectiveRow
from fleet.ledger.cash import cash
from fleet.ledger.keep import edges
from fleet.ledger.query import LedgerUnreadable

LOOK_MS: Final = 15_000
SURE_MS: Final = 60_000
HALT_MS: Final = 900_000
TELL_MS: Final = 10_000
EDGE_MS: Final = 600_000


class _Drift(msgspec.Struct):
    since_ms: int
    text: str


class Reckoner:
    """``tell``: the gateway, or an exception that the next round tries again."""

    def __init__(self, ledger_db: Path, tell: Callable[[BooksPut], None]) -> None:
        self._ledger_db = ledger_db
        self._tell = tell
        self._drifts: dict[str, _Drift] = {}
        self._losing: dict[str, str] = {}
        self._looked_ms = self._told_ms = self._edges_ms = 0
        self._told: dict[str, DirectiveRow] = {}

    def books(self, now_ms: int, undecodable: int) -> Books:
        """One round. Raises what ``tell`` does; what cannot be read stays as it was."""
        if now_ms - self._looked_ms >= LOOK_MS:
            self._looked_ms = now_ms
            self._look(now_ms)
        if now_ms - self._edges_ms >= EDGE_MS:
            self._edges_ms = now_ms
            self._judge(now_ms)
        self._act(now_ms)
        return Books(
            drifts={dex: drift.text for dex, drift in self._sure(now_ms).items()},
            losing=self._losing,
            undecodable=undecodable,
        )

    def _sure(self, now_ms: int) -> dict[str, _Drift]:
        return {d: each for d, each in self._drifts.items() if now_ms - each.since_ms >= SURE_MS}

    def _look(self, now_ms: int) -> None:
        try:
            found = cash(self._ledger_db)
        except LedgerUnreadable:
            return
        for dex, row in found.items():
            if row.balanced:
                self._drifts.pop(dex, None)
            elif dex in self._drifts:
                self._drifts[dex].text = row.text
            else:
                self._drifts[dex] = _Drift(now_ms, row.text)

    def _judge(self, now_ms: int) -> None:
        try:
            found = edges(self._ledger_db, now_ms)
        except LedgerUnreadable:
            return
        self._losing = {
            market: f"{market} loses by its fills: {edge.text}; fleet drain {market} ends it"
            for market, edge in found.items()
            if edge.finding == "loses"
        }

    def _act(self, now_ms: int) -> None:
        """Reduce-only, then halt: said when it changes, and again for a gateway that forgot."""
        rows = {
            dex: DirectiveRow("halt" if now_ms - drift.since_ms >= HALT_MS else "reduce_only",
                              f"the ledger: {drift.text}")
            for dex, drift in self._sure(now_ms).items()
        }  # fmt: skip
        due = bool(rows) and now_ms - self._told_ms >= TELL_MS
        if rows != self._told or due:
            self._tell(BooksPut(rows))
            self._told, self._told_ms = rows, now_ms
