"""The supervisor's loop: observe, reconcile, carry out, twice a second; no failure ends it.

It acts only on what it saw in the same round. If gateway or cluster cannot be seen, nothing is
done: an absent answer is not an answer of absence.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

import msgspec

from agents.telemetry.logs import Log
from fleet.gateway.api import GatewayStatus, MarketView
from fleet.gateway.client import ApiFailure, Unreachable
from fleet.manifests.spec import FleetSpec
from fleet.supervisor.actions import Actions, Gateway, LeverageRefused
from fleet.supervisor.caps import caps_of
from fleet.supervisor.conductor import Conductor, Look
from fleet.supervisor.hours import shut_now
from fleet.supervisor.memory import Memory
from fleet.supervisor.phases import Phase, standing
from fleet.supervisor.ports import Cluster, ClusterAway
from fleet.supervisor.reconcile import (
    Conditions,
    Desired,
    Fail,
    Observed,
    SetLeverage,
    Start,
    Step,
    Stop,
    reconcile,
)
from fleet.supervisor.risk_keeper import RiskKeeper
from fleet.supervisor.sleep import Edges, Sleep, no_edges
from fleet.supervisor.store import MarketRow, Store
from fleet.supervisor.workflow import Workflow

ROUND_S: Final = 0.5
BUSY_ROUND_S: Final = 0.1
CALL_S: Final = 15.0
LOOK_S: Final = 3.0
DOWN_S: Final = 30.0
RAY: Final = "Ray"

T = TypeVar("T")


class Blind(msgspec.Struct, frozen=True):
    """What the loop could not see in its last round: ``gateway``, ``Ray``, or its own store."""

    what: str
    cause: str
    since_s: float


class NotSeen(Exception):
    """A look that came to nothing, so that the round ends: an absent answer means nothing."""

    def __init__(self, what: str, cause: Exception) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.what = what


class Loop:
    """One fleet's supervision. All methods belong to one event loop."""

    def __init__(
        self,
        store: Store,
        actions: Actions,
        cluster: Cluster,
        log: Log,
        look: Look,
        edges: Edges = no_edges,
    ) -> None:
        self._store = store
        self._actions = actions
        self.conductor = Conductor(store, look, log)
        self.workflow = Workflow(store, actions.gateway, log)
        self._cluster = cluster
        self._log = log
        self._memory = Memory()
        self._sleep = Sleep(store, edges)
        self._risk = RiskKeeper(cluster, self._call, log)
        self._wake = asyncio.Event()
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="supervisor")
        self._blind: Blind | None = None
        self._standing_down = False
        self._closing: set[str] = set()
        self._turn = asyncio.Lock()
        self.status: GatewayStatus | None = None
        self.turned_s = time.monotonic()

    @property
    def gateway(self) -> Gateway:
        """For what is only passed on; its calls block."""
        return self._actions.gateway

    async def run(self) -> None:
        """Turn for ever."""
        while True:
            busy = False
            try:
                async with self._turn:
                    if not self._standing_down:
                        busy = await self._round()
                self._see(None)
            except NotSeen as error:
                self._see(error.what, str(error))
            except (Unreachable, ApiFailure, ClusterAway, TimeoutError, sqlite3.Error) as error:
                what = "store" if isinstance(error, sqlite3.Error) else "answer"
                self._see(what, f"{type(error).__name__}: {error}")
            except Exception:  # noqa: BLE001 - whatever it is, the next turn may do better
                self._log.exception("round.failed")
            self.turned_s = time.monotonic()
            await self._pause(BUSY_ROUND_S if busy else ROUND_S)

    def wake(self, *markets: str) -> None:
        """Something is desired anew: look at once, and forgive these their record."""
        for market in markets:
            self._memory.forgive(market)
        self._standing_down = False
        self._wake.set()

    async def restart(self, market: str) -> None:
        """End its agent, if one runs, and forgive its record: a new one starts at once."""
        async with self._turn:
            if market in await self._look(self._cluster.markets):
                self._memory.stopping(market)
                await self._call(lambda: self._actions.revoke(market))
                await self._call(lambda: self._cluster.stop_agent(market))
        self.wake(market)

    async def tell(self, market: str, verb: str) -> None:
        """An operator's word for the gateway. ``ApiFailure``, ``Unreachable``, ``TimeoutError``."""
        await self._call(lambda: self._actions.tell(market, verb))

    async def explain(self, market: str) -> bytes | None:
        """What an agent says of its quotes. ``ClusterAway``, ``TimeoutError``."""
        return await self._call(lambda: self._cluster.explain(market))

    async def stand_down(self) -> list[str]:
        """End every agent and risk; returns what was ended. The store desires nothing by now."""
        self._standing_down = True
        async with self._turn:  # a round under way may still start something: after it, none will
            return await self._end_all()

    async def _end_all(self) -> list[str]:
        ended: set[str] = set()
        deadline_s = time.monotonic() + DOWN_S
        while time.monotonic() < deadline_s:
            running = await self._look(self._cluster.markets)
            risk = await self._look(self._cluster.risk_runs)
            if not running and not risk:
                break
            ended |= running
            for market in running:
                self._memory.stopping(market)
            await asyncio.gather(*(self._guarded(Stop(market, "fleet down")) for market in running))
            if risk:
                await self._call(self._cluster.stop_risk)
            await asyncio.sleep(BUSY_ROUND_S)
        return sorted(ended)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    @property
    def blind(self) -> Blind | None:
        """What it does not see, and so does nothing about; None while it sees."""
        return self._blind

    def _see(self, what: str | None, cause: str = "") -> None:
        """Note once when sight is lost, and once when it is back."""
        held = self._blind
        if what is None:
            self._blind = None
            if held is not None:
                self._log.info("sight.back")
        elif held is None or (held.what, held.cause) != (what, cause):
            same = held is not None and held.what == what
            since_s = held.since_s if held is not None and same else time.monotonic()
            self._blind = Blind(what, cause, since_s)
            self._log.warning("sight.lost", of=what, cause=cause)

    async def _look(self, ask: Callable[[], T], what: str = RAY) -> T:
        """``NotSeen`` where there is no answer in time."""
        try:
            return await self._call(ask, LOOK_S)
        except (Unreachable, ApiFailure, ClusterAway, TimeoutError) as error:
            raise NotSeen(what, error) from error

    async def _call(self, ask: Callable[[], T], /, patience_s: float = CALL_S) -> T:
        """``ask`` in a thread. ``TimeoutError`` if it takes too long; it may still happen."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, ask)
        async with asyncio.timeout(patience_s):
            return await future

    async def _round(self) -> bool:
        """One turn; whether a step was taken."""
        self.status = status = await self._look(self._actions.status, "gateway")
        running = await self._look(self._cluster.markets)
        risk_runs = await self._look(self._cluster.risk_runs)
        if self._standing_down:
            return False  # it was asked for while we looked: they are ended, and told, there
        now_ms = time.time_ns() // 1_000_000
        views = {view.market: view for view in status.markets}
        owned = {m for m in running if m in views and views[m].lease.owner == "agent"}
        rows = self._store.markets()
        for ended in self._memory.observe(running, owned, self._cluster.departure, now_ms):
            if ended.market in rows and rows[ended.market].desired:
                self._store.count_restart(ended.market)
            self._log.warning("agent.ended", market=ended.market, cause=ended.cause)
        revision = self._store.rev()
        if not revision:
            return False
        spec = self._store.spec(revision)
        shut = shut_now(spec, now_ms)
        left = {name for name, view in views.items() if view.draining}
        self._closing = (self._closing & left) | shut.keys()
        if self._drained_past_us(views, rows, now_ms):
            rows = self._store.markets()
        await self._tell_fleet(status, spec)
        pause = partial(self.tell, verb="pause")
        await self._sleep.turn(status, spec, pause, self._call, now_ms)
        if await self._conduct(status, rows, spec, now_ms):
            return True
        desired = self._desired(rows, shut)
        for row in rows.values():
            if not row.desired:
                self.workflow.forget(row.market)
        moved = await self.workflow.turn(status, desired, self._call, now_ms)
        hindered = self.workflow.hindrances(status, desired, now_ms)
        observed = {
            market: Observed(
                view=views.get(market) if market in desired else None,
                process=market in running,
                attempts=self._memory.attempts(market),
                leverage_revision=self._memory.leverage_revision(market),
                hindrance=hindered.get(market) or self._memory.refusal(market, now_ms),
            )
            for market in desired.keys() | running
        }
        conditions = Conditions(
            halted=status.halt is not None,
            link_up=status.link == "up",
            max_unavailable=spec.rollout.max_unavailable,
            start_parallel=spec.rollout.start_parallel,
        )
        steps = list(reconcile(desired, observed, conditions, now_ms))
        await asyncio.gather(*(self._guarded(step) for step in steps))
        await self._risk.keep(status.risk, wanted=bool(desired), running=risk_runs, now_ms=now_ms)
        halted = status.halt is not None
        self._note_phases(rows, desired, observed, shut, halted=halted, now_ms=now_ms)
        return bool(steps) or moved

    async def _tell_fleet(self, status: GatewayStatus, spec: FleetSpec) -> None:
        """What holds for all markets, where the gateway has it otherwise."""
        caps = caps_of(spec)
        if status.caps != caps:  # before any market is told its own: none trades without them
            await self._call(lambda: self._actions.put_caps(caps))
        buy_max_usd = spec.requests.buy_max_usd_per_day
        if status.allowance.buy_max_usd != buy_max_usd:
            await self._call(lambda: self._actions.put_requests(buy_max_usd))

    async def _conduct(
        self, status: GatewayStatus, rows: dict[str, MarketRow], spec: FleetSpec, now_ms: int
    ) -> bool:
        """The rollout's turn; whether it changed what is desired."""
        turned = self.conductor.turn(status, rows, spec.rollout, now_ms)
        for market in turned.pause:
            await self._call(partial(self._actions.tell, market, "pause"))
        for market in turned.wake:
            self._memory.forgive(market)
        return bool(turned.wake)

    def _desired(self, rows: dict[str, MarketRow], shut: Mapping[str, str]) -> dict[str, Desired]:
        """Markets that shall run, by their own revision's settings, and those that are leaving,
        be it until their hours are back; what is stopped is not looked at.
        """
        return {
            row.market: Desired(
                settings=self._store.spec(row.revision).markets.get(row.market)
                if row.desired and row.market not in shut
                else None,
                revision=row.revision,
                failed=row.phase is Phase.FAILED,
            )
            for row in rows.values()
            if row.desired or row.phase is Phase.DRAINING
        }

    def _drained_past_us(
        self,
        views: dict[str, MarketView],
        rows: dict[str, MarketRow],
        now_ms: int,
    ) -> bool:
        """Markets that an operator drained at the gateway while we were away: so it is desired."""
        gone = [
            market
            for market, row in rows.items()
            if row.desired
            and market not in self._closing
            and (view := views.get(market)) is not None
            and view.draining
            and view.revision == row.revision
        ]
        for market in gone:
            self._store.drain(market, "operator", "drained at the gateway", now_ms)
        return bool(gone)

    async def _guarded(self, step: Step) -> None:
        """Carry out one step; its failure is its own, and the next round tries again."""
        started_s = time.monotonic()
        try:
            await self._carry_out(step)
        except Exception as error:  # noqa: BLE001 - one market must never hold up the others
            self._log.warning("step.failed", step=repr(step), cause=f"{error}")
            return
        took_ms = round((time.monotonic() - started_s) * 1_000)
        self._log.info("step.done", step=type(step).__name__, market=step.market, took_ms=took_ms)

    async def _carry_out(self, step: Step) -> None:
        now_ms = time.time_ns() // 1_000_000
        match step:
            case Start(market=market):
                await self._call(lambda: self._cluster.start_agent(market))
                self._memory.started(market, now_ms)
            case Stop(market=market, cause=cause, fault=fault):
                if fault:
                    self._memory.blaming(market, cause)
                else:
                    self._memory.stopping(market)
                await self._call(lambda: self._actions.revoke(market))
                await self._call(lambda: self._cluster.stop_agent(market))
            case Fail(market=market, cause=cause):
                words = await self._call(lambda: self._cluster.last_lines(market))
                cause += f"; its log ends: {words}" if words else ""
                cause += f"; next: fleet logs {market}, then fleet restart {market}"
                self._store.note_phase(market, Phase.FAILED, cause, now_ms)
                self._store.audit("supervisor", "fail", market, cause, now_ms)
            case SetLeverage(market=market, revision=revision):
                try:
                    await self._call(lambda: self._actions.set_leverage(step, now_ms))
                except LeverageRefused as refused:
                    self._memory.leverage_refused(market, str(refused), now_ms)
                    raise
                self._memory.leverage_set(market, revision)
            case _:
                await self._call(lambda: self._actions.carry_out(step))

    def _note_phases(
        self,
        rows: dict[str, MarketRow],
        desired: dict[str, Desired],
        observed: dict[str, Observed],
        shut: Mapping[str, str],
        *,
        halted: bool,
        now_ms: int,
    ) -> None:
        for market in desired:
            row, seen = rows[market], observed[market]
            stands = standing(
                desired=row.desired and market not in shut,
                failed=row.reason if row.phase is Phase.FAILED else None,
                view=seen.view,
                halted=halted,
                cause=seen.attempts.cause,
                hindrance=seen.hindrance,
            )
            if row.desired and market in shut:
                stands = msgspec.structs.replace(stands, reason=shut[market])
            elif stands.phase is Phase.PAUSED and (why := self._sleep.reason(market)):
                stands = msgspec.structs.replace(stands, reason=why)
            if stands.phase is not row.phase or stands.reason != row.reason:
                self._store.note_phase(market, stands.phase, stands.reason, now_ms)
