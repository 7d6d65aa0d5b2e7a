"""An address at the venue: its money a DEX, its orders by id and client id, and its history."""

from collections import deque
from decimal import Decimal
from typing import Final, Literal

import msgspec

from agents.market.types import Coin
from agents.sim.clearing import ZERO, Clearing
from agents.sim.market import RestingOrder

FILLS_KEPT: Final = 10_000
ORDERS_KEPT: Final = 20_000
HISTORY_KEPT: Final = 2_000
STANDARD: Final = "disabled"


class Trigger(msgspec.Struct):
    """What makes a trigger order fire, and whom it belongs to.

    ``whole``: it follows the position's size. ``waiting``: its parent has yet to be filled.
    Orders of one ``group`` are siblings: where one has traded, the others are cancelled.
    """

    px: Decimal
    is_market: bool
    tpsl: Literal["tp", "sl"]
    whole: bool = False
    waiting: bool = False
    group: int = 0


class Fee(msgspec.Struct, frozen=True):
    """What a builder gets of an order's fills, in tenths of a basis point."""

    builder: str
    tenths_bp: int


class Agent(msgspec.Struct):
    """A key that may sign for ``master``; ``name`` None is the unnamed one."""

    master: str
    name: str | None
    valid_until_ms: int
    removed: bool = False


class OrderRecord(msgspec.Struct):
    """An account's order, live or dead; ``status_sz`` is what remained at the last change.

    ``children``: trigger orders that wait for this one to fill.
    """

    coin: Coin
    order: RestingOrder
    tif: str | None
    status: str
    status_ms: int
    status_sz: Decimal
    trigger: Trigger | None = None
    children: tuple[int, ...] = ()
    fee: Fee | None = None


class OrderEvent(msgspec.Struct, frozen=True):
    """One line of an account's order history."""

    record: OrderRecord
    status: str
    status_ms: int
    sz: Decimal


class Daily(msgspec.Struct):
    """An account's weighted volume of one UTC day, taker's and maker's."""

    cross_usd: Decimal = ZERO
    add_usd: Decimal = ZERO


class Worth(msgspec.Struct, frozen=True, array_like=True):
    """What an account was worth at a time, whole and in perpetuals, and its profit until then."""

    time_ms: int
    usd: Decimal
    perp_usd: Decimal
    pnl_usd: Decimal
    perp_pnl_usd: Decimal


class Account:
    """One address: a clearing a DEX, its orders by id and client id, and what happened to them."""

    def __init__(self, address: str) -> None:
        self.address: Final = address
        self.clearings: dict[str, Clearing] = {}
        self.open: dict[int, OrderRecord] = {}
        self.live_cloids: dict[str, int] = {}
        self.reduce_only: dict[Coin, list[int]] = {}
        self.known: dict[int, OrderRecord] = {}
        self.known_cloids: dict[str, int] = {}
        self.history: deque[OrderEvent] = deque(maxlen=HISTORY_KEPT)
        self.past: list[dict[str, object]] = []
        self.past_oids: dict[int, dict[str, object]] = {}
        self.past_cloids: dict[str, int] = {}
        self.fills: deque[dict[str, object]] = deque(maxlen=FILLS_KEPT)
        self.volume_usd = ZERO
        self.requests = 0
        self.cancel_at_ms: int | None = None
        self.schedules: tuple[int, int] = (0, 0)
        self.reserved = 0
        self.allowed_at_ms = 0
        self.spot: dict[str, Decimal] = {}
        self.ledger: deque[dict[str, object]] = deque(maxlen=HISTORY_KEPT)
        self.fundings: deque[dict[str, object]] = deque(maxlen=HISTORY_KEPT)
        self.daily: dict[int, Daily] = {}
        self.deposited_usd = ZERO
        self.perp_deposited_usd = ZERO
        self.worth: list[Worth] = []
        self.agents: dict[str | None, str] = {}
        self.agent_removed_ms: int | None = None
        self.master: str | None = None
        self.name = ""
        self.subs: list[str] = []
        self.builders: dict[str, int] = {}
        self.abstraction = STANDARD
        self.liquidated_ms: dict[Coin, int] = {}

    def clearing(self, dex: str) -> Clearing:
        clearing = self.clearings.get(dex)
        if clearing is None:
            clearing = self.clearings[dex] = Clearing()
        return clearing

    def remember(self, record: OrderRecord) -> None:
        """Keep an order findable by id and cloid, the oldest dead ones forgotten.

        A cloid names its live order, whatever is refused under the same one meanwhile.
        """
        oid, cloid = record.order.oid, record.order.cloid
        self.known[oid] = record
        if cloid is not None and cloid not in self.live_cloids:
            self.known_cloids[cloid] = oid
        if len(self.known) > ORDERS_KEPT:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        for oid in self.known:
            if oid in self.open:
                continue
            cloid = self.known.pop(oid).order.cloid
            if cloid is not None and self.known_cloids.get(cloid) == oid:
                del self.known_cloids[cloid]
            return

    def advance(self, record: OrderRecord, status: str, now_ms: int, sz: Decimal) -> OrderEvent:
        """Note a change of status; ``sz`` remained at it."""
        record.status, record.status_ms, record.status_sz = status, now_ms, sz
        event = OrderEvent(record, status, now_ms, sz)
        self.history.append(event)
        return event

    def recall(self, past: list[dict[str, object]]) -> None:
        """Take over the order history of before a restart: rows of ``historicalOrders``."""
        self.past = past
        for row in past:
            order = row["order"]
            assert isinstance(order, dict)
            self.past_oids[order["oid"]] = row
            if order["cloid"] is not None:
                self.past_cloids[order["cloid"]] = order["oid"]
