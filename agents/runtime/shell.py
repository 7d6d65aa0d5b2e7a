"""One lease and one engine: frames in, commands out, one at a time; over a gateway restart too.

Nothing is sent once the lease may have run out: a process that was stopped, or whose loop was
stuck, wakes up with old frames in its buffers, and must not act on them.
"""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from agents.commands import (
    AskOpenOrders,
    AskOrder,
    Cancel,
    Command,
    Exit,
    Place,
    Renew,
    RequestFence,
)
from agents.engine import Engine
from agents.events import Event, Fills, Tick
from agents.exchange.codec import ErrorFrame, GwFrame, PostFrame, decode_frame
from agents.exchange.downstream import (
    Acquire,
    FenceMe,
    GatewayFrame,
    LeaseFrame,
    LeaseRefused,
    LinkFrame,
    Refusal,
    Release,
    Revoked,
    Unanswered,
)
from agents.exchange.errors import MalformedFrame, Unreachable
from agents.exchange.websocket import Connection
from agents.market.types import Coin
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.runtime import outbound
from agents.runtime.clock import Clock
from agents.runtime.departure import EXIT_BROKEN, Departure, Leave, lease_gone
from agents.runtime.inbound import event_of_gateway, events_of
from agents.runtime.journal import Journal
from agents.runtime.notes import note_command, note_event
from agents.runtime.rejoin import continuing, rejoin
from agents.runtime.requests import Asked, AskFills, Requests
from agents.runtime.reunion import SETTLE_NS, Settling, Told, open_state
from agents.telemetry.logs import Log

LEASE_WAIT_S: Final = 10.0
TICK_S: Final = 0.1
FILLS_BACK_MS: Final = 60_000
ASK_AGAIN_NS: Final = 2 * NS_PER_S


class _Missing(msgspec.Struct):
    """Fills that came while nobody was there to tell: asked for until they are answered."""

    ask: AskFills
    due_ns: int = 0


