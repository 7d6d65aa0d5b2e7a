"""What is held, by trade id: each fill once, whatever channel told it how often."""

from decimal import Decimal
from typing import Final

from agents.market.types import Fill, Oid, Tid

FILLS_KEPT: Final = 10_000
ZERO: Final = Decimal(0)


class Position:
    """Signed size and average entry, from a known start plus unique fills.

    ``fills_since_ms``: venue time up to which fills are in the start already. The venue replays up
    to 2,000 fills after each subscribe; the last ``FILLS_KEPT`` ids are remembered.
    ``realized_usd`` and ``fees_usd`` (as paid) count since the start.
    """

    __slots__ = (
        "_keys", "_since_ms", "entry_px", "fees_usd", "fills", "last_fill_ms", "realized_usd",
        "sz",
    )  # fmt: skip

    def __init__(self, *, sz: Decimal, entry_px: Decimal | None, fills_since_ms: int) -> None:
        self.sz = sz
        self.entry_px = entry_px if sz else None
        self.realized_usd = ZERO
        self.fees_usd = ZERO
        self.fills = 0
        self.last_fill_ms = fills_since_ms
        self._since_ms = fills_since_ms
        self._keys: dict[tuple[Tid, Oid, int], None] = {}

    def apply(self, fill: Fill) -> bool:
        """Count one fill; False if it was counted before."""
        key = (fill.tid, fill.oid, fill.time_ms)
        if fill.time_ms <= self._since_ms or key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > FILLS_KEPT:
            del self._keys[next(iter(self._keys))]
        self.fills += 1
        self.fees_usd += fill.fee
        self.last_fill_ms = max(self.last_fill_ms, fill.time_ms)
        self._book(fill.side.sign * fill.sz, fill.px)
        return True

    def unrealized_usd(self, mark_px: float) -> float:
        """P&L of what is held at this price; 0 without an entry price."""
        if self.entry_px is None:
            return 0.0
        return float(self.sz) * (mark_px - float(self.entry_px))

    def _book(self, delta_sz: Decimal, px: Decimal) -> None:
        before_sz, after_sz = self.sz, self.sz + delta_sz
        entry_px = px if self.entry_px is None else self.entry_px
        if before_sz * delta_sz >= 0:
            held = abs(before_sz) * entry_px + abs(delta_sz) * px
            self.entry_px = held / abs(after_sz)
        else:
            closed_sz = min(abs(delta_sz), abs(before_sz))
            sign = 1 if before_sz > 0 else -1
            self.realized_usd += sign * closed_sz * (px - entry_px)
            if after_sz == 0:
                self.entry_px = None
            elif (after_sz > 0) != (before_sz > 0):
                self.entry_px = px
        self.sz = after_sz
