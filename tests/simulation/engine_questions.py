"""What the engine asks the venue about its orders; a node that lags answers with what was."""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from agents.events import Event, OpenOrders, OrderStatus
from agents.exchange.codec_account import to_live
from agents.exchange.wire_account import FrontendOrder, OrderStatusWire
from agents.market.types import Cloid
from agents.sim.exchange import Exchange
from tests.simulation.engine_faults import Faults
from tests.simulation.engine_lease import USER

WAY_MS = 80.0


class Asking(Protocol):
    """The world that is asked."""

    faults: Faults

    @property
    def exchange(self) -> Exchange: ...
    @property
    def now_ns(self) -> int: ...
    @property
    def now_ms(self) -> int: ...
    def happens(self, share: float) -> bool: ...
    def later(self, median_ms: float, happen: Callable[[], None]) -> None: ...
    def tell(self, event: Event) -> None: ...


class Questions:
    """Answers about open orders and single orders, each on its way there and back."""

    def __init__(self, world: Asking) -> None:
        self._world = world
        self._then: deque[Any] = deque(maxlen=2)  # the rows of a second ago, and of two

    def remember(self) -> None:
        """Once a second: what a lagging node will say."""
        self._then.append(self._rows())

    def open_orders(self, request_id: int) -> None:
        world, asked_ns = self._world, self._world.now_ns

        def look() -> None:
            stale = self._then and world.happens(world.faults.stale_info)
            rows = self._then[0] if stale else self._rows()
            found = msgspec.convert(rows, tuple[FrontendOrder, ...], strict=False)
            event = OpenOrders(request_id, asked_ns, tuple(map(to_live, found)))
            world.later(WAY_MS, lambda: world.tell(event))

        if not world.happens(world.faults.answer_lost):
            world.later(WAY_MS, look)

    def order(self, cloid: Cloid) -> None:
        world, asked_ns = self._world, self._world.now_ns

        def look() -> None:
            request = {"type": "orderStatus", "user": USER, "oid": cloid}
            answer = world.exchange.info(request, world.now_ms)
            row = msgspec.convert(answer, OrderStatusWire, strict=False).order
            event = OrderStatus(
                cloid=cloid,
                requested_ns=asked_ns,
                status=None if row is None else row.status,
                oid=None if row is None else row.order.oid,
                remaining_sz=None if row is None else row.order.sz,
            )
            world.later(WAY_MS, lambda: world.tell(event))

        if not world.happens(world.faults.answer_lost):
            world.later(WAY_MS, look)

    def _rows(self) -> Any:
        request = {"type": "frontendOpenOrders", "user": USER}
        return self._world.exchange.info(request, self._world.now_ms)
