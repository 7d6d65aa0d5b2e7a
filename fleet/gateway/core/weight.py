"""What our requests cost of the venue's 1200 a minute for one IP."""

from collections import deque
from typing import Final

MINUTE_MS: Final = 60_000
WEIGHT_MAX: Final = 1_200
RESERVE: Final = 200
"""For cancels, voiding noops and a proof's snapshots: no agent's wish is paid from it (I10)."""
FOR_LESS: Final = 100
"""What new risk leaves besides, so that orders that take risk away are still placed."""
_LIGHT: Final = frozenset(
    {"l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState",
     "exchangeStatus"}
)  # fmt: skip
_ROWS: Final = frozenset(
    {"recentTrades", "historicalOrders", "userFills", "userFillsByTime", "fundingHistory",
     "userFunding", "userNonFundingLedgerUpdates"}
)  # fmt: skip


def info_weight(kind: str) -> int:
    """Weight of one /info request by its type."""
    if kind == "userRole":
        return 60
    return 2 if kind in _LIGHT else 20


def rows_weight(kind: str, rows: int) -> int:
    """What the rows of a long answer add (protocol 8.1)."""
    return rows // 20 if kind in _ROWS else 0


def action_weight(batch: int) -> int:
    """Weight of one action by its batch length."""
    return 1 + batch // 40


class WeightMeter:
    """The weight of the last minute."""

    def __init__(self) -> None:
        self._spent: deque[tuple[int, int]] = deque()
        self._total = 0

    def add(self, weight: int, now_ms: int) -> None:
        if self._spent and now_ms - self._spent[-1][0] < 100:  # buckets bound the memory
            at_ms, held = self._spent.pop()
            self._spent.append((at_ms, held + weight))
        else:
            self._spent.append((now_ms, weight))
        self._total += weight

    def used_share(self, now_ms: int) -> float:
        return self._used(now_ms) / WEIGHT_MAX

    def leaves_reserve(self, weight: int, now_ms: int, *, adding: bool = False) -> bool:
        """Whether this much more still leaves the reserve alone; ``adding``: new risk."""
        kept = RESERVE + FOR_LESS if adding else RESERVE
        return self._used(now_ms) + weight <= WEIGHT_MAX - kept

    def _used(self, now_ms: int) -> int:
        while self._spent and self._spent[0][0] <= now_ms - MINUTE_MS:
            self._total -= self._spent.popleft()[1]
        return self._total
