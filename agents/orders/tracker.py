"""Every order of ours, known before it is sent, believed dead only on proof.

The tracker is told what is sent and what comes back, over independent channels and in any order,
and answers two questions: what may still trade, and whom to ask. It forgets an order a minute
after its end, so that late echoes still find it.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

from agents.commands import NewOrder
from agents.events import LiveOrder, OpenOrders, OrderResult, OrderStatus, OrderUpdate
from agents.market.types import Cloid, Fill, Oid, Side
from agents.market.units import s_to_ns
from agents.orders.lifecycle import TERMINAL, Signal, State, signal_of
from agents.orders.sightings import Sightings
from agents.orders.tracked import ZERO, TrackedOrder

ANSWER_MAX_NS: Final = s_to_ns(3.0)
KEPT_NS: Final = s_to_ns(60.0)
ABSENCE_PROOF_NS: Final = s_to_ns(8.0)  # the gateway's expiresAfter of 5 s, and its way there
ASK_GAP_NS: Final = s_to_ns(1.0)
ASK_GAP_MAX: Final = 5
ABSENT_TWICE: Final = 2


class Request(msgspec.Struct, frozen=True, gc=False):
    """A placement or a cancel on its way."""

    kind: Literal["place", "cancel"]
    cloids: tuple[Cloid, ...]
    sent_ns: int


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The venue's word on one order of a placement; ``refusal`` None = it was taken."""

    side: Side
    refusal: str | None


