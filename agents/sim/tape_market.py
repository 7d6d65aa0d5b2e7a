"""One market whose book was recorded: our orders rest beside it and fill by its prints."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from agents.market.types import Coin, Side
from agents.sim.market import Execution, Placement, RestingOrder, Touch
from agents.sim.tape import BboRow, BookRow, LevelRow, TapeFrame, TradeRow
from agents.sim.tape_queue import (
    ZERO,
    Queued,
    best_first,
    displayed,
    fill,
    print_fills,
    reaches,
    resolve,
)

SEEN_MAX: Final = 5_000


class TapeMarket:
    """Implements ``sim.market.Market``. ``apply`` takes what was recorded and returns our fills.

    Nothing of ours is displayed: the record cannot react to us. A segment is what lies between
    two outages; its first ``trades`` frame is the venue's replay of old trades, and so is all that
    happened before its first book. ``book_ms`` is the recorded time of what is displayed.
    """

    def __init__(self, coin: Coin) -> None:
        self.coin: str = coin
        self._levels: dict[Side, tuple[LevelRow, ...]] = {Side.BID: (), Side.ASK: ()}
        self._queue: dict[int, Queued] = {}
        self._taken: dict[tuple[Side, Decimal], Decimal] = {}
        self._seen: dict[tuple[int, int], None] = {}
        self._bbo: BboRow | None = None
        self._dark = True
        self._deep = False
        self._replayed = False
        self._since_ms: int | None = None
        self.book_ms: int | None = None

    # ── what was recorded ────────────────────────────────────────────────────────────────────

    def go_dark(self) -> None:
        """An outage begins: until the next book nothing is known and nothing fills."""
        self._dark = True
        self._deep = self._replayed = False
        self._since_ms = self._bbo = None

    def apply(self, frame: TapeFrame) -> tuple[Execution, ...]:
        """One recorded frame; the fills it gives our resting orders (their ``sz`` is reduced)."""
        executions: list[Execution] = []
        if isinstance(frame.data, tuple):
            self._prints(frame.data, executions)
        else:
            self._book(frame.data)
            self._reached(executions)
        self._forget_filled()
        return tuple(executions)

    def _forget_filled(self) -> None:
        for oid in [oid for oid, queued in self._queue.items() if not queued.order.sz]:
            del self._queue[oid]

    def _book(self, row: BookRow | BboRow) -> None:
        if self._dark:
            self._dark, self._since_ms = False, row.time
            self._levels = {Side.BID: (), Side.ASK: ()}
        self.book_ms = max(self.book_ms or 0, row.time)
        if isinstance(row, BookRow):
            self._deep = True
            self._levels = {Side.BID: row.levels[0], Side.ASK: row.levels[1]}
            self._resolve((Side.BID, Side.ASK))
            if self._bbo is not None and self._bbo.time > row.time:
                self._touch(self._bbo)
        elif self._bbo is None or row.time >= self._bbo.time:
            self._bbo = row
            self._touch(row)
        shown = {(side, level.px) for side, levels in self._levels.items() for level in levels}
        self._taken = {key: sz for key, sz in self._taken.items() if key in shown}

    def _touch(self, row: BboRow) -> None:
        """The touch is newer than the book: what it contradicts goes."""
        for side, touch in zip((Side.BID, Side.ASK), row.bbo, strict=True):
            if touch is None:
                self._levels[side] = ()
                continue
            deeper = tuple(
                level for level in self._levels[side] if side.sign * (touch.px - level.px) > 0
            )
            self._levels[side] = (touch, *deeper) if self._deep else (touch,)
            for queued in self._queue.values():
                order = queued.order
                if order.side is side and side.sign * (order.px - touch.px) >= 0:
                    resolve(queued, touch.sz if order.px == touch.px else ZERO)

    def _resolve(self, sides: Iterable[Side]) -> None:
        for side in sides:
            for queued in self._queue.values():
                if queued.order.side is side:
                    resolve(queued, displayed(self._levels[side], queued.order.px, side))

    def _prints(self, rows: tuple[TradeRow, ...], executions: list[Execution]) -> None:
        replay, self._replayed = not self._replayed, True
        for row in rows:
            key = (row.time, row.tid)
            known = key in self._seen
            self._seen[key] = None
            old = self._since_ms is None or row.time <= self._since_ms
            if not (known or replay or old or self._dark):
                executions += print_fills(self._queue.values(), row)
        while len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]

    def _reached(self, executions: list[Execution]) -> None:
        """The recorded other side touches or crosses an order of ours: it fills at its price."""
        for side in Side:
            for queued in best_first(self._queue.values(), side):
                for level in self._levels[side.opposite]:
                    order = queued.order
                    if not order.sz or not reaches(level.px, order.px, side):
                        break
                    sz = min(order.sz, self._available(side.opposite, level))
                    if sz > 0:
                        self._take(side.opposite, level.px, sz)
                        executions.append(fill(queued, sz))

    # ── our orders ───────────────────────────────────────────────────────────────────────────

    def place(self, order: RestingOrder, now_ms: int) -> Placement:
        """Match the recorded book and what others rest here, then rest, drop or refuse."""
        del now_ms
        others = best_first(self._queue.values(), order.side.opposite)
        if order.tif == "Alo":
            touch = self._levels[order.side.opposite][:1]
            opposite_px = [level.px for level in touch] + [q.order.px for q in others]
            if any(reaches(px, order.px, order.side) for px in opposite_px):
                return Placement(refusal="alo")
            self._rest(order)
            return Placement(resting=True)
        executions: list[Execution] = []
        cancelled: list[RestingOrder] = []
        self._match(order, others, executions, cancelled)
        if order.tif == "Ioc":
            return Placement(
                tuple(executions),
                refusal=None if executions else "ioc",
                self_cancelled=tuple(cancelled),
            )
        resting = order.sz > 0
        if resting:
            self._rest(order)
        return Placement(tuple(executions), resting=resting, self_cancelled=tuple(cancelled))

    def cancel(self, oid: int) -> RestingOrder | None:
        """Take an order out; None if it does not rest."""
        queued = self._queue.pop(oid, None)
        return None if queued is None else queued.order

    def trim(self, oid: int, sz: Decimal) -> None:
        """Lower what rests of an order to ``sz``; its place in the queue stays."""
        order = self._queue[oid].order
        assert 0 < sz <= order.sz
        order.sz = sz

    def order(self, oid: int) -> RestingOrder | None:
        """A resting order by id."""
        queued = self._queue.get(oid)
        return None if queued is None else queued.order

    def touch(self) -> tuple[Touch | None, Touch | None]:
        """Best bid and best ask as recorded."""
        bids, asks = self.levels(1)
        return bids[0] if bids else None, asks[0] if asks else None

    def levels(self, depth: int = 20) -> tuple[list[Touch], list[Touch]]:
        """Recorded levels, best first; the last known ones in an outage."""
        bids, asks = self._levels[Side.BID][:depth], self._levels[Side.ASK][:depth]
        return [Touch(v.px, v.sz, v.n) for v in bids], [Touch(v.px, v.sz, v.n) for v in asks]

    def dark(self) -> bool:
        """True in a recorded outage, before the first book and after the end."""
        return self._dark

    def _rest(self, order: RestingOrder) -> None:
        # In an outage the last book is stale: the queue is not known before the next one.
        levels = () if self._dark else self._levels[order.side]
        self._queue[order.oid] = Queued(order, displayed(levels, order.px, order.side))

    def _match(
        self,
        order: RestingOrder,
        others: list[Queued],
        executions: list[Execution],
        cancelled: list[RestingOrder],
    ) -> None:
        """Recorded levels and orders of other accounts by price; the recorded ones came first."""
        side = order.side
        offers: list[tuple[Decimal, int, LevelRow | None, Queued | None]] = [
            (side.sign * q.order.px, 1, None, q) for q in others
        ]
        if not self._dark:
            offers += [(side.sign * v.px, 0, v, None) for v in self._levels[side.opposite]]
        offers.sort(key=lambda offer: offer[:2])
        for key, _, level, other in offers:
            px = side.sign * key
            if not order.sz or not reaches(px, order.px, side):
                return
            if level is not None:
                sz = min(order.sz, self._available(side.opposite, level))
                if sz > 0:
                    self._take(side.opposite, px, sz)
                    order.sz -= sz
                    executions.append(Execution(side, px, sz, None, order))
            elif other is not None and other.order.owner == order.owner:
                del self._queue[other.order.oid]
                cancelled.append(other.order)
            elif other is not None:
                maker, sz = other.order, min(order.sz, other.order.sz)
                executions.append(Execution(side, px, sz, maker, order, maker.sz))
                maker.sz -= sz
                order.sz -= sz
                if not maker.sz:
                    del self._queue[maker.oid]

    def _available(self, side: Side, level: LevelRow) -> Decimal:
        """What we have not yet taken of a level: the record shows it as if we had not."""
        return max(ZERO, level.sz - self._taken.get((side, level.px), ZERO))

    def _take(self, side: Side, px: Decimal, sz: Decimal) -> None:
        self._taken[side, px] = self._taken.get((side, px), ZERO) + sz
