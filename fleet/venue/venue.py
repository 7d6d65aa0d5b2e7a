"""The venue at work: blocks by the clock, actions and their answers, feeds with their delays."""

import asyncio
import random
from decimal import Decimal
from functools import partial
from typing import Final

from agents.market.units import NS_PER_MS, NS_PER_S
from agents.sim.latency import Delays
from agents.sim.outputs import Answered
from agents.sim.tape import TapeFrame
from fleet.venue.clock import Clock, ManualClock, settle
from fleet.venue.config import Options
from fleet.venue.connection import Connection
from fleet.venue.door import Door, Refused, letter
from fleet.venue.faults import Faults, Plan
from fleet.venue.feeds import Feeds, Frame, frame
from fleet.venue.hub import Hub
from fleet.venue.limits import (
    CONNECTIONS_MAX,
    MESSAGES_MAX,
    NEW_CONNECTIONS_MAX,
    IpWeights,
    action_weight,
    info_weight,
    rows_weight,
)
from fleet.venue.line import Line
from fleet.venue.memory import Memory
from fleet.venue.refusals import TurnedAway
from fleet.venue.subscriptions import Json, Key
from fleet.venue.world import RuledWorld, Step, build

FLOW_MS: Final = 70
LOOPBACK: Final = "127.0.0.1"


