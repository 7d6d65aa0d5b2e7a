"""Every order of ours: the living, those that ended a minute ago, and what of each may still trade.

Told apart from the tracker, which knows what was asked and what was answered: here is only where an
order stands, and how much of one side is out.
"""

from decimal import Decimal

from agents.market.types import Cloid, Oid, Side
from agents.orders.lifecycle import TERMINAL, Signal, State
from agents.orders.tracked import ZERO, TrackedOrder


class OrderStore:
    """``live``: may rest. ``ended``: kept so that late echoes still find them."""

    def __init__(self) -> None:
        self.live: dict[Cloid, TrackedOrder] = {}
        self.ended: dict[Cloid, TrackedOrder] = {}
        self._by_oid: dict[Oid, Cloid] = {}
        self._unseen: dict[Cloid, TrackedOrder] = {}

    # ── questions ────────────────────────────────────────────────────────────────────────────

    def find(self, cloid: Cloid | None, oid: Oid | None) -> TrackedOrder | None:
        """By cloid, else by oid; among the living and the recently ended."""
        if cloid is None and oid is not None:
            cloid = self._by_oid.get(oid)
        if cloid is None:
            return None
        return self.live.get(cloid) or self.ended.get(cloid)

    def side(self, side: Side) -> list[TrackedOrder]:
        """Orders of one side that rest or may rest."""
        return [order for order in self.live.values() if order.side is side]

    def open_sz(self, side: Side) -> Decimal:
        """Size of one side that may still trade; unknown outcomes count as open."""
        return sum((order.remaining_sz for order in self.side(side)), ZERO)

    def unseen_sz(self, side: Side) -> Decimal:
        """Size of one side that has traded by the venue's word, with its fills still to come."""
        if not self._unseen:
            return ZERO
        return sum((o.unseen_sz for o in self._unseen.values() if o.side is side), ZERO)

    def unseen_any(self) -> bool:
        """Whether fills are still to come that the venue has told of."""
        return bool(self._unseen)

    def count(self, *states: State) -> int:
        """Living orders in any of these states; all of them if none is named."""
        if not states:
            return len(self.live)
        return sum(order.state in states for order in self.live.values())

    # ── what becomes of an order ─────────────────────────────────────────────────────────────

    def _signal(self, cloid: Cloid, signal: Signal, now_ns: int) -> None:
        order = self.find(cloid, None)
        if order is not None:
            self._take(order, signal, now_ns)

    def _take(self, order: TrackedOrder, signal: Signal, now_ns: int) -> bool:
        changed = order.take(signal, now_ns)
        if signal is Signal.LAST_FILL and order.state is State.FILLED:
            self._told(order, ZERO)
        if changed and order.state in TERMINAL and order.cloid in self.live:
            del self.live[order.cloid]
            self.ended[order.cloid] = order
        return changed

    def _learn_oid(self, order: TrackedOrder, oid: Oid | None) -> None:
        if oid is not None and order.oid is None:
            order.oid = oid
            self._by_oid[oid] = order.cloid

    def _told(self, order: TrackedOrder, remaining_sz: Decimal) -> None:
        order.told_sz = max(order.told_sz, order.sz - remaining_sz)
        self._weigh(order)

    def _weigh(self, order: TrackedOrder) -> None:
        if order.told_sz > order.filled_sz:
            self._unseen[order.cloid] = order
        else:
            self._unseen.pop(order.cloid, None)

    def _add(self, order: TrackedOrder) -> None:
        self.live[order.cloid] = order
        if order.oid is not None:
            self._by_oid[order.oid] = order.cloid

    def _forget(self, order: TrackedOrder) -> None:
        """An order that ended; a later echo finds nothing."""
        del self.ended[order.cloid]
        self._unseen.pop(order.cloid, None)
        if order.oid is not None:
            self._by_oid.pop(order.oid, None)
