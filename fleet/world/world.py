"""A fleet in one thread: venue, network, gateway, agents, risk and supervisor on one heap."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final

from agents.exchange.downstream import LEASE_MS
from agents.handlers.verdicts import phase
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.runtime.reunion import RETRY_S
from agents.settings import MarketSettings
from agents.sim.accounts import Account
from agents.sim.exchange import Exchange
from agents.sim.flow_price import Chance
from agents.sim.heap import Heap
from agents.sim.network import Network
from agents.sim.outputs import Output
from fleet.gateway.api import MarketPut
from fleet.gateway.core import control
from fleet.gateway.core.cloids import instance_digits
from fleet.gateway.core.effects import Submit
from fleet.gateway.core.state import Identity, State
from fleet.gateway.core.status import status
from fleet.gateway.records import Body
from fleet.manifests.spec import FleetRisk
from fleet.risk.baseline import Baseline
from fleet.risk.directives import one_round
from fleet.venue.world import World as Market
from fleet.world.agent_side import AgentSide
from fleet.world.checks import Checks
from fleet.world.faults import LOCAL
from fleet.world.gateway_side import GatewaySide
from fleet.world.venue_side import BLOCK_NS, VenueSide

ADDRESS: Final = "0x" + "fa" * 20
TOKEN: Final = "world"
START_NS: Final = 1_795_000_000 * NS_PER_S
AGENT_TICK_NS: Final = 100 * NS_PER_MS
GATEWAY_TICK_NS: Final = 50 * NS_PER_MS
SUPERVISE_NS: Final = 500 * NS_PER_MS
RISK_NS: Final = NS_PER_S
SETTLED_MS: Final = 10_000
DEAD_MS: Final = 2_000
HUNG_MS: Final = LEASE_MS + 2_000
FUND_USD: Final = Decimal(1_000_000)


class World:
    """Everything of one fleet, under one seed: equal arguments, equal histories.

    ``chance`` makes the sources of chance, one a purpose, so that a change in one part leaves the
    draws of the others alone.
    """

    def __init__(
        self,
        settings: Mapping[str, MarketSettings],
        risk: FleetRisk,
        market: Market,
        chance: Callable[[str], Chance],
        block_ns: int = BLOCK_NS,
    ) -> None:
        self._block_ns = block_ns
        self.heap = Heap(START_NS)
        self.began_ns = START_NS
        self.markets = tuple(settings)
        self.settings = dict(settings)
        self.digits = instance_digits("000001")
        self.wall_ms = 0
        self.risk_up = self.supervisor_up = True
        self.chance = chance("world")
        self.on_block: Callable[[tuple[Output, ...]], None] = lambda _: None
        self.network = Network(self.heap, chance("network"))
        self.venue = VenueSide(market, self.heap, self.network, ADDRESS)
        self.checks = Checks(self)
        self._sessions: dict[int, str] = {}
        self._last_session = 0
        self._risk = risk
        self._baseline: Baseline | None = None
        self._risk_seq = 0
        self._link_since_ms: int | None = None
        self._due_ms = dict.fromkeys(self.markets, 0)
        self._gone_ms: dict[tuple[str, int], tuple[int, int]] = {}
        self.exchange.fund(ADDRESS, FUND_USD)
        self.account: Account = self.exchange.floor.account(ADDRESS)
        market.step(START_NS)
        identity = Identity(
            fleet="world", network="paper", url="", address=ADDRESS, instance="000001",
            build="world", token=TOKEN, created_ms=START_NS // NS_PER_MS,
        )  # fmt: skip
        self.gateway = GatewaySide(
            identity, self.venue, self.heap, self.network, chance("gateway"), self
        )
        self.agents = {name: self._agent(name) for name in self.markets}
        self._begin()

    def _agent(self, market: str) -> AgentSide:
        agent = AgentSide(market, lambda raw: self._said(market, raw))
        agent.placing = lambda orders, age: self.checks.deciding(market, orders, age)
        return agent

    def _begin(self) -> None:
        self.venue.on_block = self._after_block
        self.gateway.start(0)
        for market, settings in self.settings.items():
            put = MarketPut(revision=1, settings=settings)
            self.gateway.do(control.put_market(self.gateway.state, market, put))
        heap = self.heap
        heap.every(self._block_ns, "block", self.venue.block)
        heap.every(GATEWAY_TICK_NS, "gateway tick", self.gateway.tick)
        heap.every(AGENT_TICK_NS, "agent tick", self._tick_agents)
        heap.every(RISK_NS, "risk", self._risk_round)
        heap.every(SUPERVISE_NS, "supervise", self._supervise)

    # ── what the invariants look at ──────────────────────────────────────────────────────────

    @property
    def now_ms(self) -> int:
        return self.heap.now_ns // NS_PER_MS

    @property
    def exchange(self) -> Exchange:
        return self.venue.exchange

    @property
    def gateway_state(self) -> State | None:
        return None if self.gateway.core is None else self.gateway.core.state

    @property
    def cancels_fail(self) -> bool:
        faults = self.venue.faults
        return bool(faults.lost_requests or faults.lost_answers or faults.limited or faults.slow)

    def engine_position_sz(self, market: str) -> Decimal | None:
        conversation = self.agents[market].conversation
        engine = conversation.engine if conversation is not None else None
        return None if engine is None else engine.state.position.sz

    def engine_cloids(self, market: str) -> set[str | None]:
        """Orders that the engine holds for live."""
        conversation = self.agents[market].conversation
        engine = conversation.engine if conversation is not None else None
        return set() if engine is None else set(engine.state.tracker.live)

    def phase(self, market: str) -> str:
        conversation = self.agents[market].conversation
        engine = conversation.engine if conversation is not None else None
        return "no agent" if engine is None else phase(engine.state)

    def uptime(self, market: str) -> float | None:
        """Share of the time it was due in which it was quoted, by the agent that runs now."""
        conversation = self.agents[market].conversation
        engine = conversation.engine if conversation is not None else None
        if engine is None or not engine.state.uptime.due_s:
            return None
        return engine.state.uptime.up_s / engine.state.uptime.due_s

    @property
    def frames_late(self) -> bool:
        """Whether the account's feed may lag, or the link is young: then its count lags too."""
        since_ms = self._link_since_ms
        young = since_ms is None or self.now_ms - since_ms < SETTLED_MS
        return young or self.venue.faults.slow > 0

    @property
    def halted(self) -> bool:
        """Whether the latch is on the disk."""
        return self.gateway.disk.latched()

    def overdue_ms(self, market: str, generation: int) -> int | None:
        """For how long an order has rested beyond what its agent's death or hanging allows.

        The gateway's time runs only while it lives and has its link. None: its agent lives.
        """
        gone = self._gone_ms.get((market, generation))
        if self._link_since_ms is None or gone is None:
            return None
        gone_ms, allowed_ms = gone
        return self.now_ms - max(gone_ms, self._link_since_ms) - allowed_ms

    # ── time ─────────────────────────────────────────────────────────────────────────────────

    def run(self, for_s: float) -> None:
        """Let so much time pass; what must hold is looked at after every event."""
        until_ns = self.heap.now_ns + round(for_s * NS_PER_S)
        self.heap.run(until_ns, self._after_event)

    def _after_event(self) -> None:
        state = self.gateway_state
        if state is None or state.link.state != "up":
            self._link_since_ms = None
        elif self._link_since_ms is None:
            self._link_since_ms = self.now_ms
        self.checks.after_event()

    def _after_block(self, outputs: tuple[Output, ...]) -> None:
        self.checks.after_block(outputs)
        self.on_block(outputs)

    def _tick_agents(self) -> None:
        for agent in self.agents.values():
            session = agent.session
            agent.tick(self.heap.now_ns)
            self._look_after(agent, session)

    def _risk_round(self) -> None:
        """What the risk actor does each second; and what it would find resting without owner."""
        self.checks.orphans()
        state = self.gateway_state
        if state is None or not self.risk_up or not state.link.ever:
            return
        now_ms = self.now_ms + self.wall_ms
        self._risk_seq = max(self._risk_seq + 1, now_ms)
        view = status(state, self.gateway.now_ms)
        done = one_round(view, self._risk, self._baseline, self._risk_seq, now_ms)
        self._baseline = done.baseline
        self.gateway.do(control.put_directives(state, done.put))

    def _supervise(self) -> None:
        """Start what is not there, once its back-off is over."""
        state = self.gateway_state
        if not self.supervisor_up or state is None or not state.link.ever:
            return
        for market, agent in self.agents.items():
            if not agent.runs and self.now_ms >= self._due_ms[market]:
                self._start_agent(agent)

    # ── agents ───────────────────────────────────────────────────────────────────────────────

    def _open(self, agent: AgentSide) -> int:
        """A connection of its own to the gateway that runs."""
        assert self.gateway.core is not None
        self._last_session += 1
        self._sessions[self._last_session] = agent.market
        self.gateway.core.opened(self._last_session, self.gateway.now_ms)
        return self._last_session

    def _start_agent(self, agent: AgentSide) -> None:
        session = self._open(agent)
        agent.start(session, session, TOKEN, self.wall_ms)

    def _said(self, market: str, raw: bytes) -> None:
        session = self.agents[market].session

        def arrive() -> None:
            core = self.gateway.core
            if core is not None and session in self._sessions:
                self.gateway.do(core.said(session, raw, self.gateway.now_ms))

        self.network.send(f"agent {session}", "up", LOCAL, arrive)

    def tell(self, session: int, data: bytes) -> None:
        """The gateway's frame on its way to an agent."""
        market = self._sessions.get(session)
        if market is None:
            return
        agent = self.agents[market]

        def arrive() -> None:
            if agent.session == session:
                agent.hear(data, self.heap.now_ns)
                self._look_after(agent, session)

        self.network.send(f"agent {session}", "down", LOCAL, arrive)

    def _look_after(self, agent: AgentSide, session: int) -> None:
        """What has become of it after an event on ``session``: it left, or let its socket go."""
        conversation = agent.conversation
        if conversation is not None and conversation.left is not None:
            self.end_agent(agent, self.chance.random())
        elif agent.runs and not agent.session and session:
            self._hang_up(session)

    def end_agent(self, agent: AgentSide, delay_s: float) -> None:
        """The process is gone; its socket is closed; another may start after a while."""
        session = agent.session
        agent.stop()
        self.mark_gone(agent, DEAD_MS)
        self._due_ms[agent.market] = self.now_ms + 1_000 + round(delay_s * 2_000)
        self._hang_up(session)

    def _hang_up(self, session: int) -> None:
        """The agent's end of a connection is closed; the gateway hears of it last."""

        def close() -> None:
            core = self.gateway.core
            if self._sessions.pop(session, None) is not None and core is not None:
                self.gateway.do(core.closed(session, self.gateway.now_ms))

        self.network.send(f"agent {session}", "up", LOCAL, close)

    def _socket_closed(self, agent: AgentSide, session: int) -> None:
        """An agent's socket has closed under it: it seeks the gateway, if it has a lease."""
        if agent.session != session or not agent.runs:
            return
        agent.closed(self.heap.now_ns)
        self._look_after(agent, 0)
        self._seek(agent, agent.process)

    def _seek(self, agent: AgentSide, process: int) -> None:
        """Try again and again, until it is taken back, refused, or out of time."""
        if agent.process != process or not agent.away:
            return
        if not agent.hung:
            if agent.late(self.heap.now_ns):
                self._look_after(agent, 0)
                return
            if not agent.session and self.gateway.core is not None:
                agent.seek(self._open(agent))
                self.network.faults["continue"] += 1
        self.heap.after(round(RETRY_S * NS_PER_S), "rejoin", lambda: self._seek(agent, process))

    def mark_gone(self, agent: AgentSide, allowed_ms: int) -> None:
        """Nobody looks after its orders any more; they may rest so long."""
        self._gone_ms[agent.market, agent.generation] = (self.now_ms, allowed_ms)

    def wake_agent(self, agent: AgentSide) -> None:
        """A hung process goes on; what it does about what it missed shows at once."""
        self._gone_ms.pop((agent.market, agent.generation), None)
        session = agent.session
        agent.wake(self.heap.now_ns)
        self._look_after(agent, session)
        self._seek(agent, agent.process)

    # ── what the gateway's side tells ────────────────────────────────────────────────────────

    def cut(self, session: int) -> None:
        """The gateway ends a connection once what is queued for it is out."""
        market = self._sessions.get(session)
        if market is None:
            return
        agent = self.agents[market]

        def closed() -> None:
            core = self.gateway.core
            if self._sessions.pop(session, None) is not None and core is not None:
                self.gateway.do(core.closed(session, self.gateway.now_ms))
            self._socket_closed(agent, session)

        self.network.send(f"agent {session}", "down", LOCAL, closed)

    def gateway_gone(self) -> None:
        """Every agent's socket is closed with the gateway's process."""
        sessions, self._sessions = self._sessions, {}
        for session, market in sessions.items():
            self.network.cut(f"agent {session}")
            agent = self.agents[market]
            self.heap.after(NS_PER_MS, "closed", partial(self._socket_closed, agent, session))

    def cut_agent(self, agent: AgentSide) -> None:
        """Its connection breaks while both ends live."""
        session = agent.session
        self.network.cut(f"agent {session}")
        self._hang_up(session)
        self._socket_closed(agent, session)

    def submitting(self, submit: Submit) -> None:
        self.checks.submitting(submit)

    def arriving(self, submit: Submit) -> None:
        self.checks.arriving(submit)

    def vanished(self, submit: Submit) -> None:
        self.checks.vanished(submit)

    def recorded(self, body: Body) -> None:
        self.checks.recorded(body)
