"""Public prints as bursts: one aggressor in one block, and how far from the mid before it."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from agents.market.types import Side, Trade
from agents.market.units import BPS

TIDS_KEPT: Final = 4_096
TOUCHES_KEPT: Final = 64
BACKLOG_MS: Final = 3_000
STALE_MS: Final = 12_000
PX_MAX: Final = 1e12
SZ_MAX: Final = 1e18


class Burst(msgspec.Struct, frozen=True, gc=False):
    """``side``: the aggressor's, a BID bought; ``reach_bps``: its furthest print from the mid
    before the block, signed its way, so what filled within the mid is negative.
    """

    side: Side
    reach_bps: float
    usd: float
    mid_px: float
    at_ms: int


class Prints:
    """Each print once, by its id; old prints never: a subscribe's replay is no flow.

    Trades and touch come unordered across channels, so the mid before a burst is looked up by the
    venue's block time among the last touches.
    """

    __slots__ = ("_mids", "_tids", "backlog_due", "last_ms")

    def __init__(self) -> None:
        self._tids: dict[int, None] = {}
        self._mids: deque[tuple[int, float]] = deque(maxlen=TOUCHES_KEPT)
        self.backlog_due = True
        self.last_ms = 0  # of the newest print, a replay's too

    def touched(self, mid_px: float, venue_ms: int) -> None:
        """The mid from this block on."""
        self._mids.append((venue_ms, mid_px))

    def gap(self) -> None:
        """The feed broke: its first trades frame will be a replay."""
        self.backlog_due = True
        self._mids.clear()

    def mid_before(self, at_ms: int) -> float | None:
        """The mid as the block at ``at_ms`` found it; None if the last touch is not of its time."""
        for venue_ms, mid_px in reversed(self._mids):
            if venue_ms < at_ms:
                return mid_px
        return None

    def bursts(self, trades: Sequence[Trade]) -> list[Burst]:
        """What of a frame is new and timely, by aggressor and block, in the order it came."""
        fresh = [trade for trade in trades if self._first_seen(trade)]
        if self.backlog_due:  # the first frame after a subscribe replays old prints
            self.backlog_due = False
            return []
        if not fresh or not self._mids:
            return []
        touched_ms = self._mids[-1][0]
        if fresh[-1].time_ms - touched_ms > STALE_MS:
            return []  # the feed is back, its touch is not: this is the replay
        oldest_ms = touched_ms - BACKLOG_MS
        found: list[Burst] = []
        index = 0
        while index < len(fresh):
            first = fresh[index]
            far_px, usd = first.px, first.px * first.sz
            sign = first.side.sign
            index += 1
            while index < len(fresh):
                trade = fresh[index]
                if trade.side is not first.side or trade.time_ms != first.time_ms:
                    break
                if sign * (trade.px - far_px) > 0:
                    far_px = trade.px
                usd += trade.px * trade.sz
                index += 1
            if first.time_ms < oldest_ms:
                continue
            mid_px = self.mid_before(first.time_ms)
            if mid_px is not None:
                reach_bps = sign * (far_px - mid_px) / mid_px * BPS
                found.append(Burst(first.side, reach_bps, usd, mid_px, first.time_ms))
        return found

    def _first_seen(self, trade: Trade) -> bool:
        """Whether it is new, and its price and size are numbers of a market."""
        tids, tid = self._tids, trade.tid
        if tid in tids or not (0 < trade.px < PX_MAX and 0 <= trade.sz < SZ_MAX):
            return False
        tids[tid] = None
        self.last_ms = max(self.last_ms, trade.time_ms)
        if len(tids) > TIDS_KEPT:
            del tids[next(iter(tids))]
        return True
