"""The gateway at work: carries out what the core decides, on one event loop."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Final, Protocol

import msgspec
import structlog

from agents.exchange.codec import post_frame
from agents.exchange.errors import ExchangeError, MalformedFrame, OutcomeUnknown
from agents.exchange.http import Http
from agents.exchange.signing import L1Signer, exchange_body, pack
from agents.exchange.wire import ExchangeBody
from agents.market.units import MS_PER_S, NS_PER_S
from agents.telemetry.timings import OF_PROCESS
from fleet.gateway.alerts import Alerts
from fleet.gateway.core import agents, answers, cautions, feed_watch
from fleet.gateway.core.core import Core
from fleet.gateway.core.effects import (
    Alert,
    Ask,
    Cut,
    Effect,
    KeepCaps,
    KeepLeases,
    KeepMarket,
    KeepPurse,
    Record,
    Reply,
    Submit,
    Tell,
    Watch,
    WriteLatch,
)
from fleet.gateway.core.state import State
from fleet.gateway.keeping import Keeping
from fleet.gateway.log import ActionLog, sync
from fleet.gateway.records import Body, Sent
from fleet.gateway.store import Store
from fleet.gateway.upstream import HeldBack, Upstream

TICK_S: Final = 0.05
SYNC_S: Final = 0.2
MISSED_MS: Final = 2_500
"""So long nothing was heard of a connection that is pinged every 2 s: cancels take another way."""
_log = structlog.get_logger()
_json = msgspec.json.Encoder().encode


class Agent(Protocol):
    """One agent's connection, as the service sees it."""

    def push(self, data: bytes, slot: str | None) -> None: ...

    def cut(self) -> None: ...


