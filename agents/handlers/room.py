"""How much each side may want and may send, from limits, inventory and what is out already."""

from decimal import Decimal
from typing import Final

import msgspec

from agents.market.types import Side
from agents.orders.lifecycle import State
from agents.orders.tracker import OrderTracker
from agents.risk.verdict import Allowance
from agents.strategy.ladder import capacity_sz
from agents.strategy.quoter import SideRoom

WANTED_SHARE: Final = Decimal("0.98")  # so that a small rise of the price breaks no limit
ZERO: Final = Decimal(0)


class Room(msgspec.Struct, frozen=True):
    """``wanted``: what the ladder may show; ``place_sz``: what may be sent this moment, with all
    that is out, cancels under way and unknown orders included, counted as filling.
    """

    allowance: Allowance
    wanted: SideRoom
    place_sz: Decimal


class Rooms(msgspec.Struct, frozen=True):
    """Both sides, and the size of one order."""

    clip_sz: Decimal
    bid: Room
    ask: Room

    def of(self, side: Side) -> Room:
        return self.bid if side is Side.BID else self.ask


def side_room(
    tracker: OrderTracker,
    *,
    side: Side,
    allowance: Allowance,
    limit_sz: Decimal,
    budget_sz: Decimal,
    held_sz: Decimal,
) -> Room:
    """``held_sz``: the signed position that is worst for this side."""
    if allowance is Allowance.NONE:
        return Room(allowance=allowance, wanted=SideRoom(room_sz=ZERO), place_sz=ZERO)
    reducing_sz = max(-side.sign * held_sz, ZERO)
    all_sz = busy_sz = tracker.unseen_sz(side)
    for order in tracker.live.values():
        if order.side is side:
            remaining_sz = order.remaining_sz
            all_sz += remaining_sz
            if order.state is State.CANCELING or order.state is State.UNKNOWN:
                busy_sz += remaining_sz
    if allowance is Allowance.REDUCE:
        return Room(
            allowance=allowance,
            wanted=SideRoom(
                room_sz=max(reducing_sz - busy_sz, ZERO), reducing_sz=reducing_sz, reduce_only=True
            ),
            place_sz=max(reducing_sz - all_sz, ZERO),
        )
    wanted_sz = capacity_sz(
        side=side, limit_sz=limit_sz * WANTED_SHARE, position_sz=held_sz, open_sz=busy_sz
    )
    place_sz = ZERO
    if allowance is Allowance.FULL:
        place_sz = capacity_sz(side=side, limit_sz=limit_sz, position_sz=held_sz, open_sz=all_sz)
    return Room(
        allowance=allowance,
        wanted=SideRoom(room_sz=min(wanted_sz, budget_sz), reducing_sz=reducing_sz),
        place_sz=place_sz,
    )
