"""Keeps the risk actor running while anything is desired, with the same patience as an agent."""

from typing import Final

from agents.telemetry.logs import Log
from fleet.gateway.api import RiskView
from fleet.supervisor.attempts import Attempts
from fleet.supervisor.ports import Cluster
from fleet.supervisor.treasury import Call

RISK_SILENT_MS: Final = 20_000
"""A risk actor that is not heard for so long hangs; its start and first round take a few."""


class RiskKeeper:
    """One that runs and is not heard is ended: no agent adds risk without its word."""

    def __init__(self, cluster: Cluster, call: Call, log: Log) -> None:
        self._cluster = cluster
        self._call = call
        self._log = log
        self._attempts = Attempts()
        self._live = False
        self._heard_ms: int | None = None

    async def keep(
        self, seen: RiskView | None, *, wanted: bool, running: bool, now_ms: int
    ) -> None:
        """``seen``: what the gateway last heard of it. ``ClusterAway``, ``TimeoutError``."""
        if not running or self._heard_ms is None:
            self._heard_ms = now_ms
        elif seen is not None:
            self._heard_ms = max(self._heard_ms, now_ms - seen.age_ms)
        if now_ms - self._heard_ms >= RISK_SILENT_MS:
            self._log.warning("risk.silent", for_ms=now_ms - self._heard_ms)
            self._heard_ms = now_ms
            await self._call(self._cluster.stop_risk)
        if self._live and not running:
            self._attempts = self._attempts.ended(None, now_ms)
            self._log.warning("risk.ended")
        self._live = running
        if running:
            self._attempts = self._attempts.owned(now_ms)
        elif wanted and now_ms >= self._attempts.due_ms():
            await self._call(self._cluster.start_risk)
            self._attempts, self._live = self._attempts.started(now_ms), True
            self._log.info("risk.started")