class Gateway:
    """Key, log, files and connections round one ``Core``."""

    def __init__(self, core: Core, signer: L1Signer, log: ActionLog, store: Store) -> None:
        self.core = core
        self.state: State = core.state
        self.store = store
        self.http = Http(core.state.identity.url)
        self.upstream: Upstream | None = None
        self.watching: Callable[[Watch], None] | None = None
        self.agents: dict[int, Agent] = {}
        self.account_answers: dict[str, asyncio.Future[bytes]] = {}
        self.account_requests: dict[int, str] = {}
        self.alerts = Alerts(self._append)
        self._signer = signer
        self.state.signer = signer.address
        self._cautious_ms = 0
        self._log = log
        self.keeping = Keeping(core.state, log, store, self._alert)
        self._tasks: set[asyncio.Task[None]] = set()
        self._said_ns = 0  # when the agent's frame that is being carried out came; 0: none is
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._carry: dict[type[Effect], Callable[..., object]] = {
            Tell: self._tell, Cut: self._cut, Submit: self._submit, Ask: self._ask,
            Record: self._record, KeepMarket: self._keep_market, Watch: self._watch,
            WriteLatch: self._write_latch, Reply: self._reply, Alert: self._alert,
            KeepCaps: self._keep_caps, KeepPurse: self._keep_purse,
        }  # fmt: skip

    @property
    def key_address(self) -> str:
        """The address of the key that signs."""
        return self._signer.address

    def now_ns(self) -> int:
        """Unix time that never steps: the wall clock at the start, monotonic since."""
        return self._epoch_ns + time.monotonic_ns()

    def now_ms(self) -> int:
        return self.now_ns() // 1_000_000

    # ── events ───────────────────────────────────────────────────────────────────────────────

    def run(self, effects: Iterable[Effect]) -> None:
        """Carry effects out, in their order."""
        for effect in effects:
            if not isinstance(effect, KeepLeases):
                self._carry[type(effect)](effect)
            elif not self.keeping.leases() and effect.session:
                self.run(agents.unkept(self.state, effect.session, self.now_ms()))
                return

    def said(self, session: int, raw: bytes) -> None:
        self._said_ns = time.perf_counter_ns()
        self.run(self.core.said(session, raw, self.now_ms()))
        self._said_ns = 0

    def closed(self, session: int) -> None:
        self.agents.pop(session, None)
        self.run(self.core.closed(session, self.now_ms()))

    def venue_frame(self, raw: bytes) -> None:
        """A frame of the venue; one that can't be read is passed over, loudly."""
        came_ns = time.perf_counter_ns()
        try:
            self.run(self.core.venue_frame(raw, self.now_ms()))
        except MalformedFrame as error:
            _log.warning("venue.frame_malformed", error=str(error))
        OF_PROCESS.note("gateway_in", (time.perf_counter_ns() - came_ns) / NS_PER_S)

    def lost(self, reason: str) -> None:
        _log.warning("venue.link_lost", reason=reason)
        if self.state.link.state == "up":
            self.spawn(self.http.renew())  # what took this connection may have taken those
        self.run(self.core.link_lost(self.now_ms(), self._silent_ms()))

    def _silent_ms(self) -> int:
        return self.upstream.silent_ms if self.upstream is not None else 0

    def feed_lost(self, shard: int, silent_ms: int) -> None:
        """A connection that carries market data alone is gone."""
        self.run(self.core.feed_lost(shard, self.now_ms(), silent_ms))

    def refused_coin(self, coin: str, why: str) -> None:
        """The venue does not serve a coin's data."""
        self.run(feed_watch.refused(self.state, coin, why))

    async def tick(self) -> None:
        """Timers, for as long as the process lives."""
        while True:
            await asyncio.sleep(TICK_S)
            now_ms = self.now_ms()
            self._look_for_latch(now_ms)
            self.keeping.mend(now_ms, time.time_ns())
            self.run(self.core.tick(now_ms))
            if now_ms - self._cautious_ms >= MS_PER_S:
                self._cautious_ms = now_ms
                self.run(cautions.clock(self.state))

    def _look_for_latch(self, now_ms: int) -> None:
        if self.state.fence.latch is None and self.store.latched():
            latch = self.store.latch()
            if latch is not None:
                self.run(self.core.latch_found(latch, now_ms))

    async def sync(self) -> None:
        """Bring the log to the disk in a thread, at most 200 ms after it was written."""
        while True:
            await asyncio.sleep(SYNC_S)
            descriptor = self._log.take_dirty()
            if descriptor is not None:
                await asyncio.to_thread(sync, descriptor)

    # ── effects ──────────────────────────────────────────────────────────────────────────────

    def _tell(self, effect: Tell) -> None:
        agent = self.agents.get(effect.session)
        if agent is not None:
            agent.push(effect.data, effect.slot)

    def _cut(self, effect: Cut) -> None:
        agent = self.agents.get(effect.session)
        if agent is not None:
            agent.cut()

    def _reply(self, effect: Reply) -> None:
        """The venue's answer to an account action goes to whoever waits for it."""
        key = self.account_requests.pop(effect.request, None)
        waiting = self.account_answers.get(key) if key is not None else None
        if waiting is not None and not waiting.done():
            waiting.set_result(effect.data)

    def _record(self, effect: Record) -> None:
        self._append(effect.body)

    def _append(self, body: Body) -> bool:
        """False if the log can't be written: then nothing that adds risk may leave."""
        return self.keeping.append(body, time.time_ns())

    def _alert(self, effect: Alert) -> None:
        self.alerts.tell(effect)

    def _submit(self, effect: Submit) -> None:
        """Log, sign, send: in this order, and a placement only while no latch is on the disk."""
        opens = effect.placement and not effect.closing
        if opens and self._held_back(effect.request):
            return
        logged = self._append(
            Sent(effect.nonce, effect.market, effect.generation, _json(effect.action).decode())
        )
        if effect.placement and not logged:
            self._turn_away(effect.request, "fenced", "the action log can't be written")
            return
        signature = self._signer.sign(
            pack(effect.action), effect.nonce, expires_after_ms=effect.expires_ms
        )
        body = exchange_body(effect.action, effect.nonce, signature, effect.expires_ms)
        held_back = partial(self._held_back, effect.request) if opens else None
        if not effect.placement and self._silent_ms() > MISSED_MS:
            self.spawn(self._exchange(effect.request, body))
            return
        if self._send(post_frame(effect.request, body), held_back):
            if self._said_ns:
                took_ns = time.perf_counter_ns() - self._said_ns
                OF_PROCESS.note("gateway_out", took_ns / NS_PER_S)
            return
        if effect.placement:
            self._turn_away(effect.request, "link_down", "the venue's connection is down")
        else:
            self.spawn(self._exchange(effect.request, body))

    def _held_back(self, request: int) -> bool:
        """Whether a latch keeps a placement from leaving: asked before it is signed, and again as
        its bytes are about to leave, for whatever stopped this process in between.
        """
        if not self.store.latched():
            return False
        self._look_for_latch(self.now_ms())
        self._turn_away(request, "fenced", "halted")
        return True

    def _turn_away(self, request: int, reason: str, text: str) -> None:
        self.run(answers.not_sent(self.state, request, reason, text))

    def _send(self, data: bytes, held_back: HeldBack | None = None) -> bool:
        return self.upstream is not None and self.upstream.send(data, held_back)

    async def _exchange(self, request: int, body: ExchangeBody) -> None:
        """Cancels and noops by HTTP while the socket is down, or seems to be."""
        try:
            raw = await self.http.exchange(_json(body))
        except OutcomeUnknown:
            self.run(answers.unanswered(self.state, request, self.now_ms()))
        except ExchangeError as error:
            self._turn_away(request, "link_down", str(error))
        else:
            self.answered(request, msgspec.Raw(raw))

    def answered(self, request: int, payload: msgspec.Raw) -> None:
        try:
            self.run(answers.action(self.state, request, payload, self.now_ms()))
        except msgspec.MsgspecError as error:
            _log.warning("venue.answer_malformed", error=str(error))

    def _ask(self, effect: Ask) -> None:
        if not self._send(post_frame(effect.request, effect.payload, "info")):
            self.spawn(self._info(effect))

    async def _info(self, effect: Ask) -> None:
        try:
            raw = await self.http.info_raw(dict(effect.payload))
            self.run(answers.info(self.state, effect.request, raw, self.now_ms()))
        except (ExchangeError, msgspec.MsgspecError) as error:
            _log.warning("venue.info_failed", type=effect.payload.get("type"), error=str(error))
            self.run(answers.unanswered(self.state, effect.request, self.now_ms()))

    def _keep_market(self, effect: KeepMarket) -> None:
        self.keeping.market(effect)

    def _keep_purse(self, _: KeepPurse) -> None:
        self.keeping.purse()

    def _keep_caps(self, _: KeepCaps) -> None:
        self.keeping.caps()

    def _watch(self, effect: Watch) -> None:
        if self.watching is not None:
            self.watching(effect)

    def _write_latch(self, effect: WriteLatch) -> None:
        self.keeping.latch(effect.latch)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run something beside, and hold on to it until it is done."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
