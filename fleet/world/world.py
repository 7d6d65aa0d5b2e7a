"""A fleet in one thread: venue, network, gateway, agents, risk and supervisor on one heap."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from agents.exchange.registry import Registry
from agents.handlers.verdicts import phase
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.settings import MarketSettings
from agents.sim.accounts import Account
from agents.sim.exchange import Exchange
from agents.sim.flow_price import Chance
from agents.sim.heap import Heap
from agents.sim.network import Network
from agents.sim.outputs import Output
from fleet.gateway.api import Caps, CapsPut, MarketPut
from fleet.gateway.core import control
from fleet.gateway.core.cloids import instance_digits
from fleet.gateway.core.effects import Alert, Submit
from fleet.gateway.core.state import Identity, State
from fleet.gateway.core.status import status
from fleet.gateway.records import Body
from fleet.manifests.spec import FleetRisk
from fleet.risk.rounds import Rounds
from fleet.venue.world import World as Market
from fleet.world.agent_side import AgentSide
from fleet.world.checks import Checks
from fleet.world.crew import TOKEN, Crew
from fleet.world.gateway_side import GatewaySide
from fleet.world.venue_side import BLOCK_NS, VenueSide

ADDRESS: Final = "0x" + "fa" * 20
START_NS: Final = 1_795_000_000 * NS_PER_S
AGENT_TICK_NS: Final = 100 * NS_PER_MS
GATEWAY_TICK_NS: Final = 50 * NS_PER_MS
SUPERVISE_NS: Final = 500 * NS_PER_MS
RISK_NS: Final = NS_PER_S
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
        caps: Caps | None = None,
    ) -> None:
        self._block_ns = block_ns
        self.caps = caps
        self.heap = Heap(START_NS)
        self.began_ns = START_NS
        self.markets = tuple(settings)
        self.settings = dict(settings)
        self.digits = instance_digits("000001")
        self.risk_up = self.supervisor_up = True
        self.on_block: Callable[[tuple[Output, ...]], None] = lambda _: None
        self.on_death: Callable[[], None] = lambda: None
        self.network = Network(self.heap, chance("network"))
        self.venue = VenueSide(market, self.heap, self.network, chance("venue"), ADDRESS)
        self.checks = Checks(self)
        self.crew = Crew(
            self.markets, self.heap, self.network, chance("world"), self.checks.deciding
        )
        self._risk = risk
        self.rounds = Rounds()
        self._risk_seq = 0
        self._link_since_ms: int | None = None
        self.exchange.fund(ADDRESS, FUND_USD)
        self.account: Account = self.exchange.floor.account(ADDRESS)
        market.step(START_NS)
        identity = Identity(
            fleet="world", network="paper", url="", address=ADDRESS, instance="000001",
            build="world", token=TOKEN, created_ms=START_NS // NS_PER_MS,
        )  # fmt: skip
        self.gateway = self.crew.gateway = GatewaySide(
            identity, self.venue, self.heap, self.network, chance("gateway"), self
        )
        self._begin()

    def _begin(self) -> None:
        self.venue.on_block = self._after_block
        self.gateway.start(0)
        for market, settings in self.settings.items():
            put = MarketPut(revision=1, settings=settings)
            self.gateway.do(control.put_market(self.gateway.state, market, put))
        if self.caps is not None:
            self.gateway.do(control.put_caps(self.gateway.state, CapsPut(caps=self.caps)))
        heap = self.heap
        heap.every(self._block_ns, "block", self.venue.block)
        heap.every(GATEWAY_TICK_NS, "gateway tick", self.gateway.tick)
        heap.every(AGENT_TICK_NS, "agent tick", self.crew.tick)
        heap.every(RISK_NS, "risk", self._risk_round)
        heap.every(SUPERVISE_NS, "supervise", self._supervise)

    # ── what the invariants look at ──────────────────────────────────────────────────────────

    @property
    def now_ms(self) -> int:
        return self.heap.now_ns // NS_PER_MS

    @property
    def gateway_ms(self) -> int:
        """By the gateway's own clock."""
        return self.gateway.now_ms

    @property
    def agents(self) -> dict[str, AgentSide]:
        return self.crew.agents

    @property
    def exchange(self) -> Exchange:
        return self.venue.exchange

    @property
    def registry(self) -> Registry:
        """What the venue lists."""
        return self.gateway.link.registry

    @property
    def gateway_state(self) -> State | None:
        return None if self.gateway.core is None else self.gateway.core.state

    @property
    def cancels_fail(self) -> bool:
        faults = self.venue.faults
        return bool(faults.lost_requests or faults.lost_answers or faults.limited or faults.slow)

    def phase(self, market: str) -> str:
        engine = self.crew.engine(market)
        return "no agent" if engine is None else phase(engine.state)

    def uptime(self, market: str) -> float | None:
        """Share of the time it was due in which it was quoted, by the agent that runs now."""
        engine = self.crew.engine(market)
        if engine is None or not engine.state.uptime.due_s:
            return None
        return engine.state.uptime.up_s / engine.state.uptime.due_s

    @property
    def link_age_ms(self) -> int:
        """For how long the gateway's link is up; 0 while it isn't."""
        return 0 if self._link_since_ms is None else self.now_ms - self._link_since_ms

    @property
    def halted(self) -> bool:
        """Whether the latch is on the disk."""
        return self.gateway.disk.latched()

    def overdue_ms(self, market: str, generation: int) -> int | None:
        """For how long an order has rested beyond what its agent's death or hanging allows.

        The gateway's time runs only while it lives and has its link. None: its agent lives.
        """
        gone = self.crew.gone(market, generation)
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

    def _risk_round(self) -> None:
        """What the risk actor does each second; and what it would find resting without owner."""
        self.checks.lookout.look()
        state = self.gateway_state
        if state is None or not self.risk_up or not state.link.ever:
            return
        now_ms = self.now_ms + self.crew.wall_ms
        self._risk_seq = max(self._risk_seq + 1, now_ms)
        view = status(state, self.gateway.now_ms)
        done = self.rounds.turn(view, self._risk, self._risk_seq, now_ms)
        self.gateway.do(control.put_directives(state, done.put))

    def _supervise(self) -> None:
        """What is to run and does not is started; a market that drains is left alone."""
        state = self.gateway_state
        if self.supervisor_up and state is not None and state.link.ever:
            rows = state.markets
            self.crew.supervise(lambda market: rows[market].draining_ms is None)

    def end_agent(self, agent: AgentSide, delay_share: float) -> None:
        """Its process is gone; another may start 1 s later, and up to 2 s more."""
        self.crew.end(agent, delay_share)

    # ── what the gateway's side tells ────────────────────────────────────────────────────────

    def tell(self, session: int, data: bytes) -> None:
        self.crew.tell(session, data)

    def cut(self, session: int) -> None:
        self.crew.gateway_cuts(session)

    def crash_gateway(self) -> None:
        """Its process is gone, and every agent's socket with it."""
        self.gateway.crash()
        self.crew.gateway_gone()

    def died(self) -> None:
        """The gateway's process ends here, in the middle of what it does."""
        self.crash_gateway()
        self.on_death()

    def submitting(self, submit: Submit) -> None:
        self.checks.submitting(submit)

    def arriving(self, submit: Submit) -> None:
        self.checks.arriving(submit)

    def vanished(self, submit: Submit) -> None:
        self.checks.vanished(submit)

    def recorded(self, body: Body) -> None:
        self.checks.recorded(body)

    def alerted(self, alert: Alert) -> None:
        self.checks.alerted(alert)
