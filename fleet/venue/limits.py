"""What one IP address may ask of the venue: weights by the minute, connections, subscriptions."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Final

from agents.market.units import NS_PER_S
from fleet.venue.refusals import TurnedAway
from fleet.venue.subscriptions import Json

WEIGHT_MAX: Final = 1_200
WINDOW_NS: Final = 60 * NS_PER_S
CONNECTIONS_MAX: Final = 10
NEW_CONNECTIONS_MAX: Final = 30
MESSAGES_MAX: Final = 2_000
SUBSCRIPTIONS_MAX: Final = 1_000
USERS_MAX: Final = 10
BATCH_PER_WEIGHT: Final = 40
INFO_WEIGHT: Final = 20
INFO_WEIGHTS: Final[Mapping[str, int]] = {
    "l2Book": 2,
    "allMids": 2,
    "clearinghouseState": 2,
    "orderStatus": 2,
    "spotClearinghouseState": 2,
    "exchangeStatus": 2,
    "userRole": 60,
}
ROWS_PER_WEIGHT: Final[Mapping[str, int]] = {
    "recentTrades": 20,
    "historicalOrders": 20,
    "userFills": 20,
    "userFillsByTime": 20,
    "fundingHistory": 20,
    "userFunding": 20,
    "userNonFundingLedgerUpdates": 20,
    "twapHistory": 20,
    "userTwapSliceFills": 20,
    "userTwapSliceFillsByTime": 20,
    "candleSnapshot": 60,
}
_BATCHES: Final = ("orders", "cancels", "modifies")
Weigh = Callable[[Json], int]


def action_weight(body: Json) -> int:
    """1, and 1 more for each 40 of a batch (section 8.1)."""
    action = body.get("action")
    if not isinstance(action, dict):
        return 1
    batch = next((action[key] for key in _BATCHES if isinstance(action.get(key), list)), ())
    return 1 + len(batch) // BATCH_PER_WEIGHT


def info_weight(body: Json) -> int:
    """Of the request alone; its rows are weighed once they are known."""
    kind = body.get("type")
    return INFO_WEIGHTS.get(kind, INFO_WEIGHT) if isinstance(kind, str) else INFO_WEIGHT


def rows_weight(body: Json, answer: object) -> int:
    """What a long answer adds."""
    kind = body.get("type")
    if not isinstance(kind, str) or not isinstance(answer, list) or kind not in ROWS_PER_WEIGHT:
        return 0
    return len(answer) // ROWS_PER_WEIGHT[kind]


class IpWeights:
    """Weights of the last minute by address. What was refused weighs nothing."""

    def __init__(self, most: int = WEIGHT_MAX) -> None:
        self._most = most
        self._spent: defaultdict[str, deque[tuple[int, int]]] = defaultdict(deque)
        self._sums: defaultdict[str, int] = defaultdict(int)
        self.refused = 0

    def charge(self, ip: str, weight: int, now_ns: int) -> None:
        """Raises TurnedAway (429) where the minute's weight would be exceeded."""
        if self.used(ip, now_ns) + weight > self._most:
            self.refused += 1
            raise TurnedAway(429)
        self.add(ip, weight, now_ns)

    def add(self, ip: str, weight: int, now_ns: int) -> None:
        """Weigh what was already done."""
        if weight:
            self._spent[ip].append((now_ns, weight))
            self._sums[ip] += weight

    def used(self, ip: str, now_ns: int) -> int:
        """Weight of the last 60 s."""
        spent = self._spent[ip]
        while spent and spent[0][0] <= now_ns - WINDOW_NS:
            self._sums[ip] -= spent.popleft()[1]
        return self._sums[ip]
