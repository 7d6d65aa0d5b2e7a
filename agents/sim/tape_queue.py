"""When a resting order of ours fills on a tape: prints eat the queue ahead, then us, once."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from agents.market.types import Side
from agents.sim.market import Execution, RestingOrder
from agents.sim.tape import LevelRow, TradeRow

ZERO: Final = Decimal(0)


class Queued(msgspec.Struct):
    """A resting order and the displayed size before it; ``ahead`` None = not known: all of it."""

    order: RestingOrder
    ahead: Decimal | None


def best_first(queue: Iterable[Queued], side: Side) -> list[Queued]:
    """The orders of one side as they are matched: by price, then by age."""
    found = [queued for queued in queue if queued.order.side is side and queued.order.sz]
    found.sort(key=lambda queued: (-side.sign * queued.order.px, queued.order.oid))
    return found


def reaches(px: Decimal, limit_px: Decimal, side: Side) -> bool:
    """Whether a maker's ``px`` on the other side is within the limit of an order on ``side``."""
    return side.sign * (limit_px - px) >= 0


def displayed(levels: Iterable[LevelRow], px: Decimal, side: Side) -> Decimal | None:
    """Size displayed at ``px`` on ``side``; 0 inside the displayed range; None beyond it."""
    for level in levels:
        if level.px == px:
            return level.sz
        if side.sign * (px - level.px) > 0:
            return ZERO
    return None


def resolve(queued: Queued, shown: Decimal | None) -> None:
    """The queue ahead is at most what is displayed now."""
    if shown is not None:
        queued.ahead = shown if queued.ahead is None else min(queued.ahead, shown)


def fill(queued: Queued, sz: Decimal) -> Execution:
    """Fill ``sz`` of a resting order at its own price."""
    order = queued.order
    before = order.sz
    order.sz -= sz
    return Execution(order.side.opposite, order.px, sz, order, None, before)


def print_fills(queue: Iterable[Queued], trade: TradeRow) -> list[Execution]:
    """What one print gives our orders: through their price first, then at it behind the queue.

    The print's size is used once across all of them, best price first.
    """
    side = Side(trade.side).opposite
    left = trade.sz
    executions: list[Execution] = []
    for queued in best_first(queue, side):
        order = queued.order
        if left <= 0 or not reaches(trade.px, order.px, side):
            break
        if order.px != trade.px:
            queued.ahead = ZERO
        elif queued.ahead is None:
            continue
        got = min(order.sz, max(ZERO, left - queued.ahead))
        queued.ahead = max(ZERO, queued.ahead - left)
        if got:
            left -= got
            executions.append(fill(queued, got))
    return executions
