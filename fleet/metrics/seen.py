"""Everything that a scrape shows, gathered once: gateway, ledger and the loops' own files."""

import contextlib
import time
from collections.abc import Iterable, Mapping

import msgspec

from agents.runtime.loops import LoopView
from fleet import loops
from fleet.folder import Folder
from fleet.gateway.api import GatewayStatus, MarketView
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.ledger import query
from fleet.ledger.peak import drawdown
from fleet.ledger.query import LedgerUnreadable, MarketPnl
from fleet.metrics.hour import Hour, hours
from fleet.processes import alive

GATEWAY_S = 2.0
SLOW_S = 20.0
PROCESSES = ("guard", "gateway", "ledger", "venue", "ray", "supervisor")


class MarketSeen(msgspec.Struct, frozen=True):
    """One market: the gateway's view, and what the ledger has of it, if anything.

    ``hour``: what its fills of the last hour were worth; at most ``SLOW_S`` old.
    """

    now_ms: int
    view: MarketView
    pnl: MarketPnl | None = None
    hour: Hour = {}


class Seen(msgspec.Struct, frozen=True):
    """All of one moment. ``gateway`` None: it does not answer, and its markets are not shown."""

    now_ms: int
    gateway: GatewayStatus | None
    markets: tuple[MarketSeen, ...] = ()
    drawdown_share: float | None = None
    processes: Mapping[str, bool] = {}
    loops: Mapping[str, LoopView] = {}


class Eye:
    """Looks at one fleet; what reads many fills is read anew each ``SLOW_S`` alone."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._slow_s: float | None = None
        self._hours: dict[str, Hour] = {}

    def look(self) -> Seen:
        """Raises nothing: what is away is left out, and is told by its absence."""
        folder, now_ms = self._folder, time.time_ns() // 1_000_000
        try:
            gateway: GatewayStatus | None = GatewayClient(folder, GATEWAY_S).status()
        except (Unreachable, ApiFailure, msgspec.MsgspecError):
            gateway = None
        pnls: dict[str, MarketPnl] = {}
        lost = None
        with contextlib.suppress(LedgerUnreadable):
            pnls = query.markets(folder.ledger_db, now_ms)
            lost = drawdown(folder.ledger_db)
            self._look_slowly([view.market for view in gateway.markets] if gateway else (), now_ms)
        markets = tuple(
            MarketSeen(now_ms, view, pnls.get(name), self._hours.get(name, {}))
            for name, view in ((v.market, v) for v in (gateway.markets if gateway else ()))
        )
        return Seen(
            now_ms=now_ms,
            gateway=gateway,
            markets=markets,
            drawdown_share=lost.share if lost else None,
            processes={name: alive(folder, name) is not None for name in PROCESSES},
            loops=loops.observed(folder, now_ms),
        )

    def _look_slowly(self, markets: Iterable[str], now_ms: int) -> None:
        now_s = time.monotonic()
        if self._slow_s is not None and now_s - self._slow_s < SLOW_S:
            return
        self._slow_s = now_s
        self._hours = hours(self._folder.ledger_db, markets, now_ms)
