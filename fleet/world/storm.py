"""What strikes a world while it is not healed: crashes, cuts, silences, steps, other hands."""

from collections.abc import Callable
from functools import partial
from typing import Final

from agents.exchange.downstream import LEASE_MS
from agents.market.units import NS_PER_S
from agents.sim.flow_price import Chance
from fleet.world.faults import Faults
from fleet.world.madness import Floods, misprices
from fleet.world.operator import Operator
from fleet.world.strangers import Strangers
from fleet.world.world import World

STEP_MAX_MS: Final = 5_000
VENUE_STEP_MAX_MS: Final = 2_000
DOOM_STEPS: Final = 40
HUNG_MS: Final = LEASE_MS + 2_000
FLOODS_SHARE: Final = 0.5


class Storm:
    """Draws when each kind strikes next; ``heal`` ends all of it and mends what is broken."""

    def __init__(self, world: World, faults: Faults, chance: Chance, dark: set[str]) -> None:
        self._world = world
        self._chance = chance
        self._dark = dark
        self._over = False
        self._operator = Operator(world, chance, self._after)
        self._strangers = Strangers(world, chance)
        self._floods = Floods()
        world.venue.faults = faults
        world.on_death = self._died
        market = self._market
        operator, strangers = self._operator, self._strangers
        strikes: dict[str, Callable[[], bool]] = {
            "disconnect": self._disconnect,
            "partition": self._partition,
            "silence": self._silence,
            "venue_step": self._step_venue,
            "agent_crash": self._crash_agent,
            "agent_hang": self._hang_agent,
            "agent_cut": self._cut_agent,
            "agent_mad": self._madden_agent,
            "gateway_crash": self._crash_gateway,
            "gateway_torn": self._doom_gateway,
            "disk_full": self._fill_disk,
            "risk_crash": self._crash_risk,
            "supervisor_crash": self._crash_supervisor,
            "clock_step": self._step_clock,
            "halt": operator.halt,
            "direct_halt": operator.direct_halt,
            "pause": lambda: operator.pause(market()),
            "drain": lambda: operator.drain(market()),
            "flatten": lambda: operator.flatten(market()),
            "revoke": lambda: operator.revoke(market()),
            "settings": lambda: operator.settings(market()),
            "foreign": lambda: self._stranger(strangers.foreign),
            "second_controller": lambda: self._stranger(strangers.second_controller),
        }
        for kind, strike in strikes.items():
            mean_s = float(getattr(faults, f"{kind}_s"))
            if mean_s > 0:
                self._plan(kind, mean_s, strike)

    def _plan(self, kind: str, mean_s: float, strike: Callable[[], bool]) -> None:
        def due() -> None:
            if self._over:
                return
            if strike():
                self._world.network.faults[kind] += 1
            self._plan(kind, mean_s, strike)

        wait_s = mean_s * (0.2 + 1.6 * self._chance.random())
        self._world.heap.after(round(wait_s * NS_PER_S), kind, due)

    def _after(self, least_s: float, most_s: float, label: str, happen: Callable[[], None]) -> None:
        wait_s = least_s + (most_s - least_s) * self._chance.random()
        self._world.heap.after(round(wait_s * NS_PER_S), label, happen)

    def _market(self) -> str:
        markets = self._world.markets
        return markets[self._chance.randrange(len(markets))]

    # ── the venue ────────────────────────────────────────────────────────────────────────────

    def _disconnect(self) -> bool:
        if not self._world.venue.connected:
            return False
        self._world.gateway.lose_link()
        return True

    def _partition(self) -> bool:
        """Neither the connection nor HTTP gets through."""
        world = self._world
        if not world.venue.reachable:
            return False
        world.venue.reachable = False
        world.gateway.lose_link()
        self._after(1.0, 12.0, "mended", self._mend)
        return True

    def _mend(self) -> None:
        self._world.venue.reachable = True

    def _silence(self) -> bool:
        """The venue sends no market data of one coin."""
        market = self._market()
        self._dark.add(market)
        self._after(2.0, 12.0, "heard", partial(self._dark.discard, market))
        return True

    def _step_venue(self) -> bool:
        """The venue's time jumps ahead; it never goes back."""
        self._world.venue.ahead_ms += round(VENUE_STEP_MAX_MS * self._chance.random())
        return True

    def _stranger(self, place: Callable[[str], None]) -> bool:
        place(self._market())
        self._after(8.0, 40.0, "stranger leaves", self._stranger_leaves)
        return True

    def _stranger_leaves(self) -> None:
        """What was shut because of them is opened by a person."""
        self._strangers.leave()
        self._after(1.0, 3.0, "resume", self._operator.resume)

    # ── agents ───────────────────────────────────────────────────────────────────────────────

    def _crash_agent(self) -> bool:
        agent = self._world.agents[self._market()]
        if not agent.runs:
            return False
        self._world.end_agent(agent, self._chance.random())
        return True

    def _hang_agent(self) -> bool:
        world = self._world
        agent = world.agents[self._market()]
        if not agent.runs or agent.hung:
            return False
        process = agent.process
        agent.hang()
        world.crew.mark_gone(agent, HUNG_MS)

        def wake() -> None:
            if agent.process == process and agent.runs:
                world.crew.wake(agent)

        self._after(0.5, 30.0, "wake", wake)
        return True

    def _cut_agent(self) -> bool:
        """Its socket breaks while both ends live."""
        agent = self._world.agents[self._market()]
        if not agent.runs or not agent.session:
            return False
        self._world.crew.cut(agent)
        return True

    def _madden_agent(self) -> bool:
        """For a moment it places through the market, or without end."""
        agent = self._world.agents[self._market()]
        if not agent.runs or agent.mad is not None:
            return False
        agent.mad = self._floods if self._chance.random() < FLOODS_SHARE else misprices
        process = agent.process

        def sane() -> None:
            if agent.process == process:
                agent.mad = None

        self._after(1.0, 6.0, "sane", sane)
        return True

    # ── the gateway and the host ─────────────────────────────────────────────────────────────

    def _crash_gateway(self) -> bool:
        world = self._world
        if world.gateway.core is None:
            return False
        world.crash_gateway()
        self._died()
        return True

    def _died(self) -> None:
        self._after(0.5, 3.0, "gateway starts", self._start_gateway)

    def _start_gateway(self) -> None:
        if self._world.gateway.core is None:
            self._world.gateway.start(self._world.crew.wall_ms)
            self._operator.gateway_starts()

    def _doom_gateway(self) -> bool:
        """It dies in the middle of what it does next: not even its log says all it did."""
        gateway = self._world.gateway
        if gateway.core is None or gateway.doom is not None:
            return False
        gateway.doom = 1 + self._chance.randrange(DOOM_STEPS)
        return True

    def _fill_disk(self) -> bool:
        disk = self._world.gateway.disk
        if disk.full:
            return False
        disk.full = True
        self._after(2.0, 10.0, "disk has room", self._free_disk)
        return True

    def _free_disk(self) -> None:
        self._world.gateway.disk.full = False

    def _step_clock(self) -> bool:
        """The wall clock steps; processes that run don't see it, those that start do."""
        self._world.crew.wall_ms = round(STEP_MAX_MS * (2.0 * self._chance.random() - 1.0))
        return True

    # ── risk and supervisor ──────────────────────────────────────────────────────────────────

    def _crash_risk(self) -> bool:
        self._world.risk_up = False
        self._after(2.0, 20.0, "risk starts", self._start_risk)
        return True

    def _start_risk(self) -> None:
        self._world.risk_up = True

    def _crash_supervisor(self) -> bool:
        self._world.supervisor_up = False
        self._after(2.0, 15.0, "supervisor starts", self._start_supervisor)
        return True

    def _start_supervisor(self) -> None:
        self._world.supervisor_up = True

    # ── the end ──────────────────────────────────────────────────────────────────────────────

    def heal(self) -> None:
        """From here on nothing goes wrong, and what is down comes up."""
        self._over = True
        world = self._world
        world.venue.faults = Faults()
        world.venue.reachable = world.risk_up = world.supervisor_up = True
        world.gateway.disk.full, world.gateway.doom = False, None
        self._dark.clear()
        self._strangers.leave()
        self._start_gateway()
        self._operator.calm()
        for agent in world.agents.values():
            agent.mad = None
            if agent.runs and agent.hung:
                world.end_agent(agent, 0.0)
