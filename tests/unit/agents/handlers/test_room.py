"""Room: what a side may want and may send, with all that is out counted as filling."""

from decimal import Decimal

import pytest

from agents.commands import NewOrder
from agents.handlers.room import side_room
from agents.market.types import Cloid, Side
from agents.orders.lifecycle import Signal
from agents.orders.tracker import OrderTracker
from agents.risk.verdict import Allowance
from agents.state import Sizing

D = Decimal
SIZING = Sizing(
    reference_px=100.0,
    limit_sz=D(10),
    wanted_limit_sz=D("9.8"),
    budget_sz=D(5),
    present_sz=D(5),
    clip_px=100.0,
    clip_sz=D(1),
)


def _tracker(*sizes: int) -> OrderTracker:
    tracker = OrderTracker()
    for number, sz in enumerate(sizes, 1):
        new = NewOrder(cloid=Cloid(f"0x{number:032x}"), side=Side.BID, px=D(99), sz=D(sz))
        tracker.register(number, [new], 0)
    return tracker


@pytest.mark.parametrize(
    ("allowance", "held", "wanted", "place"),
    [
        (Allowance.NONE, 0, 0, 0),
        (Allowance.FULL, 0, 5, 7),
        (Allowance.FULL, 8, "1.8", 0),  # 8 held and 3 out: more would break the limit
        (Allowance.FULL, -4, 5, 11),
        (Allowance.KEEP, 0, 5, 0),
        (Allowance.REDUCE, -4, 4, 1),
        (Allowance.REDUCE, 4, 0, 0),
    ],
)
def test_incident_24_what_is_out_counts_as_filled(
    allowance: Allowance, held: int, wanted: object, place: int
) -> None:
    room = side_room(
        _tracker(1, 2), side=Side.BID, allowance=allowance, sizing=SIZING, held_sz=D(held)
    )
    assert room.wanted.room_sz == D(str(wanted))
    assert room.place_sz == place


def test_unknown_and_cancelled_on_the_way_take_room_from_what_is_wanted() -> None:
    tracker = _tracker(1, 2)
    tracker.outcome_unknown(1, 1)
    tracker.live[Cloid(f"0x{2:032x}")].take(Signal.ACK, 1)
    tracker.cancel_sent(9, [Cloid(f"0x{2:032x}")], 2)
    room = side_room(tracker, side=Side.BID, allowance=Allowance.FULL, sizing=SIZING, held_sz=D(5))
    assert room.wanted.room_sz == D("1.8")
    assert room.place_sz == 2


def test_the_other_sides_orders_take_nothing() -> None:
    room = side_room(
        _tracker(3), side=Side.ASK, allowance=Allowance.FULL, sizing=SIZING, held_sz=D(0)
    )
    assert room.place_sz == 10
