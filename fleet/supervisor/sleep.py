"""Markets that lose by every fill are put to sleep: paused, with the finding as the reason.

    awake  -> asleep   the sequential test says so (``fleet.ledger.edge``) and the manifest wants it
    asleep -> awake    a person unpauses it; from then on only fills since count against it

Only ``risk.on_losing: sleep`` does this; with ``tell`` an alert proposes it. What sleeps is kept in
the store, so that a supervisor that dies in between neither forgets the reason nor judges anew what
a person has looked at.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from fleet.gateway.api import GatewayStatus
from fleet.ledger.edge import Edge
from fleet.ledger.query import LedgerUnreadable
from fleet.manifests.spec import FleetSpec
from fleet.supervisor.store import Store

BY: Final = "supervisor"
LOOK_EVERY_MS: Final = 60_000
ASLEEP: Final = "asleep: "
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sleep (
    market TEXT PRIMARY KEY, told TEXT NOT NULL, woke_ms INTEGER);
"""

Edges = Callable[[int, Mapping[str, int]], Mapping[str, Edge]]
"""(now, by market since when fills count) -> each market's finding. Raises ``LedgerUnreadable``."""


class Slept(msgspec.Struct, frozen=True):
    """``woke_ms`` None: it sleeps."""

    told: str
    woke_ms: int | None


class Sleep:
    """Owned by the supervisor's loop."""

    def __init__(self, store: Store, edges: Edges) -> None:
        self._store = store
        self._edges = edges
        store.db.executescript(_SCHEMA)
        rows = store.db.execute("SELECT market, told, woke_ms FROM sleep")
        self._kept = {str(market): Slept(told, woke_ms) for market, told, woke_ms in rows}
        self._due_ms = 0

    def reason(self, market: str) -> str | None:
        """Why it sleeps; None: it does not."""
        slept = self._kept.get(market)
        return ASLEEP + slept.told if slept is not None and slept.woke_ms is None else None

    async def turn(
        self,
        status: GatewayStatus,
        spec: FleetSpec,
        pause: Callable[[str], Awaitable[None]],
        call: Callable[[Callable[[], Mapping[str, Edge]]], Awaitable[Mapping[str, Edge]]],
        now_ms: int,
    ) -> None:
        """Note who was woken, and put to sleep whoever loses. What ``pause`` raises is passed on:
        the next look tries again.
        """
        paused = {view.market for view in status.markets if view.paused}
        for market, slept in self._kept.items():
            if slept.woke_ms is None and market not in paused:
                self._keep(market, Slept(slept.told, now_ms))
        if spec.risk.on_losing != "sleep" or status.halt is not None or now_ms < self._due_ms:
            return
        self._due_ms = now_ms + LOOK_EVERY_MS
        since = {name: slept.woke_ms or 0 for name, slept in self._kept.items()}
        try:
            found = await call(partial(self._edges, now_ms, since))
        except LedgerUnreadable:
            return
        awake = {v.market for v in status.markets if not v.paused and not v.draining}
        for market, edge in sorted(found.items()):
            if edge.finding == "loses" and market in awake and market in spec.markets:
                await pause(market)
                self._keep(market, Slept(f"{edge.text}; fleet unpause {market} wakes it", None))
                self._store.audit(BY, "sleep", market, edge.text, now_ms)

    def _keep(self, market: str, slept: Slept) -> None:
        self._store.db.execute(
            "INSERT OR REPLACE INTO sleep VALUES (?, ?, ?)", (market, slept.told, slept.woke_ms)
        )
        self._kept = {**self._kept, market: slept}


def no_edges(now_ms: int, since_ms: Mapping[str, int]) -> Mapping[str, Edge]:
    """Where no ledger is looked at."""
    del now_ms, since_ms
    return {}
