"""A world's operator: halts and resumes, pauses, drains, flattens, revokes, applies again."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from agents.sim.flow_price import Chance
from fleet.gateway.api import HaltRequest, LatchView, MarketPut
from fleet.gateway.core import control
from fleet.gateway.core.effects import Effect, WriteLatch
from fleet.gateway.core.state import State
from fleet.world.world import World

AGAIN_S: Final = (1.0, 2.0)
HALTED_S: Final = (4.0, 20.0)
Later = Callable[[float, float, str, Callable[[], None]], None]


class Operator:
    """Each word returns whether it could be said; what is begun is ended by the same hand.

    ``later`` calls after a while between two times in seconds, with a label.
    """

    def __init__(self, world: World, chance: Chance, later: Later) -> None:
        self._world = world
        self._chance = chance
        self._later = later
        self._revision = 1
        self._owed: list[Callable[[], None]] = []

    def _say(self, word: Callable[[State, int], Iterable[Effect]]) -> bool:
        """To the gateway, if one runs and does not refuse."""
        gateway = self._world.gateway
        if gateway.core is None:
            return False
        try:
            gateway.do(word(gateway.state, gateway.now_ms))
        except control.Wrong:
            return False
        return True

    def _again(self, label: str, word: Callable[[], None]) -> None:
        """What could not be said is said again: once a gateway starts, else after a while."""
        if self._world.gateway.core is None:
            self._owed.append(word)
        else:
            self._later(*AGAIN_S, label, word)

    def gateway_starts(self) -> None:
        """It hears at once what was to be said while none ran; its agents come back later."""
        owed, self._owed = self._owed, []
        for word in owed:
            word()

    # ── halting ──────────────────────────────────────────────────────────────────────────────

    def halt(self) -> bool:
        world = self._world
        if world.gateway.core is None or world.gateway.state.fence.latch is not None:
            return False
        flatten = self._chance.random() < 0.6
        request = HaltRequest(reason="storm", by="operator", flatten=flatten)
        halt = control.Halt(request, world.gateway.now_ms)
        self._say(halt.begin)
        self._later(*HALTED_S, "resume", self.resume)
        return True

    def direct_halt(self) -> bool:
        """The latch's file is written past the gateway, which may not even run."""
        disk = self._world.gateway.disk
        if disk.latched():
            return False
        try:
            disk.keep_latch(LatchView(reason="direct", by="operator", at_ms=self._world.now_ms))
        except OSError:  # it is told so, and cancels all the same
            return False
        self._later(*HALTED_S, "resume", self.resume)
        return True

    def resume(self) -> None:
        """Lift the halt, open the fences; while a halt is being proven, they wait."""
        resumed = self._say(self._resume)
        if not resumed or self._world.halted:
            self._again("resume", self.resume)

    def _resume(self, state: State, now_ms: int) -> list[Effect]:
        effects = control.resume(state, "calm again", "operator", now_ms)
        if any(isinstance(effect, WriteLatch) for effect in effects):
            self._world.checks.latch_lifted()
        return effects

    # ── one market ───────────────────────────────────────────────────────────────────────────

    def _act(self, market: str, verb: str) -> bool:
        return self._say(lambda state, now_ms: control.act(state, market, verb, now_ms))

    def pause(self, market: str) -> bool:
        self._later(3.0, 10.0, "unpause", lambda: self.unpause(market))
        return self._act(market, "pause")

    def unpause(self, market: str) -> None:
        if not self._act(market, "unpause"):
            self._again("unpause", lambda: self.unpause(market))

    def flatten(self, market: str) -> bool:
        self._later(5.0, 15.0, "unpause", lambda: self.unpause(market))
        return self._act(market, "flatten")

    def revoke(self, market: str) -> bool:
        return self._act(market, "revoke")

    def drain(self, market: str) -> bool:
        """And some time later the market is put back into the manifest."""
        self._later(5.0, 20.0, "apply", lambda: self.apply(market))
        return self._act(market, "drain")

    def apply(self, market: str) -> None:
        """The manifest again, under a new revision."""
        self._revision += 1
        put = MarketPut(revision=self._revision, settings=self._world.settings[market])
        if not self._say(lambda state, _: control.put_market(state, market, put)):
            self._again("apply", lambda: self.apply(market))

    def settings(self, market: str) -> bool:
        """A change that is in force at once: wider or closer, never a higher limit."""
        held = self._world.settings[market]
        floor_bps = 1.0 + 2.0 * self._chance.random()
        strategy = msgspec.structs.replace(held.strategy, half_spread_floor_bps=floor_bps)
        self._world.settings[market] = msgspec.structs.replace(held, strategy=strategy)
        self.apply(market)
        return True

    def calm(self) -> None:
        """All that they began is ended."""
        for market in self._world.markets:
            self.unpause(market)
            self.apply(market)
        self.resume()
