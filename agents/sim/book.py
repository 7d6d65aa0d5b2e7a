"""A central limit order book: price-time priority over orders, one coin.

Each side keeps its prices in a sorted list whose best price is last, and per price a ladder of
orders in arrival order (a dict keeps insertion order). Finding the best is O(1), a new price costs
one bisection, a cancel one dict deletion.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from agents.market.types import Coin, Side
from agents.sim.market import Execution, Placement, RestingOrder, Touch

Cap = Callable[[RestingOrder, Sequence[Execution]], Decimal]
"""How much of a maker may still match, given this arrival's matches so far."""


class _Level(msgspec.Struct):
    px: Decimal
    sz: Decimal
    orders: dict[int, RestingOrder]

    def touch(self) -> Touch:
        return Touch(self.px, self.sz, len(self.orders))


class _Half:
    """One side. ``keys`` ascend towards the best: prices for bids, negated prices for asks."""

    def __init__(self, side: Side) -> None:
        self.sign: Final = side.sign
        self.keys: list[Decimal] = []
        self.levels: dict[Decimal, _Level] = {}

    def best(self) -> _Level | None:
        return self.levels[self.keys[-1]] if self.keys else None

    def add(self, order: RestingOrder) -> None:
        key = order.px if self.sign > 0 else -order.px
        level = self.levels.get(key)
        if level is None:
            self.levels[key] = _Level(order.px, order.sz, {order.oid: order})
            self.keys.insert(bisect_left(self.keys, key), key)
        else:
            level.orders[order.oid] = order
            level.sz += order.sz

    def shrink(self, order: RestingOrder, sz: Decimal) -> None:
        """Take ``sz`` off a resting order, and the order and its level out when nothing is left."""
        key = order.px if self.sign > 0 else -order.px
        level = self.levels[key]
        level.sz -= sz
        order.sz -= sz
        if not order.sz:
            self._remove(key, level, order.oid)

    def remove(self, order: RestingOrder) -> None:
        """Take an order out with what remains of it."""
        key = order.px if self.sign > 0 else -order.px
        level = self.levels[key]
        level.sz -= order.sz
        self._remove(key, level, order.oid)

    def _remove(self, key: Decimal, level: _Level, oid: int) -> None:
        del level.orders[oid]
        if not level.orders:
            del self.levels[key]
            if self.keys[-1] == key:
                self.keys.pop()
            else:
                del self.keys[bisect_left(self.keys, key)]

    def touches(self, depth: int) -> list[Touch]:
        return [self.levels[key].touch() for key in reversed(self.keys[-depth:])]


class OrderBook:
    """Implements ``sim.market.Market``. ``cap`` bounds what makers may match."""

    def __init__(self, coin: Coin, cap: Cap | None = None) -> None:
        self.coin: str = coin
        self._cap = cap
        self._orders: dict[int, RestingOrder] = {}
        self._bids = _Half(Side.BID)
        self._asks = _Half(Side.ASK)

    def place(self, order: RestingOrder, now_ms: int) -> Placement:
        """Match against the other side at the makers' prices, then rest, drop or refuse."""
        del now_ms
        ours, theirs = self._halves(order.side)
        best = theirs.best()
        crosses = best is not None and _reaches(order, best.px)
        if order.tif == "Alo":
            if crosses:
                return Placement(refusal="alo")
            self._rest(order, ours)
            return Placement(resting=True)
        executions: list[Execution] = []
        cancelled: list[RestingOrder] = []
        if crosses:
            self._match(order, theirs, executions, cancelled)
        if order.tif == "Ioc":
            return Placement(
                executions=tuple(executions),
                refusal=None if executions else "ioc",
                self_cancelled=tuple(cancelled),
            )
        resting = bool(order.sz)
        if resting:
            self._rest(order, ours)
        return Placement(tuple(executions), resting=resting, self_cancelled=tuple(cancelled))

    def cancel(self, oid: int) -> RestingOrder | None:
        """Take an order out; None if it does not rest."""
        order = self._orders.pop(oid, None)
        if order is not None:
            self._halves(order.side)[0].remove(order)
        return order

    def trim(self, oid: int, sz: Decimal) -> None:
        """Lower what rests of an order to ``sz``; its place in the queue stays."""
        order = self._orders[oid]
        assert 0 < sz <= order.sz
        self._halves(order.side)[0].shrink(order, order.sz - sz)

    def order(self, oid: int) -> RestingOrder | None:
        """A resting order by id."""
        return self._orders.get(oid)

    def touch(self) -> tuple[Touch | None, Touch | None]:
        """Best bid and best ask."""
        bid, ask = self._bids.best(), self._asks.best()
        return bid.touch() if bid else None, ask.touch() if ask else None

    def levels(self, depth: int = 20) -> tuple[list[Touch], list[Touch]]:
        """Bids descending, asks ascending; at most ``depth`` (> 0) a side."""
        return self._bids.touches(depth), self._asks.touches(depth)

    def dark(self) -> bool:
        """A book made of orders has no outages."""
        return False

    def _halves(self, side: Side) -> tuple[_Half, _Half]:
        """The side an order rests on, and the one it matches."""
        if side is Side.BID:
            return self._bids, self._asks
        return self._asks, self._bids

    def _rest(self, order: RestingOrder, half: _Half) -> None:
        assert order.sz > 0
        assert order.oid not in self._orders
        self._orders[order.oid] = order
        half.add(order)

    def _match(
        self,
        order: RestingOrder,
        theirs: _Half,
        executions: list[Execution],
        cancelled: list[RestingOrder],
    ) -> None:
        while order.sz and (level := theirs.best()) is not None and _reaches(order, level.px):
            maker = next(iter(level.orders.values()))
            if maker.owner == order.owner:  # self-trade prevention: the resting order goes
                self._pull(maker, theirs)
                cancelled.append(maker)
                continue
            available = maker.sz
            if self._cap is not None:
                available = min(available, self._cap(maker, executions))
            if available > 0:
                sz = min(order.sz, available)
                before = maker.sz
                order.sz -= sz
                if sz == before:
                    del self._orders[maker.oid]
                theirs.shrink(maker, sz)
                executions.append(Execution(order.side, level.px, sz, maker, order, before))
                if sz < available:
                    continue
            if (
                maker.sz
            ):  # its position or margin is gone: what rests of it must not stand in the way
                self._pull(maker, theirs)

    def _pull(self, maker: RestingOrder, half: _Half) -> None:
        del self._orders[maker.oid]
        half.remove(maker)


def _reaches(order: RestingOrder, px: Decimal) -> bool:
    return order.px >= px if order.side is Side.BID else order.px <= px
