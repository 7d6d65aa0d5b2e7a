"""One market's agents in a world, one after another: started, crashed, hung, started again."""

from collections.abc import Callable

from agents.commands import Command, NewOrder, Place
from agents.events import Bbo, Book, Event
from agents.exchange.downstream import PROTOCOL_VERSION, Acquire
from agents.market.types import Coin
from agents.market.units import NS_PER_MS
from agents.runtime.conversation import Conversation
from agents.runtime.outbound import gateway_frame


class AgentSide:
    """``conversation`` is None while no agent runs. ``say`` sends to the gateway, in order.

    ``placing`` sees each placement the engine decides, with the age of its market data in ns
    (None: it has none); ``observe`` sees every event with its time and commands.
    """

    def __init__(self, market: str, say: Callable[[bytes], None]) -> None:
        self.market = market
        self.conversation: Conversation | None = None
        self.session = 0
        self.generation = 0
        self.placing: Callable[[tuple[NewOrder, ...], int | None], None] = lambda _, __: None
        self.observe: Callable[[Event, int, list[Command]], None] = lambda _, __, ___: None
        self._say = say
        self._data_ns: int | None = None
        self._clock_ns = 0
        self._hung = False
        self._missed: list[bytes] = []

    @property
    def hung(self) -> bool:
        return self._hung

    @property
    def runs(self) -> bool:
        return self.conversation is not None

    def start(self, session: int, token: str, clock_ms: int) -> None:
        """A new process; ``session`` names its connection to the gateway."""
        self.session = session
        self._clock_ns = clock_ms * NS_PER_MS
        self._data_ns = None
        self._hung, self._missed = False, []
        self.conversation = Conversation(Coin(self.market), self._observe)
        acquire = Acquire(
            market=self.market, protocol=PROTOCOL_VERSION, build="world", token=token,
            process=f"{session:016x}", pid=session,
        )  # fmt: skip
        self._say(gateway_frame(acquire))

    def stop(self) -> None:
        """The process is gone, whatever it was about to do."""
        self.conversation = None

    def hear(self, raw: bytes, now_ns: int) -> None:
        if self._hung:
            self._missed.append(raw)
        elif self.conversation is not None:
            self._send(self.conversation.take(raw, now_ns + self._clock_ns))

    def tick(self, now_ns: int) -> None:
        if self.conversation is not None and not self._hung:
            self._send(self.conversation.tick(now_ns + self._clock_ns))

    def hang(self) -> None:
        """Its loop stands still; what arrives waits."""
        self._hung = True

    def wake(self, now_ns: int) -> None:
        self._hung = False
        missed, self._missed = self._missed, []
        for raw in missed:
            self.hear(raw, now_ns)

    def _send(self, frames: list[bytes]) -> None:
        for frame in frames:
            self._say(frame)

    def _observe(self, event: Event, now_ns: int, commands: list[Command]) -> None:
        self.observe(event, now_ns, commands)
        if isinstance(event, Bbo | Book):
            self._data_ns = now_ns
        for command in commands:
            if isinstance(command, Place):
                age_ns = None if self._data_ns is None else now_ns - self._data_ns
                self.placing(command.orders, age_ns)
