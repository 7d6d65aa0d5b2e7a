"""What must hold in the engine's world: after every event, and once it has healed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

from agents.commands import NewOrder, Place
from agents.engine import Engine
from agents.market.types import Cloid, Fill, Side
from agents.market.units import NS_PER_S
from tests.simulation.engine_lease import LIMIT_USD, SETTINGS

MIN_NOTIONAL_USD = Decimal(20)
TICK_S = 0.15


class Violation(AssertionError):
    """An invariant does not hold."""


class Watched(Protocol):
    """What the invariants look at."""

    engine: Engine
    delivered: dict[tuple[int, int, int], Fill]
    in_flight: dict[Cloid, NewOrder]
    fence_closed: bool
    touch_ns: int

    @property
    def now_ns(self) -> int: ...

    def resting(self) -> dict[Cloid, Any]: ...
    def position_sz(self) -> Decimal: ...
    def fair_px(self) -> float: ...


def check(world: Watched) -> None:
    """What must hold after every event."""
    state = world.engine.state
    booked = sum((f.side.sign * f.sz for f in world.delivered.values()), Decimal(0))
    if state.position.sz != booked:
        raise Violation(f"position {state.position.sz}, fills told sum to {booked}")
    resting = world.resting()
    for cloid in resting:
        known = cloid in state.tracker.live
        if not known and (state.sync.done or state.cloids.is_own(cloid)):
            raise Violation(f"{cloid} rests and the tracker takes it for gone")
    for order in state.tracker.live.values():
        if not order.ours and state.cloids.is_own(order.cloid) and order.cloid not in resting:
            raise Violation(f"{order.cloid} is no orphan: it ended before it was called one")
    bids = [order.px for order in resting.values() if order.side is Side.BID]
    asks = [order.px for order in resting.values() if order.side is Side.ASK]
    if bids and asks and max(bids) >= min(asks):
        raise Violation("our own quotes meet")
    if state.sync.done:
        _check_limit(world, resting)


def _check_limit(world: Watched, resting: Mapping[Cloid, Any]) -> None:
    """If all that rests or is on its way there were filled, the limit would hold."""
    mid_px = world.fair_px()
    for side in Side:
        worst_sz = side.sign * world.position_sz()
        worst_sz += sum(o.sz for o in resting.values() if o.side is side)
        worst_sz += sum(
            o.sz for cloid, o in world.in_flight.items() if o.side is side and cloid not in resting
        )
        if float(worst_sz) * mid_px > 1.02 * LIMIT_USD:
            raise Violation(f"{side.name}: {float(worst_sz) * mid_px:.0f} USD at worst")


def check_placement(world: Watched, command: Place) -> None:
    if world.fence_closed:
        raise Violation("a placement behind a closed fence")
    age_s = (world.now_ns - world.touch_ns) / NS_PER_S
    if age_s > SETTINGS.risk.data_age_max_s + TICK_S:
        raise Violation(f"a placement on market data {age_s:.1f} s old")
    if any(order.tif != "Alo" for order in command.orders):
        raise Violation("a quote that may take")


def check_reducing(world: Watched) -> None:
    """I14: who may only reduce still quotes the side that does, and nothing else."""
    held_sz, resting = world.position_sz(), world.resting()
    sides = {order.side for order in resting.values()}
    reducing = Side.ASK if held_sz > 0 else Side.BID
    if sides - ({reducing} if held_sz else set()):
        raise Violation(f"quotes that add to {held_sz}: {sorted(s.name for s in sides)}")
    if abs(held_sz) * Decimal(world.fair_px()) > MIN_NOTIONAL_USD and not sides:
        why = world.engine.state.verdict
        raise Violation(f"nothing reduces {held_sz}: {why.mode.name}: {why.reason}")


def check_agreement(world: Watched) -> None:
    """After healing: nothing of ours rests or is unresolved, and positions are equal."""
    tracker = world.engine.state.tracker
    if world.resting():
        raise Violation(f"{len(world.resting())} orders still rest")
    if tracker.live:
        states = {order.state for order in tracker.live.values()}
        raise Violation(f"the tracker still holds {sorted(s.name for s in states)}")
    if world.engine.state.position.sz != world.position_sz():
        raise Violation(f"{world.engine.state.position.sz} against {world.position_sz()}")
