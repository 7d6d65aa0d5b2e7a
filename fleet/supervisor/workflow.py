"""What a market passes before its agent starts, and what its margin needs while it runs.

    preflight    here: is it listed, is the leverage allowed, is the account's mode standard
    collateral   here: the DEX covers the margins of its markets, else a transfer, until it shows
    leverage     reconcile's step, with the margin mode
    start        reconcile's step
    reconcile, warm up, quote    the agent's own phases

Each step is found again by who looks: the row in ``begun``, the transfer's row, the venue's own
setting, the actor by its name, the lease. So a supervisor that dies at any of them goes on there.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

import msgspec

from agents.settings import MarketSettings
from agents.telemetry.logs import Log
from fleet.gateway.api import GatewayStatus, MarketView
from fleet.gateway.client import ApiFailure, Unreachable
from fleet.supervisor.actions import Gateway
from fleet.supervisor.begun import BegunBook
from fleet.supervisor.collateral import dex_of, margins_usd, unfit
from fleet.supervisor.margins import action, top_up
from fleet.supervisor.reconcile import Desired
from fleet.supervisor.store import Store
from fleet.supervisor.treasury import Call, Treasury, Wanted

TOP_UP_EVERY_MS: Final = 10_000


class Workflow:
    """Owned by the supervisor's loop."""

    def __init__(self, store: Store, gateway: Gateway, log: Log) -> None:
        self.treasury = Treasury(store.db, gateway, log)
        self._begun = BegunBook(store.db)
        self._gateway = gateway
        self._log = log
        self._mode: tuple[int, str] | None = None
        self._topped_ms: dict[str, int] = {}
        self._failing = ""

    async def turn(
        self, status: GatewayStatus, desired: Mapping[str, Desired], call: Call, now_ms: int
    ) -> bool:
        """At most one transfer, and the top-ups that are due; whether something was done.

        A question that is not answered holds up no other market: the next round asks again.
        """
        if status.link != "up":
            return False
        try:
            moved = await self._turn(status, desired, call, now_ms)
        except (Unreachable, ApiFailure, TimeoutError) as error:
            cause = f"{type(error).__name__}: {error}"
            if cause != self._failing:
                self._log.warning("workflow.failed", cause=cause)
            self._failing = cause
            return False
        self._failing = ""
        return moved

    async def _turn(
        self, status: GatewayStatus, desired: Mapping[str, Desired], call: Call, now_ms: int
    ) -> bool:
        begins = self._begins(desired)
        if begins:
            await self._ask_mode(status, max(want.revision for want in begins.values()), call)
        wanted = _wanted(desired, begins)
        moved = await self.treasury.turn(status, wanted, call)
        for view in status.markets:
            moved = await self._top_up(view, status, call, now_ms) or moved
        return moved

    def hindrances(
        self, status: GatewayStatus, desired: Mapping[str, Desired], now_ms: int
    ) -> dict[str, str]:
        """By market, why its agent may not start yet, for people; what passes is written down.

        One that began under an older revision waits for no money: it may hold a position.
        """
        begins = self._begins(desired)
        if not begins or status.link != "up":
            return {}
        short = self.treasury.short(status, _wanted(desired, begins))
        views = {view.market: view for view in status.markets}
        found: dict[str, str] = {}
        for market, want in begins.items():
            view, settings = views.get(market), want.settings
            if view is None or settings is None:
                continue  # the gateway gets its settings first
            mode = self._mode[1] if self._mode is not None else None
            unasked = self._mode is None or self._mode[0] < want.revision
            why = unfit(settings, view.instrument, mode)
            waits = "the account's mode is not known yet" if unasked else short.get(dex_of(market))
            if why is None and waits is None:
                self._begun.note(market, want.revision, now_ms)
            elif why is not None or not self._begun.ever(market):
                found[market] = why or waits or ""
        return found

    def forget(self, market: str) -> None:
        """It shall run no more."""
        self._begun.forget(market)

    def _begins(self, desired: Mapping[str, Desired]) -> dict[str, Desired]:
        return {
            market: want
            for market, want in desired.items()
            if want.settings is not None
            and not want.failed
            and not self._begun.has(market, want.revision)
        }

    async def _ask_mode(self, status: GatewayStatus, revision: int, call: Call) -> None:
        """The account's mode, once a revision: in some of them margin is not per DEX."""
        if self._mode is not None and self._mode[0] >= revision:
            return
        request = {"type": "userAbstraction", "user": status.address}
        told = await call(partial(self._gateway.post, "/v1/info", request))
        self._mode = (revision, told if isinstance(told, str) else "")

    async def _top_up(
        self, view: MarketView, status: GatewayStatus, call: Call, now_ms: int
    ) -> bool:
        dex = next((each for each in status.dexes if each.dex == dex_of(view.market)), None)
        if dex is None or view.instrument is None or status.link != "up":
            return False
        if now_ms - self._topped_ms.get(view.market, 0) < TOP_UP_EVERY_MS:
            return False
        step = top_up(view, dex)
        if step is None:
            return False
        self._topped_ms[view.market] = now_ms
        answer = await call(
            partial(self._gateway.post, "/v1/actions", action(step, view.instrument))
        )
        told = msgspec.json.encode(answer).decode()
        self._log.info("margin.topped_up", market=view.market, amount=str(step.amount), answer=told)
        return True


def _wanted(desired: Mapping[str, Desired], begins: Iterable[str]) -> Wanted:
    settings: list[MarketSettings] = [
        want.settings for want in desired.values() if want.settings is not None
    ]
    return Wanted(margins_usd(settings), frozenset(dex_of(market) for market in begins))