class OrderTracker:
    """The one store of our orders; the engine is its only writer."""

    def __init__(self) -> None:
        self.live: dict[Cloid, TrackedOrder] = {}
        self.ended: dict[Cloid, TrackedOrder] = {}
        self.sightings = Sightings()
        self._by_oid: dict[Oid, Cloid] = {}
        self._acked_ns = 0
        self._requests: dict[int, Request] = {}
        self._absent: dict[Cloid, int] = {}
        self._unseen: dict[Cloid, TrackedOrder] = {}

    # ── what is asked of the venue ───────────────────────────────────────────────────────────

    def register(self, request_id: int, orders: Sequence[NewOrder], now_ns: int) -> None:
        """Know these orders, before they are sent."""
        for new in orders:
            assert new.cloid not in self.live
            assert new.cloid not in self.ended
            self.live[new.cloid] = TrackedOrder(
                cloid=new.cloid,
                side=new.side,
                px=new.px,
                sz=new.sz,
                near_px=float(new.px),
                sent_ns=now_ns,
                reduce_only=new.reduce_only,
            )
        cloids = tuple(new.cloid for new in orders)
        self._requests[request_id] = Request(kind="place", cloids=cloids, sent_ns=now_ns)

    def cancel_sent(self, request_id: int, cloids: Sequence[Cloid], now_ns: int) -> None:
        """Cancels of these orders are on their way."""
        for cloid in cloids:
            order = self.live[cloid]
            order.cancel_ns = now_ns
            self._take(order, Signal.CANCEL_SENT, now_ns)
        self._requests[request_id] = Request(kind="cancel", cloids=tuple(cloids), sent_ns=now_ns)

    def adopt(self, found: LiveOrder, now_ns: int) -> None:
        """An order of this market that rests and that this engine did not send, or gave up."""
        assert found.cloid is not None
        self.ended.pop(found.cloid, None)
        self.sightings.forget(found.cloid)
        order = TrackedOrder(
            cloid=found.cloid,
            side=found.side,
            px=found.px,
            sz=found.orig_sz,
            near_px=float(found.px),
            sent_ns=now_ns,
            reduce_only=found.reduce_only,
            ours=False,
            state=State.OPEN,
            oid=found.oid,
            filled_sz=found.orig_sz - found.remaining_sz,
            told_sz=found.orig_sz - found.remaining_sz,
            acked_ns=now_ns,
        )
        self.live[found.cloid] = order
        self._by_oid[found.oid] = found.cloid

    # ── answers ──────────────────────────────────────────────────────────────────────────────

    def place_answered(
        self, request_id: int, results: Sequence[OrderResult], now_ns: int
    ) -> list[Answered]:
        """The venue's word on each order of a placement. Empty if it is no request of ours."""
        request = self._requests.pop(request_id, None)
        if request is None or request.kind != "place":
            return []
        self._acked_ns = now_ns
        answered: list[Answered] = []
        for cloid, result in zip(request.cloids, results, strict=False):
            order = self.find(cloid, result.oid)
            if order is None:
                continue
            self._learn_oid(order, result.oid)
            if result.kind == "refused":
                self._take(order, Signal.REJECT, now_ns)
                answered.append(Answered(side=order.side, refusal=result.text))
                continue
            answered.append(Answered(side=order.side, refusal=None))
            if result.kind == "filled":
                self._told(order, order.sz - result.filled_sz)
                whole = order.told_sz >= order.sz
                self._take(order, Signal.LAST_FILL if whole else Signal.TIMEOUT, now_ns)
            else:
                self._take(order, Signal.ACK, now_ns)
        for cloid in request.cloids[len(results) :]:  # an answer too short says nothing of these
            self._signal(cloid, Signal.TIMEOUT, now_ns)
        return answered

    def cancel_answered(self, request_id: int, errors: Sequence[str | None], now_ns: int) -> None:
        """None = cancelled. A text says that it was filled, cancelled or never there: ask."""
        request = self._requests.pop(request_id, None)
        if request is None or request.kind != "cancel":
            return
        for cloid, error in zip(request.cloids, errors, strict=False):
            done = Signal.CANCEL_ACK if error is None else Signal.CANCEL_REJECT
            self._signal(cloid, done, now_ns)
        for cloid in request.cloids[len(errors) :]:
            self._signal(cloid, Signal.TIMEOUT, now_ns)

    def not_sent(self, request_id: int, now_ns: int) -> Request | None:
        """The gateway sent nothing: orders never were, cancels neither. Returns the request."""
        request = self._requests.pop(request_id, None)
        if request is None:
            return None
        signal = Signal.REJECT if request.kind == "place" else Signal.CANCEL_NOT_SENT
        for cloid in request.cloids:
            self._signal(cloid, signal, now_ns)
        return request

    def outcome_unknown(self, request_id: int, now_ns: int) -> None:
        """Sent, and no answer will come: it may have happened."""
        request = self._requests.pop(request_id, None)
        if request is not None:
            self._lose(request, now_ns)

    # ── the venue's own channels ─────────────────────────────────────────────────────────────

    def apply_update(self, update: OrderUpdate, now_ns: int) -> bool:
        """One row of ``orderUpdates``. True if an order's state changed."""
        order = self.find(update.cloid, update.oid)
        if order is None:
            return False
        self._learn_oid(order, update.oid)
        signal = signal_of(update.status)
        if signal is Signal.ACK:
            # A late echo of the start proves nothing about an order acked before.
            return order.acked_ns is None and self._take(order, Signal.ACK, now_ns)
        if signal is None:
            return self._take(order, Signal.DOUBT, now_ns)
        if signal in {Signal.LAST_FILL, Signal.CANCEL_ACK}:
            self._told(order, update.remaining_sz)
        return self._take(order, signal, now_ns)

    def apply_fill(self, fill: Fill, now_ns: int) -> TrackedOrder | None:
        """One fill, each given once. Returns its order; None if it is none of ours."""
        order = self.find(fill.cloid, fill.oid)
        if order is None:
            return None
        self._learn_oid(order, fill.oid)
        order.filled_sz += fill.sz
        self._weigh(order)
        if order.filled_sz >= order.sz:
            self._take(order, Signal.LAST_FILL, now_ns)
        return order

    def apply_status(self, event: OrderStatus, now_ns: int) -> bool:
        """The answer to a question about one order. True if its state changed.

        The end of an order is true whenever it is told; that it rests, or is not known, only says
        how it was when we asked.
        """
        order = self.live.get(event.cloid)
        if order is None:
            return False
        if event.status is None:
            return self._take_absence(order, event.requested_ns, now_ns)
        self._absent.pop(order.cloid, None)
        self._learn_oid(order, event.oid)
        signal = signal_of(event.status)
        if signal is None:
            return False
        if signal is Signal.ACK:
            if order.doubt_ns is not None and event.requested_ns < order.doubt_ns:
                return False
            if event.remaining_sz is not None:
                self._told(order, event.remaining_sz)
            return self._take(order, Signal.SEEN, now_ns)
        if signal in {Signal.LAST_FILL, Signal.CANCEL_ACK} and event.remaining_sz is not None:
            self._told(order, event.remaining_sz)
        return self._take(order, signal, now_ns)

    def apply_snapshot(self, event: OpenOrders, found: Iterable[LiveOrder], now_ns: int) -> None:
        """A snapshot of this market's open orders; ``found``: those in it that are ours.

        What it lists, rests (or rested when we asked); listed twice, also what we do not hold. What
        it does not list is doubted, never dropped, and only if it was acked before the snapshot was
        asked for: an empty one, which may be a query gone wrong, so only makes us ask.
        """
        listed: set[Cloid] = set()
        for row in found:
            assert row.cloid is not None
            listed.add(row.cloid)
            order = self.live.get(row.cloid)
            if order is not None:
                self._learn_oid(order, row.oid)
                self._told(order, row.remaining_sz)
                if order.doubt_ns is None or event.requested_ns >= order.doubt_ns:
                    self._take(order, Signal.SEEN, now_ns)
                continue
            over = self.ended.get(row.cloid)
            if self.sightings.listed(
                row, ended_ns=None if over is None else over.ended_ns,
                acked_ns=self._acked_ns, requested_ns=event.requested_ns, now_ns=now_ns,
            ):  # fmt: skip
                self.adopt(row, now_ns)
        self.sightings.keep_only(listed)
        for order in list(self.live.values()):
            if order.cloid in listed or order.acked_ns is None:
                continue
            if order.acked_ns < event.requested_ns:
                self._take(order, Signal.DOUBT, now_ns)

    # ── time ─────────────────────────────────────────────────────────────────────────────────

    def expire(self, now_ns: int) -> None:
        """Give up waiting for late answers, and forget what ended a minute ago."""
        late = [
            number
            for number, request in self._requests.items()
            if now_ns - request.sent_ns > ANSWER_MAX_NS
        ]
        for number in late:
            request = self._requests[number]
            self._lose(request, now_ns)
            if now_ns - request.sent_ns > KEPT_NS:
                del self._requests[number]
        gone = [order for order in self.ended.values() if now_ns - (order.ended_ns or 0) > KEPT_NS]
        for order in gone:
            del self.ended[order.cloid]
            self._absent.pop(order.cloid, None)
            self._unseen.pop(order.cloid, None)
            if order.oid is not None:
                self._by_oid.pop(order.oid, None)

    def asks(self, now_ns: int, *, at_most: int) -> list[Cloid]:
        """Orders to ask the venue about now; each is asked again, ever more slowly."""
        due = [
            order
            for order in self.live.values()
            if order.state is State.UNKNOWN and order.ask_due_ns <= now_ns
        ][:at_most]
        for order in due:
            order.asks += 1
            order.ask_due_ns = now_ns + ASK_GAP_NS * min(order.asks, ASK_GAP_MAX)
        return [order.cloid for order in due]

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
        return sum((o.unseen_sz for o in self._unseen.values() if o.side is side), ZERO)

    def unseen_any(self) -> bool:
        """Whether fills are still to come that the venue has told of."""
        return bool(self._unseen)

    def count(self, *states: State) -> int:
        """Living orders in any of these states; all of them if none is named."""
        if not states:
            return len(self.live)
        return sum(order.state in states for order in self.live.values())

    # ── inside ───────────────────────────────────────────────────────────────────────────────

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

    def _take_absence(self, order: TrackedOrder, requested_ns: int, now_ns: int) -> bool:
        """The venue knows no such order: proof only once its placement can no longer arrive."""
        if requested_ns < order.sent_ns + ABSENCE_PROOF_NS:
            return False
        self._absent[order.cloid] = self._absent.get(order.cloid, 0) + 1
        if order.acked_ns is not None and self._absent[order.cloid] < ABSENT_TWICE:
            return False  # it was acked: a single "unknown" contradicts the venue itself
        return self._take(order, Signal.MISSING, now_ns)

    def _lose(self, request: Request, now_ns: int) -> None:
        waiting = State.SENT if request.kind == "place" else State.CANCELING
        for cloid in request.cloids:
            order = self.live.get(cloid)
            if order is not None and order.state is waiting:
                self._take(order, Signal.TIMEOUT, now_ns)

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
