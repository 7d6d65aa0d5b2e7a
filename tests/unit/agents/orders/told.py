"""What a tracker is told of one order, and the tracker that is told it."""

from decimal import Decimal
from typing import Any

from agents.commands import NewOrder
from agents.events import LiveOrder, OpenOrders, OrderResult, OrderStatus, OrderUpdate
from agents.market.types import Cloid, Coin, Fill, Oid, Side, Tid
from agents.market.units import s_to_ns
from agents.orders.tracked import TrackedOrder
from agents.orders.tracker import OrderTracker

D = Decimal
CLOID = Cloid("0x" + "a" * 32)
OID = Oid(77)
S = s_to_ns(1.0)
RESTS = OrderResult("resting", oid=OID)


def tracking(*, acked: bool = True, sz: str = "5", cloid: Cloid = CLOID) -> OrderTracker:
    tracker = OrderTracker()
    new = NewOrder(cloid=cloid, side=Side.BID, px=D(10), sz=D(sz))
    tracker.register(1, [new], 0)
    if acked:
        tracker.place_answered(1, [RESTS], S)
    return tracker


def the_order(tracker: OrderTracker) -> TrackedOrder:
    order = tracker.find(CLOID, None)
    assert order is not None
    return order


def a_fill(sz: str, *, tid: int = 1, cloid: Cloid | None = CLOID, oid: Oid = OID) -> Fill:
    return Fill(
        coin=Coin("SOL"),
        side=Side.BID,
        px=D(10),
        sz=D(sz),
        time_ms=5,
        tid=Tid(tid),
        oid=oid,
        cloid=cloid,
        fee=D(0),
        fee_token="USDC",
        crossed=False,
        start_position_sz=D(0),
        closed_pnl=D(0),
    )


def an_update(status: str, remaining: str = "5", *, cloid: Cloid | None = CLOID) -> OrderUpdate:
    return OrderUpdate(
        oid=OID,
        cloid=cloid,
        side=Side.BID,
        px=D(10),
        remaining_sz=D(remaining),
        orig_sz=D(5),
        status=status,
        status_ms=1,
    )


def a_row(remaining: str = "5") -> LiveOrder:
    return LiveOrder(
        oid=OID,
        cloid=CLOID,
        side=Side.BID,
        px=D(10),
        remaining_sz=D(remaining),
        orig_sz=D(5),
        placed_ms=0,
    )


def snapshot(tracker: OrderTracker, *rows: LiveOrder, requested_ns: int, now_ns: int) -> None:
    tracker.apply_snapshot(OpenOrders(9, requested_ns, rows), rows, now_ns)


def a_status(status: str | None, requested_ns: int, **fields: Any) -> OrderStatus:
    return OrderStatus(cloid=CLOID, requested_ns=requested_ns, status=status, **fields)


# ── what a placement is answered ────────────────────────────────────────────────────────────
