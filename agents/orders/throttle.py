"""When a side may place again after the venue or the gateway said no, and how often it may move."""

from typing import Final

import msgspec

from agents.market.types import Side
from agents.market.units import NS_PER_S, s_to_ns

POST_ONLY_NS: Final = s_to_ns(0.1)
CANCEL_NS: Final = s_to_ns(0.25)
OTHER_NS: Final = s_to_ns(1.0)
BACKOFF_MAX_NS: Final = s_to_ns(30.0)
EXIT_MAX_NS: Final = s_to_ns(5.0)
DOUBLINGS_MAX: Final = 10
NOTHING_TO_REPLACE: Final = "Cannot modify canceled or filled order"
MOVES_MAX: Final = 6.0
MOVES_PER_S: Final = 2.0


class _Backoff(msgspec.Struct, gc=False):
    until_ns: int = 0
    refusals: int = 0
    wait_ns: int = 0


class Throttle:
    """Doubling back-off a side: 0.1 s after a post-only refusal, 1 s after any other, 30 s at most.

    A placement that rests ends it. Orders that only reduce back off on their own, 5 s at most:
    what is refused to those that may add is no reason to leave a position without an exit (I14).
    """

    __slots__ = ("_cancel_until_ns", "_exits", "_placed_ns", "_sides")

    def __init__(self) -> None:
        self._cancel_until_ns = 0
        self._sides = {Side.BID: _Backoff(), Side.ASK: _Backoff()}
        self._exits = {Side.BID: _Backoff(), Side.ASK: _Backoff()}
        self._placed_ns: dict[Side, int] = {}

    def refused(self, side: Side, text: str, now_ns: int, *, reduces: bool) -> None:
        """An order of this side was turned away. Several of one batch count once; that the order
        it was to replace had just gone is no fault of it.
        """
        backoff = (self._exits if reduces else self._sides)[side]
        if now_ns < backoff.until_ns or NOTHING_TO_REPLACE in text:
            return
        base_ns = POST_ONLY_NS if "post only" in text.lower() else OTHER_NS
        wait_ns = base_ns << min(backoff.refusals, DOUBLINGS_MAX)
        backoff.wait_ns = min(wait_ns, EXIT_MAX_NS if reduces else BACKOFF_MAX_NS)
        backoff.until_ns = now_ns + backoff.wait_ns
        backoff.refusals += 1

    def cancel_refused(self, now_ns: int) -> None:
        """The gateway turned a cancel away."""
        self._cancel_until_ns = now_ns + CANCEL_NS

    def cancel_blocked(self, now_ns: int) -> bool:
        """Whether cancels must wait."""
        return now_ns < self._cancel_until_ns

    def rested(self, side: Side, *, reduces: bool) -> None:
        """An order of this side rests; one that only reduces says nothing of the others."""
        self._exits[side].refusals = 0
        if not reduces:
            self._sides[side].refusals = 0

    def placed(self, side: Side, now_ns: int) -> None:
        """An order of this side is sent."""
        self._placed_ns[side] = now_ns

    def paced(self, side: Side, pace_ns: int, now_ns: int) -> bool:
        """Whether this side placed less than ``pace_ns`` ago; of one decision all go together."""
        placed_ns = self._placed_ns.get(side)
        return placed_ns is not None and now_ns - placed_ns < pace_ns

    def blocked(self, side: Side, now_ns: int, *, reduces: bool) -> bool:
        """Whether this side must wait; ``reduces``: with an order that only takes away."""
        return now_ns < (self._exits if reduces else self._sides)[side].until_ns

    def barred(self, side: Side, now_ns: int) -> bool:
        """Whether what may add waits for longer than a touch takes to move on."""
        backoff = self._sides[side]
        return now_ns < backoff.until_ns and backoff.wait_ns >= OTHER_NS


class _Bucket(msgspec.Struct, gc=False):
    left: float = MOVES_MAX
    at_ns: int = 0


class Churn:
    """Moves of a side that only bring an order nearer: ``MOVES_PER_S`` in the long run, and
    ``MOVES_MAX`` at once. What protects an order, or makes the market, is never counted here.
    """

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets = {Side.BID: _Bucket(), Side.ASK: _Bucket()}

    def moves(self, side: Side, now_ns: int) -> bool:
        """Whether one more may move now; if so it counts."""
        bucket = self._buckets[side]
        gained = max(now_ns - bucket.at_ns, 0) / NS_PER_S * MOVES_PER_S
        bucket.left = min(bucket.left + gained, MOVES_MAX)
        bucket.at_ns = max(now_ns, bucket.at_ns)
        if bucket.left < 1.0:
            return False
        bucket.left -= 1.0
        return True
