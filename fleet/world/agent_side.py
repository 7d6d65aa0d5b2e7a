"""One market's agents in a world, one after another: started, crashed, hung, started again."""

from collections.abc import Callable
from typing import Literal

from agents.commands import Command, NewOrder, Place
from agents.events import Bbo, Book, Event
from agents.exchange.downstream import PROTOCOL_VERSION, Acquire, Continue, LeaseFrame
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.runtime.conversation import Conversation, Observer, Say
from agents.runtime.departure import Departure, lease_gone
from agents.runtime.outbound import gateway_frame
from agents.runtime.reunion import REJOIN_S, NotYet, answer_to
from fleet.world.madness import Madness


class AgentSide:
    """``conversation`` is None while no agent runs; ``session`` 0: it has no connection now.

    ``process`` counts the agents so far; ``stirred``: its engine was told something since somebody
    looked; ``mad``: what it sends instead of what it decided. ``say`` sends to the gateway,
    in order. ``placing`` sees each placement the engine decides, with the age of its market data in
    ns (None: it has none); ``observe`` sees every event with its time and commands.
    ``conversing`` makes the conversation of each new process.
    """

    def __init__(self, market: str, say: Callable[[bytes], None]) -> None:
        self.market = market
        self.conversation: Conversation | None = None
        self.session = 0
        self.process = 0
        self.generation = 0
        self.stirred = False
        self.mad: Madness | None = None
        self.placing: Callable[[tuple[NewOrder, ...], int | None], None] = lambda _, __: None
        self.observe: Callable[[Event, int, list[Command]], None] = lambda _, __, ___: None
        self.conversing: Callable[[Acquire, Observer], Conversation] = Conversation
        self._say = say
        self._data_ns: int | None = None
        self._clock_ns = 0
        self._hung = False
        self._missed: list[bytes | None] = []
        self._asks: Continue | None = None
        self._until_ns = 0

    @property
    def hung(self) -> bool:
        return self._hung

    @property
    def runs(self) -> bool:
        return self.conversation is not None

    def now_ms(self, true_ms: int) -> int:
        """The process's own clock."""
        return true_ms + self._clock_ns // NS_PER_MS

    @property
    def away(self) -> bool:
        """It has lost its gateway, and seeks the next one."""
        return self._asks is not None

    def start(self, process: int, session: int, token: str, clock_ms: int) -> None:
        """A new process; ``session`` names its connection to the gateway."""
        self.process, self.session = process, session
        self._clock_ns = clock_ms * NS_PER_MS
        self._data_ns = self._asks = None
        self._hung, self._missed = False, []
        self.mad = None
        acquire = Acquire(
            market=self.market, protocol=PROTOCOL_VERSION, build="world", token=token,
            process=f"{process:016x}", pid=process,
        )  # fmt: skip
        self.conversation = self.conversing(acquire, self)
        self._say(gateway_frame(acquire))

    def stop(self) -> None:
        """The process is gone, whatever it was about to do."""
        self.conversation = self._asks = None
        self.session = 0

    def hear(self, raw: bytes, now_ns: int) -> None:
        if self._hung:
            self._missed.append(raw)
        elif self._asks is not None:
            self._reunited(raw, self._asks, now_ns)
        elif self.conversation is not None:
            self._send(self.conversation.take(raw, now_ns + self._clock_ns), now_ns)

    def tick(self, now_ns: int) -> None:
        if self.conversation is not None and not self._hung and self._asks is None:
            self._send(self.conversation.tick(now_ns + self._clock_ns), now_ns)

    # ── over a gateway restart ───────────────────────────────────────────────────────────────

    def closed(self, now_ns: int) -> None:
        """Its socket was closed; it notices once its loop turns."""
        self.session = 0
        if self._hung:
            self._missed.append(None)
        elif self.conversation is not None and self._asks is None:
            self._asks = self.conversation.lost("closed", now_ns + self._clock_ns)
            self._until_ns = now_ns + round(REJOIN_S * NS_PER_S)

    def seek(self, session: int) -> None:
        """A connection to a gateway: ask to be taken back."""
        assert self._asks is not None
        self.session = session
        self._say(gateway_frame(self._asks))

    def late(self, now_ns: int) -> bool:
        """Whether it gives up now."""
        if self._asks is None or self.conversation is None or now_ns < self._until_ns:
            return False
        self.conversation.refused(lease_gone("not taken back").departure)
        return True

    def _reunited(self, raw: bytes, ask: Continue, now_ns: int) -> None:
        assert self.conversation is not None
        match answer_to(raw, ask):
            case LeaseFrame() as lease:
                self._asks = None
                self._send(self.conversation.continued(lease, now_ns + self._clock_ns), now_ns)
            case Departure() as departure:
                self.conversation.refused(departure)
            case NotYet():
                self.session = 0
            case None:
                return

    # ── hanging ──────────────────────────────────────────────────────────────────────────────

    def hang(self) -> None:
        """Its loop stands still; what arrives waits."""
        self._hung = True

    def wake(self, now_ns: int) -> None:
        self._hung = False
        missed, self._missed = self._missed, []
        for raw in missed:
            if raw is None:
                self.closed(now_ns)
            else:
                self.hear(raw, now_ns)

    def _send(self, says: list[Say], now_ns: int) -> None:
        assert self.conversation is not None
        clock_ns = now_ns + self._clock_ns
        for say in says:
            if not self.conversation.may_say(clock_ns):
                break
            if self.session:
                for raw in (say.data,) if self.mad is None else self.mad(say.data):
                    self._say(raw)
            self.conversation.said(say, clock_ns, sent=bool(self.session))

    # ── what the conversation tells ──────────────────────────────────────────────────────────

    def begun(self, lease: LeaseFrame, now_ns: int) -> None:
        del now_ns
        self.generation = lease.generation

    def seen(self, event: Event, now_ns: int, commands: list[Command]) -> None:
        self.stirred = True
        self.observe(event, now_ns, commands)
        if isinstance(event, Bbo | Book):
            self._data_ns = now_ns
        for command in commands:
            if isinstance(command, Place):
                age_ns = None if self._data_ns is None else now_ns - self._data_ns
                self.placing(command.orders, age_ns)

    def odd(self, what: Literal["malformed", "error"], text: str) -> None:
        raise AssertionError(f"{self.market}: {what}: {text}")