class Shell:
    """One market's process. ``sock``: where a restarted gateway is to be found again."""

    def __init__(
        self,
        acquired: Acquire,
        connection: Connection,
        sock: Path,
        log: Log,
        journal: Journal | None = None,
    ) -> None:
        self._market = Coin(acquired.market)
        self._acquired = acquired
        self._connection = connection
        self._sock = sock
        self._log = log
        self._journal = journal
        self._clock = Clock()
        self._requests = Requests(self._market)
        self._engine: Engine | None = None
        self._lease: LeaseFrame | None = None
        self._told: Told | None = None
        self._settling: Settling | None = None
        self._fence_owed: str | None = None
        self._missing: _Missing | None = None
        self._renewed_ns = 0
        self._link_seq: int | None = None
        self._malformed = 0
        self._turn = asyncio.Lock()  # one event at a time: commands leave in the order decided

    @property
    def connection(self) -> Connection:
        """The one in use now."""
        return self._connection

    async def run(self) -> Departure:
        """Serve until the lease, the gateway or the engine ends it."""
        departure = Departure(EXIT_BROKEN, "neither task ends by itself")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive())
                tasks.create_task(self._tick())
        except* Leave as left:
            first = left.exceptions[0]
            assert isinstance(first, Leave)
            departure = first.departure
        return departure

    async def _receive(self) -> None:
        while True:
            async for raw in self._connection:
                async with self._turn:
                    await self._take(raw)
            async with self._turn:
                await self._come_back()

    async def _tick(self) -> None:
        started_ns = self._clock.now_ns()
        while True:
            await asyncio.sleep(TICK_S)
            now_ns = self._clock.now_ns()
            if self._engine is None:
                if now_ns - started_ns > LEASE_WAIT_S * NS_PER_S:
                    raise lease_gone(f"no lease within {LEASE_WAIT_S:.0f} s")
                continue
            async with self._turn:
                await self._ask_fills()
                await self._settle()
                if self._settling is not None:
                    continue  # a tick would find the book old, and cancel what may stay
                for event in (*self._requests.overdue(self._clock.now_ns()), Tick()):
                    await self._feed(event)

    # ── over a gateway restart ───────────────────────────────────────────────────────────────

    async def _come_back(self) -> None:
        """The socket closed without a word: find the gateway again, under the same lease."""
        why = self._connection.close_reason or "no reason given"
        lease, engine = self._lease, self._engine
        if lease is None or engine is None:
            raise lease_gone(f"the gateway closed the socket: {why}")
        closed_ns = self._clock.now_ns()
        self._check_lease()
        self._log.warning("gateway.lost", reason=why, in_flight=len(self._requests))
        ask = continuing(self._acquired, lease.generation, engine.state.event_ns)
        self._connection, continued = await rejoin(self._sock, ask, why)
        now_ns = self._clock.now_ns()
        self._log.warning(
            "lease.continued", generation=lease.generation,
            away_ms=(now_ns - closed_ns) // NS_PER_MS,
            open_orders=len(continued.state.open_orders),
        )  # fmt: skip
        await self._resume(continued, closed_ns, now_ns)

    async def _resume(self, lease: LeaseFrame, closed_ns: int, now_ns: int) -> None:
        assert self._told is not None
        assert self._engine is not None
        known_ms = self._engine.state.position.last_fill_ms
        since_ms = max(known_ms, closed_ns // NS_PER_MS - FILLS_BACK_MS)
        self._missing = _Missing(AskFills(since_ms))
        self._lease, self._renewed_ns, self._link_seq = lease, now_ns, None
        self._settling = Settling(now_ns + SETTLE_NS)
        for frame in outbound.subscriptions(self._market):
            await self._send(frame)
        if self._fence_owed is not None:
            await self._carry_out(RequestFence(self._fence_owed))
        for event in (*self._requests.all_lost(), *open_state(lease, closed_ns)):
            await self._feed(event)
        for event in self._told.news(lease):
            await self._feed(event)
        await self._ask_fills()

    async def _ask_fills(self) -> None:
        """What traded since the last fill that the engine knows; it counts each one once."""
        missing, now_ns = self._missing, self._clock.now_ns()
        if missing is None or now_ns < missing.due_ns:
            return
        missing.due_ns = now_ns + ASK_AGAIN_NS
        await self._post(missing.ask)

    async def _settle(self) -> None:
        """End the settling once its time is up."""
        settling = self._settling
        if settling is not None and settling.over(self._clock.now_ns()):
            self._settling = None
            for event in settling.rest():
                await self._feed(event)

    # ── frames ───────────────────────────────────────────────────────────────────────────────

    async def _take(self, raw: bytes) -> None:
        try:
            frame = decode_frame(raw)
        except MalformedFrame as error:
            self._malformed += 1
            self._log.warning("frame.malformed", count=self._malformed, error=str(error))
            return
        match frame:
            case GwFrame(frame=inner):
                await self._take_gateway(inner)
            case PostFrame():
                answer = self._requests.answered(frame)
                if isinstance(answer, Fills):
                    self._missing = None
                await self._feed_some(answer)
            case ErrorFrame(text=text):
                self._log.warning("frame.error", text=text)
            case _:
                for event in events_of(frame, self._market):
                    await self._feed(event)

    async def _take_gateway(self, frame: GatewayFrame) -> None:
        match frame:
            case LeaseFrame():
                await self._begin(frame)
            case LeaseRefused(reason=reason, text=text):
                raise lease_gone(f"refused: {reason}: {text}")
            case Revoked(reason=reason):
                raise lease_gone(f"revoked: {reason}")
            case Refusal(id=post_id, reason=reason, text=text):
                await self._feed_some(self._requests.refused(post_id, reason, text))
            case Unanswered(id=post_id):
                await self._feed_some(self._requests.lost(post_id))
            case _:
                if isinstance(frame, LinkFrame):
                    self._check_sequence(frame.seq)
                await self._feed_some(event_of_gateway(frame, self._market))

    def _check_sequence(self, seq: int) -> None:
        """A hole means that we missed a gap: what we hold cannot be trusted, and we leave."""
        if self._link_seq is not None and seq != self._link_seq + 1:
            raise lease_gone(f"link frame {seq} after {self._link_seq}")
        self._link_seq = seq

    async def _begin(self, lease: LeaseFrame) -> None:
        if self._lease is not None:
            raise lease_gone("a second lease on one connection")
        now_ns = self._clock.now_ns()
        self._lease, self._renewed_ns = lease, now_ns
        self._engine, self._told = Engine(lease, now_ns), Told.of(lease)
        if self._journal is not None:
            self._journal.begin(lease, now_ns)
        self._log.info(
            "lease.taken", generation=lease.generation, revision=lease.revision,
            position_sz=str(lease.state.position_sz), open_orders=len(lease.state.open_orders),
        )  # fmt: skip
        for frame in outbound.subscriptions(self._market):
            await self._send(frame)
        await self._feed(Tick())

    async def _feed_some(self, event: Event | None) -> None:
        if event is not None:
            await self._feed(event)

    async def _feed(self, event: Event) -> None:
        if self._engine is None or self._told is None:
            return  # before the lease there is nobody to tell; the lease itself holds the state
        if self._settling is None:
            await self._handle(event)
            return
        admitted, settled = self._settling.admit(event, self._clock.now_ns())
        if settled:
            self._settling = None
        for each in admitted:
            await self._handle(each)

    async def _handle(self, event: Event) -> None:
        assert self._engine is not None
        assert self._told is not None
        self._check_lease()
        note_event(self._log, event)
        self._told.note(event)
        now_ns = self._clock.now_ns()
        commands = self._engine.handle(event, now_ns)
        if self._journal is not None:
            self._journal.note(event, now_ns, commands)
        for command in commands:
            note_command(self._log, command)
            await self._carry_out(command)

    def _check_lease(self) -> None:
        """Raise ``Leave`` if nothing was renewed for as long as a lease lasts."""
        lease = self._lease
        if lease is None:
            return
        silent_ms = (self._clock.now_ns() - self._renewed_ns) // NS_PER_MS
        if silent_ms >= lease.lease_ms:
            text = f"nothing renewed for {silent_ms} ms (the process was stopped, or stuck)"
            raise lease_gone(text)

    async def _carry_out(self, command: Command) -> None:
        assert self._lease is not None
        generation = self._lease.generation
        match command:
            case Place() | Cancel() | AskOpenOrders() | AskOrder():
                await self._post(command)
            case Renew():
                if await self._send(outbound.renew_frame(command, generation)):
                    self._renewed_ns = self._clock.now_ns()
            case RequestFence(reason=reason):
                sent = await self._send(outbound.gateway_frame(FenceMe(generation, reason)))
                self._fence_owed = None if sent else reason
            case Exit(code=code, reason=reason):
                if code == 0:
                    await self._send(outbound.gateway_frame(Release(generation, reason)))
                raise Leave(code, reason)
            case _:
                raise AssertionError(f"no way to carry out {command!r}")

    async def _post(self, asked: Asked) -> None:
        assert self._lease is not None
        post_id = self._requests.register(asked, self._clock.now_ns())
        asset_id, generation = self._lease.instrument.asset_id, self._lease.generation
        frame = outbound.post(asked, post_id, asset_id=asset_id, generation=generation)
        await self._send(frame)

    async def _send(self, frame: bytes) -> bool:
        """False if the connection is closed, as the receiving task is about to find out.

        What was asked for under an id then counts as lost, which is never wrong.
        """
        self._check_lease()
        try:
            await self._connection.send(frame)
        except Unreachable:
            return False
        return True
