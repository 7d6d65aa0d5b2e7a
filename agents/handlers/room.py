"""How much each side may want and may send, from limits, inventory and what is out already."""

from decimal import Decimal
from typing import Final

import msgspec

from agents.estimators.panel import Estimates
from agents.market.types import Side
from agents.orders.lifecycle import State
from agents.orders.tracker import OrderTracker
from agents.risk.verdict import Allowance, allowed
from agents.state import EngineState, Sizing
from agents.strategy.ladder import capacity_sz
from agents.strategy.presence import INVENTORY_SHARE_MAX
from agents.strategy.quoter import SideRoom
from agents.strategy.sizes import clip_size

WANTED_SHARE: Final = Decimal("0.98")  # so that a small rise of the price breaks no limit
LIMIT_DRIFT_SHARE: Final = 2e-4
CLIP_DRIFT_SHARE: Final = 0.01
PRESENT_SHARE: Final = Decimal(repr(INVENTORY_SHARE_MAX))
ZERO: Final = Decimal(0)
BID, ASK = Side.BID, Side.ASK
CANCELING, UNKNOWN = State.CANCELING, State.UNKNOWN


class Room(msgspec.Struct, frozen=True, gc=False):
    """``wanted``: what the ladder may show; ``place_sz``: what may be sent this moment, with all
    that is out, cancels under way and unknown orders included, counted as filling.
    """

    allowance: Allowance
    wanted: SideRoom
    place_sz: Decimal


class Rooms(msgspec.Struct, frozen=True, gc=False):
    """Both sides, the size of one order, the limit, and up to which inventory both are shown."""

    clip_sz: Decimal
    limit_sz: Decimal
    present_sz: Decimal
    bid: Room
    ask: Room

    def of(self, side: Side) -> Room:
        return self.bid if side is BID else self.ask


NO_ROOM: Final = Room(
    allowance=Allowance.NONE, wanted=SideRoom(room_sz=Decimal(0)), place_sz=Decimal(0)
)


def rooms(state: EngineState, estimates: Estimates, now_ns: int) -> Rooms:
    """What the verdict, the limits, the inventory and the last refusals leave to each side."""
    reference_px = estimates.mid_px
    if estimates.mark_px is not None and estimates.mark_px > reference_px:
        reference_px = estimates.mark_px
    sizing = _sizing(state, reference_px)
    low_sz, high_sz = state.held()
    sign = 1 if low_sz > 0 else -1 if high_sz < 0 else 0
    bid, ask = allowed(state.verdict.mode, sign)
    bid = _exit(state, BID, bid, high_sz, now_ns)
    ask = _exit(state, ASK, ask, low_sz, now_ns)
    return Rooms(
        clip_sz=sizing.clip_sz,
        limit_sz=sizing.limit_sz,
        present_sz=sizing.present_sz,
        bid=side_room(state.tracker, side=BID, allowance=bid, sizing=sizing, held_sz=high_sz),
        ask=side_room(state.tracker, side=ASK, allowance=ask, sizing=sizing, held_sz=low_sz),
    )


def _exit(
    state: EngineState, side: Side, allowance: Allowance, held_sz: Decimal, now_ns: int
) -> Allowance:
    """A side whose orders are turned away because they may add offers what only reduces (I14); an
    order that still rests there is exit enough.
    """
    inside = allowance is Allowance.FULL and side.sign * held_sz < 0
    if not inside or not state.throttle.barred(side, now_ns):
        return allowance
    stands = any(not order.reduce_only for order in state.tracker.side(side))
    return allowance if stands else Allowance.REDUCE


def side_room(
    tracker: OrderTracker, *, side: Side, allowance: Allowance, sizing: Sizing, held_sz: Decimal
) -> Room:
    """``held_sz``: the signed position that is worst for this side."""
    if allowance is Allowance.NONE:
        return NO_ROOM
    reducing_sz = max(-side.sign * held_sz, ZERO)
    all_sz = busy_sz = tracker.unseen_sz(side)
    for order in tracker.live.values():
        if order.side is side:
            remaining_sz, stands = order.remaining_sz, order.state
            all_sz += remaining_sz
            if stands is CANCELING or stands is UNKNOWN:
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
        side=side, limit_sz=sizing.wanted_limit_sz, position_sz=held_sz, open_sz=busy_sz
    )
    place_sz = ZERO
    if allowance is Allowance.FULL:
        place_sz = capacity_sz(
            side=side, limit_sz=sizing.limit_sz, position_sz=held_sz, open_sz=all_sz
        )
    return Room(
        allowance=allowance,
        wanted=SideRoom(room_sz=min(wanted_sz, sizing.budget_sz), reducing_sz=reducing_sz),
        place_sz=place_sz,
    )


def _sizing(state: EngineState, reference_px: float) -> Sizing:
    """Limits in coins, renewed when the price moved; the clip only when it moved by a percent."""
    known = state.sizing
    if known is not None and abs(reference_px / known.reference_px - 1.0) <= LIMIT_DRIFT_SHARE:
        return known
    strategy = state.settings.strategy
    # At the highest price this sizing will serve, so that the limit holds at each of them.
    limit_sz = Decimal(repr(state.sizing_max_usd / (reference_px * (1.0 + LIMIT_DRIFT_SHARE))))
    if known is None or abs(reference_px / known.clip_px - 1.0) > CLIP_DRIFT_SHARE:
        clip_px = reference_px
        clip_sz = clip_size(
            settings=strategy,
            instrument=state.instrument,
            position_max_usd=state.sizing_max_usd,
            reference_px=reference_px,
        )
    else:
        clip_px, clip_sz = known.clip_px, known.clip_sz
    state.sizing = Sizing(
        reference_px=reference_px,
        limit_sz=limit_sz,
        wanted_limit_sz=limit_sz * WANTED_SHARE,
        budget_sz=max(limit_sz * Decimal(repr(strategy.side_budget_share)), clip_sz),
        present_sz=limit_sz * PRESENT_SHARE,
        clip_px=clip_px,
        clip_sz=clip_sz,
    )
    return state.sizing
