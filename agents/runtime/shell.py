"""One conversation round a socket: frames and ticks, one at a time; over a gateway restart too."""

import asyncio
from pathlib import Path
from typing import Final, Literal

from agents.commands import Command, Place
from agents.events import Event
from agents.exchange.downstream import Acquire, LeaseFrame
from agents.exchange.errors import Unreachable
from agents.exchange.websocket import Connection
from agents.handlers.explain import Explanation
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.runtime.beliefs import SAVE_FIRST_S, SAVE_S, Beliefs
from agents.runtime.clock import Clock
from agents.runtime.conversation import Conversation, Say
from agents.runtime.departure import EXIT_BROKEN, Departure, Leave
from agents.runtime.journal import Journal
from agents.runtime.journalled import Journalled
from agents.runtime.notes import note_command, note_event
from agents.runtime.rejoin import rejoin
from agents.telemetry.logs import Log
from agents.telemetry.timings import OF_PROCESS

TICK_S: Final = 0.1


class Shell:
    """One market's process. ``sock``: where a restarted gateway is to be found again."""

    def __init__(
        self,
        acquired: Acquire,
        connection: Connection,
        sock: Path,
        log: Log,
        journal: Journal | None = None,
        beliefs: Beliefs | None = None,
    ) -> None:
        self._conversation = (
            Conversation(acquired, self) if journal is None else Journalled(acquired, self, journal)
        )
        self._connection = connection
        self._sock = sock
        self._log = log
        self._clock = Clock()
        self._beliefs = beliefs
        self._found: bytes | None = None
        self._odd = 0
        self._placed = False
        self._turn = asyncio.Lock()  # one event at a time: commands leave in the order decided

    @property
    def connection(self) -> Connection:
        """The one in use now."""
        return self._connection

    def explain(self) -> Explanation | None:
        """Why it quotes as it does; None before there is a lease. To be asked in our own loop."""
        engine = self._conversation.engine
        return None if engine is None else engine.explain(self._clock.now_ns())

    async def run(self) -> Departure:
        """Serve until the lease, the gateway or the engine ends it."""
        departure = Departure(EXIT_BROKEN, "no task ends by itself")
        if self._beliefs is not None:
            self._found = self._beliefs.read(self._clock.now_ns() // NS_PER_MS)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive())
                tasks.create_task(self._tick())
                tasks.create_task(self._keep())
        except* Leave as left:
            first = left.exceptions[0]
            assert isinstance(first, Leave)
            departure = first.departure
            self._keep_last()
        return departure

    async def _keep(self) -> None:
        """Now and then what is believed is stored for whoever comes after."""
        wait_s = SAVE_FIRST_S
        while True:
            await asyncio.sleep(wait_s)
            wait_s = SAVE_S
            engine = self._conversation.engine
            if engine is not None and self._beliefs is not None:
                await self._beliefs.save(engine.state.panel)

    def _keep_last(self) -> None:
        """Not by a process that slept over the end of its lease: the next one knows better."""
        engine = self._conversation.engine
        if engine is None or self._beliefs is None:
            return
        if self._conversation.leased(self._clock.now_ns()):
            self._beliefs.save_last(engine.state.panel)

    async def _receive(self) -> None:
        while True:
            async for raw in self._connection:
                came_ns = self._clock.now_ns()
                async with self._turn:
                    self._placed = False
                    await self._say(self._take(raw, self._clock.now_ns()))
                    if self._placed:
                        took_s = (self._clock.now_ns() - came_ns) / NS_PER_S
                        OF_PROCESS.note("tick_to_order", took_s)
            async with self._turn:
                await self._come_back()

    def _take(self, raw: bytes, now_ns: int) -> list[Say]:
        """A frame; behind the one that begins the lease, what was found of old beliefs."""
        says = self._conversation.take(raw, now_ns)
        if self._found is not None and self._conversation.engine is not None:
            found, self._found = self._found, None
            says += self._conversation.remember(found, now_ns)
        return says

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            async with self._turn:
                await self._say(self._conversation.tick(self._clock.now_ns()))

    async def _come_back(self) -> None:
        """The socket closed without a word: find the gateway again, under the same lease."""
        why = self._connection.close_reason or "no reason given"
        closed_ns = self._clock.now_ns()
        ask = self._conversation.lost(why, closed_ns)
        if ask is None:
            await self._say([])
            return
        self._log.warning("gateway.lost", reason=why, in_flight=self._conversation.in_flight)
        self._connection, lease = await rejoin(self._sock, ask, why)
        now_ns = self._clock.now_ns()
        self._log.warning(
            "lease.continued", generation=lease.generation,
            away_ms=(now_ns - closed_ns) // NS_PER_MS, open_orders=len(lease.state.open_orders),
        )  # fmt: skip
        await self._say(self._conversation.continued(lease, now_ns))

    async def _say(self, says: list[Say]) -> None:
        """Send, in order; raise ``Leave`` once there is no lease any more."""
        for say in says:
            if not self._conversation.may_say(self._clock.now_ns()):
                break
            sent = await self._sent(say.data)
            self._conversation.said(say, self._clock.now_ns(), sent=sent)
        left = self._conversation.left
        if left is not None:
            raise Leave(left.code, left.reason)

    async def _sent(self, frame: bytes) -> bool:
        """False if the connection is closed, as the receiving task is about to find out."""
        try:
            await self._connection.send(frame)
        except Unreachable:
            return False
        return True

    # ── what the conversation tells ──────────────────────────────────────────────────────────

    def begun(self, lease: LeaseFrame, _now_ns: int) -> None:
        self._log.info(
            "lease.taken", generation=lease.generation, revision=lease.revision,
            position_sz=str(lease.state.position_sz), open_orders=len(lease.state.open_orders),
        )  # fmt: skip

    def seen(self, event: Event, _now_ns: int, commands: list[Command]) -> None:
        note_event(self._log, event)
        for command in commands:
            self._placed = self._placed or isinstance(command, Place)
            note_command(self._log, command)

    def odd(self, what: Literal["malformed", "error"], text: str) -> None:
        self._odd += 1
        self._log.warning(f"frame.{what}", count=self._odd, error=text)
