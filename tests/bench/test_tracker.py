"""The tracker's work for one event, with 20 orders of ours alive."""

import json
import statistics
import time
from decimal import Decimal

from agents.commands import NewOrder
from agents.events import OrderResult, OrderUpdate
from agents.market.types import Cloid, Oid, Side
from agents.orders.tracker import OrderTracker
from tests.bench.figures import Figures, per_call_s
from tests.bench.test_engine import FRAME

LIVE = 20
ROUNDS = 2_000


def _cloid(number: int) -> Cloid:
    return Cloid(f"0x{number:032x}")


def test_tracker_event(figures: Figures) -> None:
    tracker = OrderTracker()
    spent: list[float] = []

    def timed(began: float) -> None:
        spent.append(time.perf_counter() - began)

    for number in range(1, ROUNDS):
        new = NewOrder(_cloid(number), Side.BID, Decimal(10), Decimal(1))
        began = time.perf_counter()
        tracker.register(number, [new], number)
        timed(began)
        answer = [OrderResult("resting", oid=Oid(number))]
        began = time.perf_counter()
        tracker.place_answered(number, answer, number)
        timed(began)
        if number > LIVE:
            old = number - LIVE
            update = OrderUpdate(
                Oid(old), _cloid(old), Side.BID, Decimal(10), Decimal(1), Decimal(1), "canceled", 1
            )
            began = time.perf_counter()
            tracker.apply_update(update, number)
            timed(began)
    assert tracker.count() == LIVE
    figures.add(
        "tracker, one event with 20 live orders, p50 (target 20 us)",
        value_s=statistics.median(spent),
        yardstick="json.loads of a 20x20 frame",
        yardstick_s=per_call_s(lambda: json.loads(FRAME), calls=500),
        ratio_max=20 / 30,
    )
