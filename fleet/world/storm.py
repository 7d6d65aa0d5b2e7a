"""What strikes a world while it is not healed: crashes, cuts, silences, steps of the clock."""

from collections.abc import Callable
from typing import Final

from agents.market.units import NS_PER_S
from agents.sim.flow_price import Chance
from fleet.gateway.api import HaltRequest
from fleet.gateway.core import control
from fleet.world.faults import Faults
from fleet.world.world import HUNG_MS, World

STEP_MAX_MS: Final = 5_000


class Storm:
    """Draws when each kind strikes next; ``heal`` ends all of it and mends what is broken."""

    def __init__(self, world: World, faults: Faults, chance: Chance, dark: set[str]) -> None:
        self._world = world
        self._chance = chance
        self._dark = dark
        self._over = False
        world.venue.faults = faults
        for kind, mean_s, strike in (
            ("disconnect", faults.disconnect_s, self._disconnect),
            ("partition", faults.partition_s, self._partition),
            ("silence", faults.silence_s, self._silence),
            ("agent_crash", faults.agent_crash_s, self._crash_agent),
            ("agent_hang", faults.agent_hang_s, self._hang_agent),
            ("gateway_crash", faults.gateway_crash_s, self._crash_gateway),
            ("risk_crash", faults.risk_crash_s, self._crash_risk),
            ("supervisor_crash", faults.supervisor_crash_s, self._crash_supervisor),
            ("clock_step", faults.clock_step_s, self._step_clock),
            ("halt", faults.halt_s, self._halt),
        ):
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

    # ── kinds ────────────────────────────────────────────────────────────────────────────────

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
        self._after(2.0, 12.0, "heard", lambda: self._dark.discard(market))
        return True

    def _market(self) -> str:
        markets = self._world.markets
        return markets[self._chance.randrange(len(markets))]

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
        world.mark_gone(agent, HUNG_MS)

        def wake() -> None:
            if agent.process == process and agent.runs:
                world.wake_agent(agent)

        self._after(0.5, 30.0, "wake", wake)
        return True

    def _crash_gateway(self) -> bool:
        world = self._world
        if world.gateway.core is None:
            return False
        world.gateway.crash()
        world.gateway_gone()
        self._after(0.5, 3.0, "gateway starts", self._start_gateway)
        return True

    def _start_gateway(self) -> None:
        if self._world.gateway.core is None:
            self._world.gateway.start(self._world.wall_ms)

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

    def _step_clock(self) -> bool:
        """The wall clock steps; processes that run don't see it, those that start do."""
        self._world.wall_ms = round(STEP_MAX_MS * (2.0 * self._chance.random() - 1.0))
        return True

    def _halt(self) -> bool:
        world = self._world
        if world.gateway.core is None or world.gateway.state.fence.latch is not None:
            return False
        request = HaltRequest(reason="storm", by="operator")
        now_ms = world.gateway.now_ms
        halt = control.Halt(request, now_ms)
        world.gateway.do(halt.begin(world.gateway.state, now_ms))
        self._after(4.0, 10.0, "resume", self._resume)
        return True

    def _resume(self) -> None:
        """An operator lifts the halt; while it is being proven, they wait."""
        world = self._world
        if world.gateway.core is not None:
            try:
                world.gateway.do(control.resume(world.gateway.state, "calm again", "operator"))
            except control.Wrong:
                pass
            else:
                return
        self._after(1.0, 2.0, "resume", self._resume)

    # ── the end ──────────────────────────────────────────────────────────────────────────────

    def heal(self) -> None:
        """From here on nothing goes wrong, and what is down comes up."""
        self._over = True
        world = self._world
        world.venue.faults = Faults()
        world.venue.reachable = world.risk_up = world.supervisor_up = True
        self._dark.clear()
        self._start_gateway()
        self._resume()
        for agent in world.agents.values():
            if agent.runs and agent.hung:
                world.end_agent(agent, 0.0)
