"""Every interleaving of answers, fills, rows, snapshots and silence, as a machine that Hypothesis
drives: the position is the sum of unique fills at each step, and each order ends once.

A small venue keeps the truth of three orders; what it says is put on wires, and the machine
delivers it late, twice, or never, each wire in any order with the others.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents.commands import NewOrder
from agents.events import LiveOrder, OpenOrders, OrderResult, OrderStatus, OrderUpdate
from agents.market.position import Position
from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid
from agents.market.units import s_to_ns
from agents.orders.lifecycle import TERMINAL, State
from agents.orders.tracked import TrackedOrder
from agents.orders.tracker import ABSENCE_PROOF_NS, OrderTracker

ZERO = Decimal(0)
STEP_NS = s_to_ns(0.05)
EXPIRES_NS = s_to_ns(5.0)
ORDERS = 4
NUMBERS = st.integers(1, ORDERS)


def cloid(number: int) -> Cloid:
    return Cloid(f"0x{number:032x}")


class Truth:
    """One order at the venue; ``status`` None: it never came there."""

    def __init__(self, number: int, sz: Decimal, sent_ns: int) -> None:
        self.sent_ns = sent_ns
        self.number, self.sz, self.left = number, sz, sz
        self.side = Side.BID if number % 2 else Side.ASK
        self.oid = Oid(100 + number)
        self.status: str | None = None
        self.ended = False  # or lost on its way


class TrackerMachine(RuleBasedStateMachine):
    """Tracker and position as the engine joins them, and the venue behind three wires."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = s_to_ns(1.0)
        self.tracker = OrderTracker()
        self.position = Position(sz=ZERO, entry_px=None, fills_since_ms=0)
        self.truths: dict[int, Truth] = {}
        self.wires: list[Callable[[], Any]] = []
        self.fills: list[Fill] = []
        self.told: dict[Tid, Fill] = {}
        self.ends: dict[Cloid, State] = {}

    def say(self, deliver: Callable[[], Any]) -> None:
        self.wires.append(deliver)

    def pick(self, number: int) -> Truth:
        """One of the orders sent."""
        return self.truths[1 + number % len(self.truths)]

    def open_orders(self) -> list[TrackedOrder]:
        return [order for order in self.tracker.live.values() if order.state is State.OPEN]

    def row(self, truth: Truth, status: str) -> None:
        update = OrderUpdate(
            truth.oid, cloid(truth.number), truth.side, Decimal(10), truth.left, truth.sz, status, 1
        )
        self.say(lambda: self.tracker.apply_update(update, self.now_ns))

    def take_fill(self, fill: Fill) -> None:
        self.told[fill.tid] = fill
        if self.position.apply(fill):
            self.tracker.apply_fill(fill, self.now_ns)

    # ── what happens at the venue ────────────────────────────────────────────────────────────

    @precondition(lambda self: len(self.truths) < ORDERS)
    @rule(
        sz=st.integers(1, 5),
        fate=st.sampled_from(["rests", "answer lost", "late", "lost", "refused"]),
    )
    def send(self, sz: int, fate: str) -> None:
        truth = Truth(len(self.truths) + 1, Decimal(sz), self.now_ns)
        number = truth.number
        self.truths[number] = truth
        new = NewOrder(cloid(number), truth.side, Decimal(10), truth.sz)
        self.tracker.register(number, [new], self.now_ns)
        if fate in {"lost", "refused"}:
            truth.ended = True
        elif fate != "late":
            truth.status = "open"
            self.row(truth, "open")
        answer = OrderResult("resting", oid=truth.oid)
        if fate == "refused":
            answer = OrderResult("refused", text="Post only order would have matched")
        if fate in {"rests", "refused"}:
            self.say(lambda: self.tracker.place_answered(number, [answer], self.now_ns))
        else:
            self.say(lambda: self.tracker.outcome_unknown(number, self.now_ns))

    @precondition(lambda self: self.truths)
    @rule(number=NUMBERS)
    def arrive(self, number: int) -> None:
        """A placement given up as unanswered reaches the venue after all, while it may."""
        truth = self.pick(number)
        if truth.status is not None or truth.ended:
            return
        if self.now_ns - truth.sent_ns > EXPIRES_NS:
            truth.ended = True
        else:
            truth.status = "open"
            self.row(truth, "open")

    @precondition(lambda self: self.truths)
    @rule(number=NUMBERS, sz=st.integers(1, 5))
    def trade(self, number: int, sz: int) -> None:
        truth = self.pick(number)
        if truth.status is None or truth.ended:
            return
        part = min(Decimal(sz), truth.left)
        truth.left -= part
        tid = Tid(len(self.fills) + 1)
        fill = Fill(
            coin=Coin("SOL"), side=truth.side, px=Decimal(10), sz=part, time_ms=tid, tid=tid,
            oid=truth.oid, cloid=cloid(truth.number), fee=ZERO, fee_token="USDC", crossed=False,
            start_position_sz=ZERO, closed_pnl=ZERO,
        )  # fmt: skip
        self.fills.append(fill)
        self.say(lambda: self.take_fill(fill))
        if not truth.left:
            truth.status, truth.ended = "filled", True
            self.row(truth, "filled")

    @precondition(lambda self: self.open_orders())
    @rule(number=NUMBERS, answered=st.booleans(), limited=st.booleans())
    def cancel(self, number: int, answered: bool, limited: bool) -> None:
        able = self.open_orders()
        order = able[number % len(able)]
        truth, request_id = self.truths[int(order.cloid, 16)], self.now_ns
        self.tracker.cancel_sent(request_id, [order.cloid], self.now_ns)
        error: str | None = None
        if truth.ended:
            error = "Order was never placed, already canceled, or filled."
        if limited:
            error = "Too many cumulative requests sent (2 > 1)."
        elif not truth.ended:
            truth.status, truth.ended = "canceled", True
            self.row(truth, "canceled")
        if answered:
            self.say(lambda: self.tracker.cancel_answered(request_id, [error], self.now_ns))

    @precondition(lambda self: self.open_orders() and len(self.truths) < ORDERS)
    @rule(
        number=NUMBERS,
        sz=st.integers(1, 5),
        fate=st.sampled_from(["done", "old gone only", "nothing", "never sent"]),
        answered=st.booleans(),
    )
    def replace(self, number: int, sz: int, fate: str, answered: bool) -> None:
        """Two legs under one request: both happen, the first alone, or none."""
        able = self.open_orders()
        old = able[number % len(able)]
        before = self.truths[int(old.cloid, 16)]
        truth = Truth(len(self.truths) + 1, Decimal(sz), self.now_ns)
        truth.side = before.side
        self.truths[truth.number] = truth
        new = NewOrder(cloid(truth.number), truth.side, Decimal(11), truth.sz, replaces=old.cloid)
        self.tracker.register(truth.number, [new], self.now_ns)
        if fate == "never sent":
            truth.ended = True
            self.say(lambda: self.tracker.not_sent(truth.number, self.now_ns))
            return
        result = OrderResult("refused", text="Cannot modify canceled or filled order")
        rested = before.status is not None and not before.ended
        if fate != "nothing" and rested:
            before.status, before.ended = "canceled", True
            self.row(before, "canceled")
        if fate == "done" and rested:
            truth.status, result = "open", OrderResult("resting", oid=truth.oid)
            self.row(truth, "open")
        else:
            truth.ended = True
        if answered:
            self.say(lambda: self.tracker.place_answered(truth.number, [result], self.now_ns))
        else:
            self.say(lambda: self.tracker.outcome_unknown(truth.number, self.now_ns))

    @precondition(lambda self: self.truths)
    @rule(number=NUMBERS, word=st.sampled_from(["marginCanceled", "reduceOnlyCanceled"]))
    def venue_cancels(self, number: int, word: str) -> None:
        truth = self.pick(number)
        if truth.status is not None and not truth.ended:
            truth.status, truth.ended = word, True
            self.row(truth, word)

    # ── what is asked ────────────────────────────────────────────────────────────────────────

    @rule()
    def snapshot(self) -> None:
        rows = tuple(
            LiveOrder(t.oid, cloid(t.number), t.side, Decimal(10), t.left, t.sz, 0)
            for t in self.truths.values()
            if t.status is not None and not t.ended
        )
        event = OpenOrders(9, self.now_ns, rows)
        self.say(lambda: self.tracker.apply_snapshot(event, rows, self.now_ns))

    @precondition(lambda self: self.truths)
    @rule(number=NUMBERS)
    def ask(self, number: int) -> None:
        event = self.status(self.pick(number))
        self.say(lambda: self.tracker.apply_status(event, self.now_ns))

    def status(self, truth: Truth) -> OrderStatus:
        known = truth.status is not None
        return OrderStatus(
            cloid(truth.number), self.now_ns, truth.status,
            truth.oid if known else None, truth.left if known else None,
        )  # fmt: skip

    # ── what arrives ─────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: self.wires)
    @rule(which=st.integers(0, 63), again=st.booleans())
    def deliver(self, which: int, again: bool) -> None:
        index = which % len(self.wires)
        self.wires[index]()
        if not again:
            del self.wires[index]

    @precondition(lambda self: self.wires)
    @rule()
    def replay_fills(self) -> None:
        """The snapshot after a subscribe: all fills so far, once more."""
        for fill in self.fills:
            self.take_fill(fill)

    @rule(seconds=st.sampled_from([0.05, 0.5, 4.0]))
    def wait(self, seconds: float) -> None:
        self.now_ns += s_to_ns(seconds)
        self.tracker.expire(self.now_ns)
        self.tracker.asks(self.now_ns, at_most=5)

    # ── what always holds ────────────────────────────────────────────────────────────────────

    @invariant()
    def each_fill_counts_once(self) -> None:
        self.now_ns += STEP_NS
        assert self.position.sz == sum((f.side.sign * f.sz for f in self.told.values()), ZERO)

    @invariant()
    def what_rests_is_known(self) -> None:
        for truth in self.truths.values():
            may_arrive = truth.status is not None or self.now_ns <= truth.sent_ns + EXPIRES_NS
            if not truth.ended and may_arrive:
                order = self.tracker.live.get(cloid(truth.number))
                assert order is not None
                assert order.remaining_sz >= truth.left

    @invariant()
    def an_end_is_an_end(self) -> None:
        for number in self.truths:
            order = self.tracker.find(cloid(number), None)
            if order is None:
                continue
            assert (order.state in TERMINAL) is (order.cloid in self.tracker.ended)
            before = self.ends.get(order.cloid)
            if before is not None and order.state is not before:
                assert (before, order.state) == (State.CANCELED, State.FILLED)
            if order.state in TERMINAL:
                self.ends[order.cloid] = order.state

    def teardown(self) -> None:
        """All that was said arrives, then each order in doubt is asked about until it is told."""
        for wire in self.wires:
            wire()
        for truth in self.truths.values():
            if truth.status is not None and not truth.ended:
                truth.status = "canceled"
            truth.ended = True
        for _ in range(3):
            self.now_ns += ABSENCE_PROOF_NS + STEP_NS
            for truth in self.truths.values():
                self.tracker.apply_status(self.status(truth), self.now_ns)
        assert not self.tracker.live
        assert self.position.sz == sum((f.side.sign * f.sz for f in self.fills), ZERO)
        assert not self.tracker.unseen_any()
        for number in self.truths:
            assert (order := self.tracker.find(cloid(number), None)) is None or (
                order.state in TERMINAL
            )


TestTracker = TrackerMachine.TestCase
TestTracker.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
