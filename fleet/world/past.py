"""What the venue would have answered a little ago: some of its nodes lag behind the others."""

from collections import deque
from typing import Final, cast

from agents.sim.exchange import Exchange

EVERY_MS: Final = 200
KEPT_MS: Final = 1_500

Rows = list[dict[str, object]]


class Past:
    """Open orders and positions of one account, as they were at some moments of the last second.

    Nothing is kept while ``keep`` is not called. What the account does not say to have changed is
    not made anew: orders, and sums of money where nothing is held.
    """

    def __init__(self, exchange: Exchange, address: str) -> None:
        self._exchange = exchange
        self._address = address
        self._dexes = tuple(dex.name for dex in exchange.universe.dexes)
        self._kept: deque[tuple[int, dict[str, object], dict[str, Rows]]] = deque()
        self._orders: dict[str, Rows] = {}
        self._flat: dict[str, dict[str, object]] = {}

    def changed(self, dex: str, *, orders: bool) -> None:
        """The account differs on this DEX; ``orders``: they came, went or were filled."""
        self._flat.pop(dex, None)
        if orders:
            self._orders.pop(dex, None)

    def keep(self, now_ms: int) -> None:
        if self._kept and now_ms - self._kept[-1][0] < EVERY_MS:
            return
        states: dict[str, object] = {}
        orders: dict[str, Rows] = {}
        for dex in self._dexes:
            asked = {"user": self._address, "dex": dex}
            if dex in self._flat:
                states[dex] = {**self._flat[dex], "time": now_ms}
            else:
                states[dex] = state = self._ask({"type": "clearinghouseState", **asked}, now_ms)
                assert isinstance(state, dict)
                if not state["assetPositions"]:
                    self._flat[dex] = state
            if dex not in self._orders:
                listed = self._ask({"type": "frontendOpenOrders", **asked}, now_ms)
                self._orders[dex] = cast("Rows", listed)
            orders[dex] = self._orders[dex]
        self._kept.append((now_ms, states, orders))
        while now_ms - self._kept[0][0] > KEPT_MS:
            self._kept.popleft()

    def _ask(self, request: dict[str, object], now_ms: int) -> object:
        return self._exchange.info(request, now_ms)

    def answer(self, request: dict[str, object], at_ms: int) -> object | None:
        """The answer as of the first moment kept that is not before ``at_ms``; None: no other."""
        found = next((kept for kept in self._kept if kept[0] >= at_ms), None)
        if found is None:
            return None
        kept_ms, states, orders = found
        dex = cast("str", request.get("dex", ""))
        match request["type"]:
            case "clearinghouseState":
                return states.get(dex)
            case "frontendOpenOrders":
                return orders.get(dex)
            case "orderStatus":
                return self._status(request, kept_ms, orders)
            case "userFillsByTime":
                rows = cast("Rows", self._ask(request, kept_ms))
                return [row for row in rows if cast("int", row["time"]) <= kept_ms]
            case _:
                return None

    def _status(
        self, request: dict[str, object], kept_ms: int, orders: dict[str, Rows]
    ) -> object | None:
        told = cast("dict[str, dict[str, object]]", self._ask(request, kept_ms))
        inner = told.get("order")
        if inner is None:
            return None
        row = cast("dict[str, object]", inner["order"])
        if cast("int", row["timestamp"]) > kept_ms:
            return {"status": "unknownOid"}
        for rows in orders.values():
            for old in rows:
                if old["oid"] == row["oid"]:
                    order = {"order": old, "status": "open", "statusTimestamp": old["timestamp"]}
                    return {"status": "order", "order": order}
        return None
