"""One look at a fleet for the watch: gateway, store, processes; whoever is away is seen as away."""

import sqlite3
from contextlib import closing
from typing import Final
from urllib.parse import quote

import msgspec

from fleet.alerts.conditions import Books, Seen
from fleet.folder import Folder
from fleet.gateway.api import GatewayStatus
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.guards import hung, key_missing
from fleet.processes import alive

GATEWAY_S: Final = 2.0
_WATCHED: Final = ("ray", "supervisor")


def look(folder: Folder, books: Books) -> Seen:
    """Never raises for what is away."""
    try:
        status: GatewayStatus | None = GatewayClient(folder, GATEWAY_S).status()
    except (Unreachable, ApiFailure, msgspec.MsgspecError):
        status = None
    failed, sleeps, desired = _stored(folder)
    return Seen(
        gateway=status,
        books=books,
        failed=failed,
        asleep=sleeps,
        desired=desired,
        processes={name: alive(folder, name) is not None for name in _WATCHED},
        guard=_guard(folder),
    )


def _guard(folder: Folder) -> str:
    if key_missing(folder):
        return "it has no key and can restart no gateway; fleet apply gives it one"
    why = hung(folder)
    return "" if why is None else f"{why}; fleet apply replaces it"


def _stored(folder: Folder) -> tuple[dict[str, str], dict[str, str], bool]:
    """(markets whose budget of restarts is spent, those that sleep, whether any is to run)."""
    if not folder.store_db.exists():
        return {}, {}, False
    uri = f"file:{quote(str(folder.store_db))}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=0.2)) as db:
            rows = db.execute("SELECT market, phase, reason FROM market WHERE desired").fetchall()
            sleeps = _asleep(db)
    except sqlite3.Error:
        return {}, {}, False
    failed = {str(m): str(why or "no cause") for m, phase, why in rows if phase == "FAILED"}
    wanted = {str(market) for market, _, _ in rows}
    return failed, {m: why for m, why in sleeps.items() if m in wanted}, bool(rows)


def _asleep(db: sqlite3.Connection) -> dict[str, str]:
    """Who sleeps, and why; a store of before has no such table."""
    made = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sleep'").fetchone()
    if not made:
        return {}
    rows = db.execute("SELECT market, told FROM sleep WHERE woke_ms IS NULL").fetchall()
    return {str(market): f"asleep: {told}" for market, told in rows}
