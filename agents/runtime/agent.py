"""The asyncio shell round one engine: carries frames in and commands out, and decides nothing.

A process acquires its market once. Whoever is refused, revoked or cut off ends with code 75, and
whoever supervises starts a new process under a new generation. Two tasks feed the engine, frames
and ticks, one at a time; a gateway that reads slowly slows us, so nothing queues here.
"""

import asyncio
import contextlib
import os
import secrets
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
from agents.events import Event, Tick
from agents.exchange.codec import ErrorFrame, GwFrame, PostFrame, decode_frame
from agents.exchange.downstream import (
    EXIT_LEASE_LOST,
    PROTOCOL_VERSION,
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
from agents.exchange.websocket import Connection, connect
from agents.market.types import Coin
from agents.runtime import outbound
from agents.runtime.clock import Clock
from agents.runtime.inbound import event_of_gateway, events_of
from agents.runtime.notes import note_command, note_event
from agents.runtime.requests import Requests
from agents.telemetry.logs import Log, open_log

LEASE_WAIT_S: Final = 10.0
TICK_S: Final = 0.1
EXIT_BROKEN: Final = 1
_CLOSE_WAIT_S: Final = 1.0


class Departure(msgspec.Struct, frozen=True):
    """Why an agent left. ``code``: 0 drained and released, 75 lease gone, 1 a fault of ours."""

    code: int
    reason: str


class _Leave(Exception):
    """Ends both tasks at once."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.departure = Departure(code, reason)


class _Shell:
    """One connection, one lease, one engine."""

    def __init__(self, market: Coin, connection: Connection, log: Log) -> None:
        self._market = market
        self._connection = connection
        self._log = log
        self._clock = Clock()
        self._requests = Requests(market)
        self._engine: Engine | None = None
        self._lease: LeaseFrame | None = None
        self._link_seq: int | None = None
        self._malformed = 0
        self._turn = asyncio.Lock()  # one event at a time: commands leave in the order decided

    async def run(self) -> Departure:
        """Serve until the lease, the connection or the engine ends it."""
        departure = Departure(EXIT_BROKEN, "neither task ends by itself")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive())
                tasks.create_task(self._tick())
        except* Unreachable as lost:
            departure = Departure(EXIT_LEASE_LOST, f"the gateway is gone: {lost.exceptions[0]}")
        except* _Leave as left:
            first = left.exceptions[0]
            assert isinstance(first, _Leave)
            departure = first.departure
        return departure

    async def _receive(self) -> None:
        async for raw in self._connection:
            async with self._turn:
                await self._take(raw)
        why = self._connection.close_reason or "no reason given"
        raise _Leave(EXIT_LEASE_LOST, f"the gateway closed the socket: {why}")

    async def _tick(self) -> None:
        started_ns = self._clock.now_ns()
        while True:
            await asyncio.sleep(TICK_S)
            now_ns = self._clock.now_ns()
            if self._engine is None:
                if now_ns - started_ns > LEASE_WAIT_S * 1_000_000_000:
                    raise _Leave(EXIT_LEASE_LOST, f"no lease within {LEASE_WAIT_S:.0f} s")
                continue
            async with self._turn:
                for event in (*self._requests.overdue(now_ns), Tick()):
                    await self._feed(event)

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
                await self._feed_some(self._requests.answered(frame))
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
                raise _Leave(EXIT_LEASE_LOST, f"refused: {reason}: {text}")
            case Revoked(reason=reason):
                raise _Leave(EXIT_LEASE_LOST, f"revoked: {reason}")
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
            raise _Leave(EXIT_LEASE_LOST, f"link frame {seq} after {self._link_seq}")
        self._link_seq = seq

    async def _begin(self, lease: LeaseFrame) -> None:
        if self._lease is not None:
            raise _Leave(EXIT_LEASE_LOST, "a second lease on one connection")
        self._lease = lease
        self._engine = Engine(lease, self._clock.now_ns())
        self._log.info(
            "lease.taken", generation=lease.generation, revision=lease.revision,
            position_sz=str(lease.state.position_sz), open_orders=len(lease.state.open_orders),
        )  # fmt: skip
        for frame in outbound.subscriptions(self._market):
            await self._connection.send(frame)
        await self._feed(Tick())

    async def _feed_some(self, event: Event | None) -> None:
        if event is not None:
            await self._feed(event)

    async def _feed(self, event: Event) -> None:
        if self._engine is None:
            return  # before the lease there is nobody to tell; the lease itself holds the state
        note_event(self._log, event)
        for command in self._engine.handle(event, self._clock.now_ns()):
            note_command(self._log, command)
            await self._carry_out(command)

    async def _carry_out(self, command: Command) -> None:
        assert self._lease is not None
        generation = self._lease.generation
        match command:
            case Place() | Cancel() | AskOpenOrders() | AskOrder():
                post_id = self._requests.register(command, self._clock.now_ns())
                asset_id = self._lease.instrument.asset_id
                frame = outbound.post(command, post_id, asset_id=asset_id, generation=generation)
                await self._connection.send(frame)
            case Renew():
                await self._connection.send(outbound.renew_frame(command, generation))
            case RequestFence(reason=reason):
                await self._connection.send(outbound.gateway_frame(FenceMe(generation, reason)))
            case Exit(code=code, reason=reason):
                if code == 0:
                    frame = outbound.gateway_frame(Release(generation, reason))
                    await self._connection.send(frame)
                raise _Leave(code, reason)
            case _:
                raise AssertionError(f"no way to carry out {command!r}")


async def run_agent(market: str, sock: Path, token: str, log_path: Path, build: str) -> Departure:
    """Make one market until the lease is gone or the engine leaves; never raises for either.

    ``sock``: the gateway's Unix socket; ``token``: the fleet's, as text. The code of the departure
    is the process's exit code.
    """
    log = open_log(log_path, market=market, pid=os.getpid())
    log.info("agent.start", build=build)
    try:
        departure = await _serve(Coin(market), sock, token, build, log)
    except Exception as error:
        log.exception("agent.broken", error=repr(error))
        departure = Departure(EXIT_BROKEN, f"{type(error).__name__}: {error}")
    log.info("agent.exit", code=departure.code, reason=departure.reason)
    return departure


async def _serve(market: Coin, sock: Path, token: str, build: str, log: Log) -> Departure:
    try:
        connection = await connect("ws://localhost/ws", unix_path=str(sock))
    except Unreachable as error:
        return Departure(EXIT_LEASE_LOST, str(error))
    try:
        acquire = Acquire(
            market=market, protocol=PROTOCOL_VERSION, build=build, token=token,
            process=secrets.token_hex(8), pid=os.getpid(),
        )  # fmt: skip
        await connection.send(outbound.gateway_frame(acquire))
        return await _Shell(market, connection, log).run()
    except Unreachable as error:
        return Departure(EXIT_LEASE_LOST, str(error))
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_WAIT_S):
                await connection.close()
