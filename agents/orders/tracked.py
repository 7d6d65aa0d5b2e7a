"""One order of ours as we know it, and what of its size may still trade."""

from decimal import Decimal

import msgspec

from agents.market.types import Cloid, Oid, Side
from agents.orders.lifecycle import TERMINAL, Signal, State, advance

ZERO = Decimal(0)


class TrackedOrder(msgspec.Struct, gc=False):
    """An order from before it is sent until a minute after its end.

    Its executed size is told twice, in any order: by fills, and by answers and order rows. The
    greater counts (``accounted_sz``); what only answers told is ``unseen_sz``: it has traded, and
    its fills are on their way to the position.
    ``ours``: False for an order of an earlier generation that was found resting.
    """

    cloid: Cloid
    side: Side
    px: Decimal
    sz: Decimal
    near_px: float
    sent_ns: int
    reduce_only: bool = False
    ours: bool = True
    state: State = State.SENT
    oid: Oid | None = None
    filled_sz: Decimal = ZERO
    told_sz: Decimal = ZERO
    acked_ns: int | None = None
    cancel_ns: int | None = None
    doubt_ns: int | None = None
    ask_due_ns: int = 0
    asks: int = 0
    ended_ns: int | None = None

    @property
    def accounted_sz(self) -> Decimal:
        """Executed size, by whichever channel told more."""
        return max(self.filled_sz, self.told_sz)

    @property
    def unseen_sz(self) -> Decimal:
        """Executed by the venue's word, with no fill seen yet."""
        return max(self.told_sz - self.filled_sz, ZERO)

    @property
    def remaining_sz(self) -> Decimal:
        """What may still trade if it rests; never negative."""
        if self.filled_sz is ZERO and self.told_sz is ZERO:  # nearly always
            return self.sz
        done_sz = max(self.filled_sz, self.told_sz)
        return self.sz - done_sz if self.sz > done_sz else ZERO

    @property
    def open_sz(self) -> Decimal:
        """What may still trade: nothing once it ended, all of the rest while we do not know."""
        return ZERO if self.state in TERMINAL else self.remaining_sz

    def take(self, signal: Signal, now_ns: int) -> bool:
        """Advance the state; True if it changed. Times of ack, doubt and end are kept."""
        before, after = self.state, advance(self.state, signal)
        if signal in {Signal.ACK, Signal.SEEN} and self.acked_ns is None:
            self.acked_ns = now_ns
        if after is before:
            return False
        self.state = after
        if after is State.UNKNOWN:
            self.doubt_ns, self.ask_due_ns, self.asks = now_ns, now_ns, 0
        elif after is State.OPEN:
            self.acked_ns = now_ns
        elif after in TERMINAL and self.ended_ns is None:
            self.ended_ns = now_ns
        return True
