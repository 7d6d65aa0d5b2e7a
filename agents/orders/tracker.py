"""Every order of ours, known before it is sent, believed dead only on proof.

The tracker is told what is sent and what comes back, over independent channels and in any order.
With the store beneath it, it answers two questions: what may still trade, and whom to ask. It
forgets an order a minute after its end, so that late echoes still find it.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from agents.commands import NewOrder
from agents.events import LiveOrder, OpenOrders, OrderResult, OrderStatus, OrderUpdate
from agents.market.types import Cloid, Fill
from agents.market.units import s_to_ns
from agents.orders.lifecycle import Signal, State, signal_of
from agents.orders.request import Answered, Request
from agents.orders.sightings import Sightings
from agents.orders.store import OrderStore
from agents.orders.tracked import TrackedOrder
from agents.telemetry.insight import Tally

ANSWER_MAX_NS: Final = s_to_ns(3.0)
KEPT_NS: Final = s_to_ns(60.0)
ABSENCE_PROOF_NS: Final = s_to_ns(8.0)  # the gateway's expiresAfter of 5 s, and its way there
ASK_GAP_NS: Final = s_to_ns(1.0)
ASK_GAP_MAX: Final = 5
ABSENT_TWICE: Final = 2
# The venue's words on a replacement: its old order is gone; nothing was done at all.
MADE_WAY: Final = "Error placing new order during modify"
NOT_DONE: Final = "Too many cumulative requests sent"


class OrderTracker(OrderStore):
    """The one store of our orders; the engine is its only writer."""

    def __init__(self) -> None:
        super().__init__()
        self.sightings = Sightings()
        self.tally = Tally()
        self._acked_ns = 0
        self._requests: dict[int, Request] = {}
        self._absent: dict[Cloid, int] = {}

    # ── what is asked of the venue ───────────────────────────────────────────────────────────

    def register(self, request_id: int, orders: Sequence[NewOrder], now_ns: int) -> None:
        """Know these orders, before they are sent; what they replace is on its way out."""
        for new in orders:
            assert new.cloid not in self.live
            assert new.cloid not in self.ended
            self._add(
                TrackedOrder(
                    cloid=new.cloid,
                    side=new.side,
                    px=new.px,
                    sz=new.sz,
                    near_px=float(new.px),
                    sent_ns=now_ns,
                    reduce_only=new.reduce_only,
                )
            )
        cloids = tuple(new.cloid for new in orders)
        old = tuple(new.replaces for new in orders if new.replaces is not None)
        self._leave(old, now_ns)
        self._requests[request_id] = Request("place", cloids, now_ns, replaces=old)

    def cancel_sent(self, request_id: int, cloids: Sequence[Cloid], now_ns: int) -> None:
        """Cancels of these orders are on their way."""
        self._leave(cloids, now_ns)
        self._requests[request_id] = Request("cancel", tuple(cloids), now_ns)

    def _leave(self, cloids: Sequence[Cloid], now_ns: int) -> None:
        for cloid in cloids:
            order = self.live[cloid]
            order.cancel_ns = now_ns
            self._take(order, Signal.CANCEL_SENT, now_ns)

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
        self._add(order)

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
                answered.append(
                    Answered(order.side, order.reduce_only, result.text, request.sent_ns)
                )
                continue
            answered.append(Answered(order.side, order.reduce_only, None, request.sent_ns))
            self.tally.placed += 1
            self.tally.replaced += bool(request.replaces)
            if result.kind == "filled":
                self._told(order, order.sz - result.filled_sz)
                whole = order.told_sz >= order.sz
                self._take(order, Signal.LAST_FILL if whole else Signal.TIMEOUT, now_ns)
            else:
                self._take(order, Signal.ACK, now_ns)
        for cloid in request.cloids[len(results) :]:  # an answer too short says nothing of these
            self._signal(cloid, Signal.TIMEOUT, now_ns)
        self._replaced(request, results, now_ns)
        return answered

    def _replaced(self, request: Request, results: Sequence[OrderResult], now_ns: int) -> None:
        """The old legs: gone where the new one was taken, or was refused only once its place was
        free; as they were where the whole was turned away unread. Any other refusal: ask.
        """
        for cloid, result in zip(request.replaces, results, strict=False):
            if result.kind != "refused" or MADE_WAY in result.text:
                self._signal(cloid, Signal.CANCEL_ACK, now_ns)
            elif NOT_DONE in result.text:
                self._signal(cloid, Signal.CANCEL_NOT_SENT, now_ns)
            else:
                self._signal(cloid, Signal.CANCEL_REJECT, now_ns)
        for cloid in request.replaces[len(results) :]:
            self._signal(cloid, Signal.TIMEOUT, now_ns)

    def cancel_answered(self, request_id: int, errors: Sequence[str | None], now_ns: int) -> None:
        """None = cancelled. A text says that it was filled, cancelled or never there: ask."""
        request = self._requests.pop(request_id, None)
        if request is None or request.kind != "cancel":
            return
        for cloid, error in zip(request.cloids, errors, strict=False):
            done = Signal.CANCEL_ACK if error is None else Signal.CANCEL_REJECT
            self.tally.cancelled += error is None
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
        for cloid in request.replaces:
            self._signal(cloid, Signal.CANCEL_NOT_SENT, now_ns)
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
                self.tally.mismatch("orphan")
        self.sightings.keep_only(listed)
        for order in list(self.live.values()):
            if order.cloid in listed or order.acked_ns is None:
                continue
            if order.acked_ns < event.requested_ns and self._take(order, Signal.DOUBT, now_ns):
                self.tally.mismatch("missing")

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
        gone: list[TrackedOrder] = []
        for order in self.ended.values():  # in the order of their ends
            if now_ns - (order.ended_ns or 0) <= KEPT_NS:
                break
            gone.append(order)
        for order in gone:
            self._forget(order)
            self._absent.pop(order.cloid, None)

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

    # ── inside ───────────────────────────────────────────────────────────────────────────────

    def _take_absence(self, order: TrackedOrder, requested_ns: int, now_ns: int) -> bool:
        """The venue knows no such order: proof only once its placement can no longer arrive."""
        if requested_ns < order.sent_ns + ABSENCE_PROOF_NS:
            return False
        self._absent[order.cloid] = self._absent.get(order.cloid, 0) + 1
        if order.acked_ns is not None and self._absent[order.cloid] < ABSENT_TWICE:
            return False  # it was acked: a single "unknown" contradicts the venue itself
        return self._take(order, Signal.MISSING, now_ns)

    def _lose(self, request: Request, now_ns: int) -> None:
        for cloid in (*request.cloids, *request.replaces):
            order = self.live.get(cloid)
            if order is None:
                continue
            placing = request.kind == "place" and cloid in request.cloids
            if order.state is (State.SENT if placing else State.CANCELING):
                self._take(order, Signal.TIMEOUT, now_ns)
