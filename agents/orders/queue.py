"""How much is displayed before our resting orders: an estimate, from prints and books.

A new order stands behind all that is displayed at its price. Prints at the price eat the queue from
its front; one through it leaves nothing before us. What a book lacks beyond that was cancelled, by
those before and behind us alike; what it has more of came after us. A level that the book no longer
reaches says nothing: the estimate stands.
"""

from collections.abc import Iterable, Sequence
from math import exp
from typing import Final

import msgspec

from agents.events import Book
from agents.market.types import Cloid, Level, Side, Trade
from agents.orders.lifecycle import State
from agents.orders.tracked import TrackedOrder

PRINT_SHARE: Final = 0.05
"""Weight of one more print in the mean size of prints."""


class Place(msgspec.Struct, gc=False):
    """Coins displayed before and behind one order."""

    ahead_sz: float
    behind_sz: float = 0.0


class Queues:
    """Our places in the queues of one market.

    ``print_sz``: coins of a usual print, an exponential mean; None before the first.
    """

    __slots__ = ("_levels", "_places", "_told_ms", "print_sz")

    def __init__(self) -> None:
        self._places: dict[Cloid, Place] = {}
        self._levels: tuple[Sequence[Level], Sequence[Level]] = ((), ())
        self._told_ms = 0
        self.print_sz: float | None = None

    def shown_sz(self, side: Side, px: float) -> float | None:
        """Coins displayed at a price; 0 between levels and inside the touch, None beyond the book
        and where a side is empty.
        """
        for level in self._levels[0 if side is Side.BID else 1]:
            if level.px == px:
                return level.sz
            if side.sign * (px - level.px) > 0:
                return 0.0
        return None

    def join(self, cloid: Cloid, side: Side, px: float) -> None:
        """An order is sent: behind all that is there."""
        shown_sz = self.shown_sz(side, px)
        if shown_sz is not None:
            self._places[cloid] = Place(shown_sz)

    def ahead_sz(self, cloid: Cloid) -> float | None:
        """Coins before it; None = never known."""
        place = self._places.get(cloid)
        return None if place is None else place.ahead_sz

    def on_trades(self, trades: Iterable[Trade], live: Iterable[TrackedOrder]) -> None:
        """Prints of one block; those of an earlier one are a replay."""
        fresh = [trade for trade in trades if trade.time_ms > self._told_ms]
        if not fresh:
            return
        self._told_ms = max(trade.time_ms for trade in fresh)
        for trade in fresh:
            before_sz = trade.sz if self.print_sz is None else self.print_sz
            self.print_sz = before_sz + PRINT_SHARE * (trade.sz - before_sz)
        for order in live:
            place = self._places.get(order.cloid)
            if place is None or order.acked_ns is None:
                continue
            for trade in fresh:
                if trade.side is order.side:
                    continue  # a buyer eats asks
                through_px = order.side.sign * (order.near_px - trade.px)
                if through_px > 0:
                    place.ahead_sz = 0.0
                elif through_px == 0:
                    place.ahead_sz = max(place.ahead_sz - trade.sz, 0.0)

    def on_book(self, book: Book, live: Iterable[TrackedOrder]) -> None:
        """A whole book, as displayed; ours are in it once they rest."""
        self._levels = book.levels
        kept: dict[Cloid, Place] = {}
        for order in live:
            place = self._places.get(order.cloid)
            if place is None:
                continue
            kept[order.cloid] = place
            shown_sz = self.shown_sz(order.side, order.near_px)
            if shown_sz is None or order.state is not State.OPEN:
                continue
            others_sz = max(shown_sz - float(order.remaining_sz), 0.0)
            held_sz = place.ahead_sz + place.behind_sz
            if others_sz < held_sz:
                place.ahead_sz *= others_sz / held_sz
                place.behind_sz = others_sz - place.ahead_sz
            else:
                place.behind_sz = others_sz - place.ahead_sz
        self._places = kept

    def worth_moving(
        self, order: TrackedOrder, *, px: float, off_bps: float, kappa_per_bps: float
    ) -> bool:
        """Whether an order that stands ``off_bps`` behind its level at ``px`` gains by moving up.

        Value an order earns in a time, at ``d`` from the best distance, by the model of the
        half-spread: ``exp(-kappa d) (1 + kappa d)`` of the best; and it trades only if a print
        reaches it: ``exp(-ahead / print)``. Unknown places decide nothing: it moves.
        """
        ahead_sz, joins_sz = self.ahead_sz(order.cloid), self.shown_sz(order.side, px)
        if ahead_sz is None or joins_sz is None or not self.print_sz:
            return True
        off = max(kappa_per_bps * off_bps, 0.0)
        stays = exp(-off - ahead_sz / self.print_sz) * (1.0 + off)
        return exp(-joins_sz / self.print_sz) > stays
