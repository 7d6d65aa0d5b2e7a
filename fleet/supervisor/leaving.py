"""DEXs that left the manifest and shall give their collateral back (``on_remove: return``)."""

import sqlite3
from decimal import ROUND_DOWN, Decimal
from typing import Final

from fleet.manifests.spec import FleetSpec
from fleet.supervisor.collateral import DUST, STEP, dex_of
from fleet.supervisor.transfers import SPOT, Move

HOME: Final = "USDC"
"""This token goes to the main DEX; every other one to the spot wallet."""


_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS leaving (dex TEXT PRIMARY KEY, since_ms INTEGER NOT NULL);
"""


class LeavingBook:
    """The table ``leaving`` of ``store.db``."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(_SCHEMA)

    def note(self, before: FleetSpec | None, after: FleetSpec, at_ms: int) -> None:
        """A revision: DEXs that go, and those that are back."""
        for dex in going(before, after):
            self._db.execute("INSERT OR REPLACE INTO leaving VALUES (?, ?)", (dex, at_ms))
        for dex in {dex_of(market) for market in after.markets}:
            self._db.execute("DELETE FROM leaving WHERE dex = ?", (dex,))

    def rows(self) -> list[str]:
        return [str(row[0]) for row in self._db.execute("SELECT dex FROM leaving ORDER BY dex")]

    def done(self, dex: str) -> None:
        """Nothing is left there to bring back."""
        self._db.execute("DELETE FROM leaving WHERE dex = ?", (dex,))


def going(before: FleetSpec | None, after: FleetSpec) -> list[str]:
    """DEXs whose last market left, and which shall give back what they hold."""
    if before is None:
        return []
    used, uses = ({dex_of(name) for name in each.markets} for each in (before, after))
    return sorted(
        dex
        for dex in used - uses
        if dex in before.dexes and before.dexes[dex].on_remove == "return"
    )


def homeward(dex: str, token: str, free: Decimal) -> Move | None:
    """All that may leave, back to where it belongs; None where nothing is left."""
    amount = free.quantize(STEP, rounding=ROUND_DOWN)
    if amount <= DUST:
        return None
    target = "" if token == HOME else SPOT
    return Move(token, dex, target, amount)
