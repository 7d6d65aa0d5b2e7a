"""What no agent may do however it errs: prices through the market, and orders without end.

Held by the gateway's door, and looked at here by the venue's truth: each order that adds stands
within the collar round a mark of late, and a market sends no more than its bucket holds.
"""

from typing import Final

from agents.exchange.wire import OrderWire
from agents.market.units import BPS, MS_PER_S
from fleet.gateway.core.state import State
from fleet.world.lookout import Lookout
from fleet.world.tally import Tally

BURST: Final = 200.0
PER_S: Final = 20.0
ROUNDING: Final = 1.0
"""The gateway counts by whole milliseconds of its own clock."""
_SLACK: Final = 1.0 + 1e-9


class Bounds:
    """Of one world; a gateway that starts begins its buckets anew."""

    def __init__(self, tally: Tally, lookout: Lookout) -> None:
        self._tally = tally
        self._lookout = lookout
        self._state: State | None = None
        self._left: dict[str, float] = {}
        self._at_ms: dict[str, int] = {}

    def adds(self, state: State, market: str, grows: tuple[OrderWire, ...], orders: int) -> None:
        """A placement of so many ``orders``, of which these add, as it leaves."""
        self._collar(state, market, grows)
        self._pace(state, market, orders)

    def _collar(self, state: State, market: str, orders: tuple[OrderWire, ...]) -> None:
        collar = state.markets[market].settings.risk.collar_bps / BPS
        marks = self._lookout.marks(market)
        for order in orders:
            self._tally.checked["door collar"] += 1
            px = float(order.p)
            if order.b and px > max(marks) * (1 + collar) * _SLACK:
                self._tally.fail("door collar", f"{market}: bids {px}, marks up to {max(marks)}")
            if not order.b and px * _SLACK < min(marks) * (1 - collar):
                self._tally.fail("door collar", f"{market}: asks {px}, marks from {min(marks)}")

    def _pace(self, state: State, market: str, orders: int) -> None:
        self._tally.checked["pace"] += 1
        if state is not self._state:
            self._state = state
            self._left.clear()
        now_ms = self._tally.world.now_ms
        passed_s = (now_ms - self._at_ms.get(market, now_ms)) / MS_PER_S
        left = min(self._left.get(market, BURST) + PER_S * passed_s, BURST) - orders
        self._left[market], self._at_ms[market] = left, now_ms
        if left < -ROUNDING:
            self._tally.fail("pace", f"{market}: {-left:.0f} orders more than its bucket holds")