class Venue:
    """One exchange behind its door. Time is the clock's: it is asked, never assumed."""

    def __init__(self, options: Options, clock: Clock) -> None:
        """Builds the world and takes the state over. Raises TapeError or StateError."""
        self._clock = clock
        self._at_once = options.block_ms == 0
        self.block_ns = (options.block_ms or FLOW_MS) * NS_PER_MS
        self._next_ns = clock.now_ns()
        self._delays = Delays(options.latency_ms, random.Random(options.seed + 1))
        self.world: RuledWorld = build(options)
        self.exchange = self.world.exchange
        self.universe = self.world.universe
        self._door = Door(self.exchange, mainnet=options.flavour == "mainnet")
        self.faults = Faults(random.Random(options.seed + 2))
        self.hub = Hub()
        self.connections: set[Connection] = set()
        self._line = Line(clock)
        self._weights = IpWeights() if options.limited else None
        self._arrivals = IpWeights(NEW_CONNECTIONS_MAX)
        self._messages = IpWeights(MESSAGES_MAX)
        self._feeds = Feeds(self.world, wanted=self.hub.__contains__, keys=self.hub.keys)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._tickets = 0
        self._actors: set[str] = set()
        self.memory = Memory(self.world, options.state)
        self.blocks = self.exchange_requests = self.info_requests = self.complaints = 0
        self._open(options.fund)

    @property
    def now_ns(self) -> int:
        return self._clock.now_ns()

    @property
    def now_ms(self) -> int:
        return self._clock.now_ns() // NS_PER_MS

    @property
    def limited(self) -> bool:
        """Whether limits count what an IP address does, not only a connection."""
        return self._weights is not None

    def welcome(self, ip: str) -> None:
        """Raises TurnedAway (429) if the address has all the WebSockets, or new ones, it may."""
        if not self.limited:
            return
        if sum(connection.ip == ip for connection in self.connections) >= CONNECTIONS_MAX:
            raise TurnedAway(429)
        self._arrivals.charge(ip, 1, self._clock.now_ns())

    def hear(self, ip: str) -> None:
        """Raises TurnedAway (429) if the address said too much over its WebSockets this minute."""
        if self.limited:
            self._messages.charge(ip, 1, self._clock.now_ns())

    @property
    def turned_away(self) -> int:
        """How often a limit of an address was met: weight, connections, messages."""
        counted = (self._weights, self._arrivals, self._messages)
        return sum(each.refused for each in counted if each is not None)

    @property
    def manual(self) -> bool:
        """Whether time goes on by ``step`` alone."""
        return isinstance(self._clock, ManualClock)

    # ── requests ─────────────────────────────────────────────────────────────────────────────

    async def info(self, request: Json, ip: str = LOOPBACK) -> object:
        """A JSON-ready answer of the moment half way. Raises UnknownRequest (422) or TurnedAway."""
        self.info_requests += 1
        self._admit(ip, info_weight(request))
        half_s = 0.5 * self._delays.feed_s()
        await self._pause(half_s)
        answer = self._feeds.info(request, self.now_ms)
        if self._weights is not None:
            self._weights.add(ip, rows_weight(request, answer), self._clock.now_ns())
        await self._pause(half_s)
        return self.faults.list_of(request.get("type"), answer)

    async def act(self, body: Json, ip: str = LOOPBACK) -> Json:
        """One signed action, through its delays and its block.

        Raises UnknownRequest (422) or TurnedAway where nothing happened, AnswerLost where it did.
        """
        self.exchange_requests += 1
        self._admit(ip, action_weight(body))
        found = letter(body)
        sent = found.envelope
        await self._pause(self._delays.request_s())
        try:
            signer = self._door.signer(sent)
        except Refused as refused:
            return {"status": "err", "response": str(refused)}
        await self._pause(self.faults.hold_s(sent.action.get("type")))
        self._tickets += 1
        ticket = self._tickets
        self._actors |= {signer, self.exchange.master(signer), sent.vault_address or signer}
        self.exchange.submit(
            ticket,
            signer,
            found.action,
            sent.nonce,
            vault=sent.vault_address,
            expires_after_ms=sent.expires_after,
        )
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[ticket] = answer
        if self._at_once:
            self._told(self.world.run_queue(self.now_ns))
        payload = await answer
        await self._pause(self._delays.answer_s() + self.faults.answer_s())
        self.faults.keep_answer()
        return payload

    def _admit(self, ip: str, weight: int) -> None:
        """Raises TurnedAway in a burst of faults, or beyond the weight that an address has."""
        now_ns = self._clock.now_ns()
        self.faults.admit(now_ns)
        if self._weights is not None:
            self._weights.charge(ip, weight, now_ns)

    # ── faults ───────────────────────────────────────────────────────────────────────────────

    def misbehave(self, plan: Plan) -> None:
        """Follow this plan of faults from now on."""
        self.faults.take(plan, self._clock.now_ns())
        self.exchange.set_post_only(post_only=plan.post_only)
        self.world.hold_oracles(plan.still_oracle)
        for connection in tuple(self.connections):
            if plan.cut_connections:
                connection.drop()
            else:
                connection.freeze(plan.freeze_connections_s)

    async def thawed(self) -> None:
        """Returns once requests and answers move again."""
        await self._pause(self.faults.frozen_s(self._clock.now_ns()))

    # ── feeds ────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, key: Key, connection: Connection, canonical: Json) -> bool:
        """Ack, snapshot, then what follows, in this order. False: it is subscribed already."""
        if not self.hub.add(key, connection):
            return False
        ack = frame("subscriptionResponse", {"method": "subscribe", "subscription": canonical})
        frames = [ack, *self._feeds.snapshot(key, self.now_ms)]

        def deliver() -> None:
            for each in frames:
                connection.send(each)
            self.hub.activate(key, connection)

        self._line.put(self._delays.feed_s(), deliver)
        return True

    def unsubscribe(self, key: Key, connection: Connection, canonical: Json) -> bool:
        """False: it was not subscribed."""
        if not self.hub.remove(key, connection):
            return False
        ack = frame("subscriptionResponse", {"method": "unsubscribe", "subscription": canonical})
        self._line.put(self._delays.feed_s(), lambda: connection.send(ack))
        return True

    # ── blocks ───────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Run blocks and deliver feeds until cancelled. Raises StateError.

        Under a manual clock only the first block runs by itself.
        """
        loop = asyncio.get_running_loop()
        if isinstance(self._clock, ManualClock):
            await self.step(self._clock.now_ns())
            await loop.create_future()
        next_s = loop.time()
        while True:
            self.block()
            await self.memory.tidy()
            # A late block is not made up for: blocks are at least their interval apart.
            next_s = max(next_s + self.block_ns / NS_PER_S, loop.time())
            await asyncio.sleep(next_s - loop.time())

    async def step(self, until_ns: int) -> None:
        """Let a manual clock go on to this time, with a block at the end of each interval."""
        assert isinstance(self._clock, ManualClock)
        while self._next_ns <= until_ns:
            await self._clock.forward(self._next_ns)
            self.block()
            await settle()
            await self.memory.tidy()
            self._next_ns += self.block_ns
        await self._clock.forward(until_ns)

    async def close(self) -> None:
        """Write what is not yet written; the blocks must have ended. Raises StateError."""
        await self.memory.close()

    def _open(self, fund: dict[str, Decimal]) -> None:
        """Take the state over, then fund those addresses that it does not know."""
        self.memory.recall()
        self.exchange.begin(self.now_ms)
        for address, usd in fund.items():
            role = self.exchange.info({"type": "userRole", "user": address}, self.now_ms)
            if role == {"role": "missing"}:
                self.exchange.fund(address.lower(), usd)
        self.memory.save_now()

    def block(self) -> None:
        """Run one block at the clock's time; answers are ready, feeds under way.

        Raises StateError: what cannot be kept is not told either.
        """
        self._told(self.world.step(self.now_ns))

    def _told(self, step: Step) -> None:
        """Keep, answer and publish what a block brought."""
        self.blocks += 1
        self.memory.keep(step.outputs, self._actors)
        self._actors.clear()
        for output in step.outputs:
            if isinstance(output, Answered):
                waiting = self._waiting.pop(output.ticket, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(output.payload)
        frames = self._taped(step.frames) + self._feeds.block(step.outputs, self.now_ms)
        if frames:
            self._line.put(self._delays.feed_s(), lambda: self._publish(frames))

    def _publish(self, frames: list[Frame]) -> None:
        for key, data in frames:
            for delay_s, sent in self.faults.send(key, data):
                if delay_s == 0.0:
                    self.hub.publish(key, sent)
                else:
                    self._clock.call_later(delay_s, partial(self.hub.publish, key, sent))

    def _taped(self, recorded: tuple[TapeFrame, ...]) -> list[Frame]:
        """A tape's frames go out as recorded; short books are cut from what is known by then."""
        frames: list[Frame] = []
        for each in recorded:
            frames.append((Key(each.channel, coin=each.coin), each.raw))
            if isinstance(each.data, tuple):
                self._feeds.printed(each.coin, each.data)
        return frames

    async def _pause(self, delay_s: float) -> None:
        if delay_s > 0.0:
            await self._clock.sleep(delay_s)
