"""All interleavings of answers, fills, rows and snapshots end alike: each fill counted once."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.commands import NewOrder
from agents.events import LiveOrder, OpenOrders, OrderResult, OrderStatus, OrderUpdate
from agents.market.position import Position
from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid
from agents.market.units import s_to_ns
from agents.orders.lifecycle import TERMINAL
from agents.orders.tracker import OrderTracker

CLOID, OID, S = Cloid("0x" + "1" * 32), Oid(5), s_to_ns(1.0)
Step = Callable[["Ledger"], None]


def _fill(tid: int, sz: Decimal) -> Fill:
    return Fill(
        coin=Coin("SOL"),
        side=Side.BID,
        px=Decimal(10),
        sz=sz,
        time_ms=tid,
        tid=Tid(tid),
        oid=OID,
        cloid=CLOID,
        fee=Decimal(0),
        fee_token="USDC",
        crossed=False,
        start_position_sz=Decimal(0),
        closed_pnl=Decimal(0),
    )


class Ledger:
    """Tracker and position, as the engine joins them."""

    def __init__(self, sz: Decimal) -> None:
        self.now_ns = S
        self.tracker = OrderTracker()
        self.position = Position(sz=Decimal(0), entry_px=None, fills_since_ms=0)
        new = NewOrder(cloid=CLOID, side=Side.BID, px=Decimal(10), sz=sz)
        self.tracker.register(1, [new], 0)

    def fill(self, fill: Fill) -> None:
        if self.position.apply(fill):
            self.tracker.apply_fill(fill, self.now_ns)


@st.composite
def stories(draw: st.DrawFn) -> tuple[Decimal, list[Fill], list[Step]]:
    """One order's life at the venue, and everything said of it, shuffled and partly doubled."""
    parts = draw(st.lists(st.integers(1, 9), max_size=4))
    left = draw(st.integers(0, 9))
    if not parts and not left:
        left = 1
    sz, traded = Decimal(sum(parts) + left), Decimal(sum(parts))
    fills = [_fill(tid, Decimal(part)) for tid, part in enumerate(parts, 1)]
    end = "canceled" if left else "filled"

    def update(status: str, remaining: Decimal) -> Step:
        row = OrderUpdate(OID, CLOID, Side.BID, Decimal(10), remaining, sz, status, 1)
        return lambda ledger: void(ledger.tracker.apply_update(row, ledger.now_ns))

    def listed(ledger: Ledger) -> None:
        row = LiveOrder(OID, CLOID, Side.BID, Decimal(10), sz - traded, sz, 0)
        if CLOID in ledger.tracker.live:  # the venue lists it while it lives
            ledger.tracker.apply_snapshot(
                OpenOrders(3, ledger.now_ns, (row,)), (row,), ledger.now_ns
            )

    def unlisted(ledger: Ledger) -> None:
        ledger.tracker.apply_snapshot(OpenOrders(3, ledger.now_ns, ()), (), ledger.now_ns)

    steps: list[Step] = [
        lambda ledger: void(
            ledger.tracker.place_answered(1, [OrderResult("resting", oid=OID)], ledger.now_ns)
        ),
        lambda ledger: ledger.tracker.outcome_unknown(1, ledger.now_ns),
        update("open", sz),
        listed,
        unlisted,
        lambda ledger: ledger.tracker.expire(ledger.now_ns),
    ]
    told = [_teller(fill) for fill in fills]
    extra = draw(st.lists(st.sampled_from([*steps, *told]), max_size=8))
    shuffled = draw(st.permutations([*told, *extra, update(end, sz - traded)]))
    return sz, fills, list(shuffled)


def void(_: Any) -> None:
    """A step's answer is of no interest."""


def _teller(fill: Fill) -> Step:
    return lambda ledger: ledger.fill(fill)


@settings(max_examples=300, deadline=None)
@given(stories())
def test_any_order_of_events_ends_alike(story: tuple[Decimal, list[Fill], list[Step]]) -> None:
    sz, fills, steps = story
    ledger = Ledger(sz)
    for step in steps:
        ledger.now_ns += S // 10
        step(ledger)
        order = ledger.tracker.find(CLOID, None)
        assert order is not None
        assert 0 <= order.remaining_sz <= sz
        assert order.accounted_sz >= order.filled_sz
    traded = sum((fill.sz for fill in fills), Decimal(0))
    end = "filled" if traded == sz else "canceled"
    ledger.tracker.apply_status(
        OrderStatus(CLOID, ledger.now_ns, end, OID, sz - traded), ledger.now_ns
    )
    order = ledger.tracker.find(CLOID, None)
    assert order is not None
    assert order.state in TERMINAL
    assert ledger.position.sz == traded
    assert order.filled_sz == traded
    assert ledger.tracker.open_sz(Side.BID) == 0
    assert ledger.tracker.unseen_sz(Side.BID) == 0
