"""What is looked at once a second: who owns what rests and what is held, and what is quoted."""

from collections import deque
from typing import Final

from agents.market.types import Coin, Side
from agents.orders.lifecycle import State as OrderState
from fleet.gateway.core.cloids import Origin, parse
from fleet.gateway.core.effects import Alert
from fleet.gateway.core.state import State
from fleet.world.crew import DEAD_MS
from fleet.world.tally import Tally

RETRIES_MS: Final = 9_000
"""More where cancels get lost, are turned away or take seconds."""
OWNED_MS: Final = 5_000
REDUCES_MS: Final = 15_000
MARKS_S: Final = 40
_IN_DOUBT: Final = frozenset({OrderState.SENT, OrderState.UNKNOWN})
_WORKS: Final = frozenset({"QUOTING", "REDUCING"})


class Lookout:
    """``look`` once a second."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._fail = tally.fail
        self._marks: dict[str, deque[float]] = {}
        self._second_ms: int | None = None
        self._ownerless_ms: dict[str, int] = {}
        self._unreduced_ms: dict[str, int] = {}
        self._shared_ms: dict[str, int] = {}
        self._beside_ms: dict[tuple[str, int], int] = {}
        self._revisions: dict[str, int] = {}
        self.told: dict[str, int] = {}

    def alerted(self, alert: Alert) -> None:
        if alert.event in {"orphan", "halt"}:
            self.told[alert.market] = self._tally.world.now_ms

    def marks(self, market: str) -> list[float]:
        """Every mark that the gateway may have seen of late, and that of this moment."""
        now = float(self._tally.world.exchange.floor.mark_px(Coin(market)))
        return [*self._marks.get(market, ()), now]

    def stranger_ms(self) -> int:
        """For how long another fleet's order has rested while the gateway could see it."""
        return 0 if self._second_ms is None else self._tally.world.now_ms - self._second_ms

    def look(self) -> None:
        world = self._tally.world
        state = world.gateway_state
        self._orphans()
        self._strangers()
        for market in world.markets:
            kept = self._marks.setdefault(market, deque(maxlen=MARKS_S))
            kept.append(float(world.exchange.floor.mark_px(Coin(market))))
            if state is not None:
                self._revision(state, market)
                self._held(state, market)
                self._owner(state, market)
                self._reduces(state, market)

    def _orphans(self) -> None:
        """A dead agent's orders are gone within 2 s, a hung one's 2 s after its lease."""
        world = self._tally.world
        most_ms = RETRIES_MS if world.cancels_fail else 0
        for record in world.account.open.values():
            origin = self._tally.ours(record.order.cloid)
            if origin is None:
                continue
            self._tally.checked["lease"] += 1
            over_ms = world.overdue_ms(record.coin, origin.generation)
            over_ms = max(over_ms or 0, self._superseded_ms(record.coin, origin))
            if over_ms > most_ms:
                where = f"{record.coin}: {record.order.cloid}"
                self._fail("lease", f"{where} rests {over_ms} ms longer than it may")
                return

    def _superseded_ms(self, market: str, origin: Origin) -> int:
        """For how long too long an order has rested beside the orders of a newer holder."""
        world = self._tally.world
        state, key = world.gateway_state, (market, origin.generation)
        held = None if state is None else state.leases.holders.get(market)
        alone = held is None or held.generation <= origin.generation
        if alone or state is None or state.markets[market].flatten or not world.link_age_ms:
            self._beside_ms.pop(key, None)
            return 0
        return world.now_ms - self._beside_ms.setdefault(key, world.now_ms) - DEAD_MS

    def _strangers(self) -> None:
        """Since when another fleet's order rests and the link stands."""
        world = self._tally.world
        origins = (parse(record.order.cloid) for record in world.account.open.values())
        there = any(origin is not None and origin.instance != world.digits for origin in origins)
        if not there or not world.link_age_ms:
            self._second_ms = None
        elif self._second_ms is None:
            self._second_ms = world.now_ms

    def _revision(self, state: State, market: str) -> None:
        self._tally.checked["I11"] += 1
        revision = state.markets[market].revision
        if revision < self._revisions.get(market, 0):
            self._fail("I11", f"{market}: revision {revision} after {self._revisions[market]}")
        if not state.unwritable:  # else a restart forgets it, and it is put again
            self._revisions[market] = revision

    def _held(self, state: State, market: str) -> None:
        """Nobody dead holds a lease: a closed socket ends it at once."""
        world, held = self._tally.world, state.leases.holders.get(market)
        gone = None if held is None else world.crew.gone(market, held.generation)
        if held is None or held.session is None or gone is None:
            return
        gone_ms, allowed_ms = gone
        if allowed_ms == DEAD_MS and world.now_ms - gone_ms > DEAD_MS:
            self._fail("lease", f"{market}: generation {held.generation} is dead, and holds it")

    def _owner(self, state: State, market: str) -> None:
        """A position is an agent's, the caretaker's, or a person was told; never two's."""
        world = self._tally.world
        both = market in state.leases.holders and market in state.leases.caretakers
        if not both or state.markets[market].flatten:
            self._shared_ms.pop(market, None)
        elif world.now_ms - self._shared_ms.setdefault(market, world.now_ms) > DEAD_MS:
            self._fail("I19", f"{market}: an agent and the caretaker hold it")
        held = self._tally.position_sz(market)
        owned = market in state.leases.holders or not held
        if owned or world.link_age_ms < OWNED_MS:
            self._ownerless_ms.pop(market, None)
            return
        since_ms = self._ownerless_ms.setdefault(market, world.now_ms)
        self._tally.checked["I19"] += 1
        after_ms = round(state.markets[market].settings.on_orphan.after_s * 1_000) + OWNED_MS
        care = state.cares.get(market)
        told = (care is not None and care.told) or self.told.get(market, 0) >= since_ms
        if world.now_ms - since_ms > after_ms and not told:
            self._fail("I19", f"{market}: a position of {held}, no owner, and nobody was told")

    def _reduces(self, state: State, market: str) -> None:
        """While it works, the side that takes inventory away is not left empty for long.

        With the minute's weight used up, only a batch that adds nothing is sent, and what is sent
        in madness is nobody's decision: not judged. Nor is the time in which nobody knows whether
        an exit rests: a second one beside it could take more than is held.
        """
        world = self._tally.world
        held, engine = self._tally.position_sz(market), self._tally.engine(market)
        side = Side.ASK if held > 0 else Side.BID
        state_ms = world.gateway_ms
        shut = (
            engine is None
            or not held
            or world.phase(market) not in _WORKS
            or world.link_age_ms < OWNED_MS
            or world.crew.agents[market].hung
            or world.crew.agents[market].away
            or world.crew.agents[market].mad is not None
            or world.venue.market.dark(market)
            or world.halted
            or bool(state.fence.causes(market))
            or bool(state.markets[market].flatten)
            or bool(state.unwritable)
            or not state.weights.leaves_reserve(1, state_ms, adding=True)
            or engine.state.position.sz != held
            or any(
                order.side is side and order.state in _IN_DOUBT
                for order in engine.state.tracker.live.values()
            )
        )
        if shut or self._quoted(market, side):
            self._unreduced_ms.pop(market, None)
            return
        self._tally.checked["I14"] += 1
        since_ms = self._unreduced_ms.setdefault(market, world.now_ms)
        if world.now_ms - since_ms > REDUCES_MS:
            assert engine is not None
            why = ", ".join(str(reason) for reason in engine.state.verdict.reasons)
            self._fail("I14", f"{market}: nothing takes {held} away, {world.phase(market)}: {why}")

    def _quoted(self, market: str, side: Side) -> bool:
        return any(
            record.coin == market
            and record.order.side is side
            and self._tally.ours(record.order.cloid)
            for record in self._tally.world.account.open.values()
        )
