"""All agents of a world and their connections to the gateway: opened, broken, found again."""

from collections.abc import Callable
from functools import partial
from typing import Final

from agents.commands import NewOrder
from agents.engine import Engine
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.runtime.reunion import RETRY_S
from agents.sim.flow_price import Chance
from agents.sim.heap import Heap
from agents.sim.network import Network
from fleet.world.agent_side import AgentSide
from fleet.world.faults import LOCAL
from fleet.world.gateway_side import GatewaySide

TOKEN: Final = "world"
DEAD_MS: Final = 2_000

Placing = Callable[[str, tuple[NewOrder, ...], int | None], None]


class Crew:
    """One agent a market, one after another. ``gateway`` is set before anything happens.

    ``wall_ms``: how far the wall clock is from true time for who starts now.
    """

    gateway: GatewaySide

    def __init__(
        self,
        markets: tuple[str, ...],
        heap: Heap,
        network: Network,
        chance: Chance,
        placing: Placing,
    ) -> None:
        self.agents: dict[str, AgentSide] = {}
        self.wall_ms = 0
        self._heap = heap
        self._network = network
        self._chance = chance
        self._sessions: dict[int, str] = {}
        self._last_session = 0
        self._due_ms = dict.fromkeys(markets, 0)
        self._gone_ms: dict[tuple[str, int], tuple[int, int]] = {}
        for market in markets:
            agent = self.agents[market] = AgentSide(market, partial(self._said, market))
            agent.placing = partial(placing, market)

    @property
    def now_ms(self) -> int:
        return self._heap.now_ns // NS_PER_MS

    def engine(self, market: str) -> Engine | None:
        conversation = self.agents[market].conversation
        return conversation.engine if conversation is not None else None

    # ── processes ────────────────────────────────────────────────────────────────────────────

    def supervise(self, wanted: Callable[[str], bool]) -> None:
        """Start what is wanted and not there, once its back-off is over."""
        for market, agent in self.agents.items():
            if not agent.runs and self.now_ms >= self._due_ms[market] and wanted(market):
                session = self._open(agent)
                agent.start(session, session, TOKEN, self.wall_ms)

    def tick(self) -> None:
        for agent in self.agents.values():
            session = agent.session
            agent.tick(self._heap.now_ns)
            self._look_after(agent, session)

    def _look_after(self, agent: AgentSide, session: int) -> None:
        """What has become of it after an event on ``session``: it left, or let its socket go."""
        conversation = agent.conversation
        if conversation is not None and conversation.left is not None:
            self.end(agent, self._chance.random(), session)
        elif agent.runs and not agent.session and session:
            self._hang_up(session)

    def end(self, agent: AgentSide, delay_share: float, session: int = 0) -> None:
        """The process is gone; its socket is closed; another may start after a while."""
        session = agent.session or session
        agent.stop()
        self.mark_gone(agent, DEAD_MS)
        self._due_ms[agent.market] = self.now_ms + 1_000 + round(delay_share * 2_000)
        if session:
            self._hang_up(session)

    def wake(self, agent: AgentSide) -> None:
        """A hung process goes on; what it does about what it missed shows at once."""
        self._gone_ms.pop((agent.market, agent.generation), None)
        session = agent.session
        agent.wake(self._heap.now_ns)
        self._look_after(agent, session)
        self._seek(agent, agent.process)

    # ── how long what they leave may rest ────────────────────────────────────────────────────

    def mark_gone(self, agent: AgentSide, allowed_ms: int) -> None:
        """Nobody looks after its orders any more; they may rest so long."""
        self._gone_ms[agent.market, agent.generation] = (self.now_ms, allowed_ms)

    def gone(self, market: str, generation: int) -> tuple[int, int] | None:
        """Since when, and for how long its orders may rest; None: its agent lives."""
        return self._gone_ms.get((market, generation))

    # ── connections ──────────────────────────────────────────────────────────────────────────

    def _open(self, agent: AgentSide) -> int:
        """A connection of its own to the gateway that runs."""
        assert self.gateway.core is not None
        self._last_session += 1
        self._sessions[self._last_session] = agent.market
        self.gateway.core.opened(self._last_session, self.gateway.now_ms)
        return self._last_session

    def _said(self, market: str, raw: bytes) -> None:
        session = self.agents[market].session

        def arrive() -> None:
            core = self.gateway.core
            if core is not None and session in self._sessions:
                self.gateway.do(core.said(session, raw, self.gateway.now_ms))

        self._network.send(f"agent {session}", "up", LOCAL, arrive)

    def tell(self, session: int, data: bytes) -> None:
        """The gateway's frame on its way to an agent."""
        market = self._sessions.get(session)
        if market is None:
            return
        agent = self.agents[market]

        def arrive() -> None:
            if agent.session == session:
                agent.hear(data, self._heap.now_ns)
                self._look_after(agent, session)

        self._network.send(f"agent {session}", "down", LOCAL, arrive)

    def _hang_up(self, session: int) -> None:
        """The agent's end of a connection is closed; the gateway hears of it last."""
        self._network.send(f"agent {session}", "up", LOCAL, partial(self._closed, session))

    def _closed(self, session: int) -> None:
        core = self.gateway.core
        if self._sessions.pop(session, None) is not None and core is not None:
            self.gateway.do(core.closed(session, self.gateway.now_ms))

    def _socket_closed(self, agent: AgentSide, session: int) -> None:
        """An agent's socket has closed under it: it seeks the gateway, if it has a lease."""
        if agent.session != session or not agent.runs:
            return
        agent.closed(self._heap.now_ns)
        self._look_after(agent, 0)
        self._seek(agent, agent.process)

    def _seek(self, agent: AgentSide, process: int) -> None:
        """Try again and again, until it is taken back, refused, or out of time."""
        if agent.process != process or not agent.away:
            return
        if not agent.hung:
            if agent.late(self._heap.now_ns):
                self._look_after(agent, agent.session)
                return
            if not agent.session and self.gateway.core is not None:
                agent.seek(self._open(agent))
                self._network.faults["continue"] += 1
        again = partial(self._seek, agent, process)
        self._heap.after(round(RETRY_S * NS_PER_S), "rejoin", again)

    def gateway_cuts(self, session: int) -> None:
        """The gateway ends a connection once what is queued for it is out."""
        market = self._sessions.get(session)
        if market is None:
            return

        def closed() -> None:
            self._closed(session)
            self._socket_closed(self.agents[market], session)

        self._network.send(f"agent {session}", "down", LOCAL, closed)

    def gateway_gone(self) -> None:
        """Every agent's socket is closed with the gateway's process."""
        sessions, self._sessions = self._sessions, {}
        for session, market in sessions.items():
            self._network.cut(f"agent {session}")
            closed = partial(self._socket_closed, self.agents[market], session)
            self._heap.after(NS_PER_MS, "closed", closed)

    def cut(self, agent: AgentSide) -> None:
        """Its connection breaks while both ends live."""
        session = agent.session
        self._network.cut(f"agent {session}")
        self._hang_up(session)
        self._socket_closed(agent, session)
