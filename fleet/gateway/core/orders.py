"""What we sent and what became of it: every order of ours that may still fill.

An order counts as open from the moment it is sent until it is known that it cannot fill any more;
an unknown outcome is open (I1). The venue's snapshots only ever add, or end the rest of an order
when they were asked for later than the last word on it; what it filled may still be on its way.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum, auto
from typing import Final

import msgspec

from agents.events import LiveOrder, OrderResult, OrderUpdate
from agents.market.types import Fill, Side
from fleet.gateway.core.limits import Exposure

EXPIRY_MARGIN_MS: Final = 1_000
SNAPSHOT_LAG_MS: Final = 1_000
CLOSING_MAX_MS: Final = 5_000
_ZERO: Final = Decimal(0)


class State(Enum):
    """Where an order stands; one that is gone is not in the table."""

    IN_FLIGHT = auto()  # sent, not answered
    OPEN = auto()  # rests
    UNKNOWN = auto()  # the answer is lost: may rest, may not
    CLOSING = auto()  # rests no more; fills of it may still be on their way


class Order(msgspec.Struct):
    """One order of ours. ``nonce`` 0: found in a snapshot. ``touched_ms``: the last word on it."""

    cloid: str
    market: str
    generation: int
    side: Side
    px: Decimal
    remaining_sz: Decimal
    reduce_only: bool
    state: State
    touched_ms: int
    nonce: int = 0
    oid: int | None = None


class Placement(msgspec.Struct, frozen=True):
    """An action that may yet be executed: not answered, not voided, not past its expiry."""

    nonce: int
    market: str
    generation: int
    expires_ms: int
    cloids: tuple[str, ...]


class Orders:
    """The table of orders, the sums per side, and the placements not yet resolved."""

    def __init__(self) -> None:
        self.by_cloid: dict[str, Order] = {}
        self.unresolved: dict[int, Placement] = {}
        self._open_sz: dict[tuple[str, Side], Decimal] = {}
        self._reducing_sz: dict[tuple[str, Side], Decimal] = {}

    # ── sums ─────────────────────────────────────────────────────────────────────────────────

    def exposure(self, market: str, position_sz: Decimal) -> Exposure:
        """All that may still fill; of what is reduce-only, as much as takes the position to 0.

        Such an order can't add, but it may have filled and its fill not be told yet: then what
        does add begins at 0, and not at the position we still believe in.
        """
        return Exposure(
            position_sz=position_sz,
            open_bid_sz=self._may_fill_sz(market, Side.BID, -position_sz),
            open_ask_sz=self._may_fill_sz(market, Side.ASK, position_sz),
        )

    def _may_fill_sz(self, market: str, side: Side, reducible_sz: Decimal) -> Decimal:
        key = (market, side)
        reducing_sz = min(self._reducing_sz.get(key, _ZERO), max(reducible_sz, _ZERO))
        return self._open_sz.get(key, _ZERO) + reducing_sz

    def _count(self, order: Order, delta_sz: Decimal) -> None:
        sums = self._reducing_sz if order.reduce_only else self._open_sz
        key = (order.market, order.side)
        sums[key] = sums.get(key, _ZERO) + delta_sz

    def _resize(self, order: Order, remaining_sz: Decimal) -> None:
        self._count(order, remaining_sz - order.remaining_sz)
        order.remaining_sz = remaining_sz

    def _add(self, order: Order) -> None:
        self.by_cloid[order.cloid] = order
        self._count(order, order.remaining_sz)

    def drop(self, cloid: str) -> None:
        """It can't fill any more."""
        order = self.by_cloid.pop(cloid, None)
        if order is not None:
            self._count(order, -order.remaining_sz)

    # ── what we do ───────────────────────────────────────────────────────────────────────────

    def sent(self, orders: Iterable[Order], expires_ms: int) -> None:
        """One placement leaves; its orders share nonce, market and generation."""
        placed = tuple(orders)
        for order in placed:
            assert order.cloid not in self.by_cloid
            self._add(order)
        head = placed[0]
        self.unresolved[head.nonce] = Placement(
            nonce=head.nonce, market=head.market, generation=head.generation,
            expires_ms=expires_ms, cloids=tuple(order.cloid for order in placed),
        )  # fmt: skip

    # ── what becomes of a placement ──────────────────────────────────────────────────────────

    def answered(self, nonce: int, results: tuple[OrderResult, ...], now_ms: int) -> None:
        placement = self.unresolved.pop(nonce, None)
        if placement is None:
            return
        for cloid, result in zip(placement.cloids, results, strict=True):
            order = self.by_cloid.get(cloid)
            if order is None:
                continue
            order.touched_ms = now_ms
            order.oid = order.oid or result.oid
            if result.kind == "refused":
                self.drop(cloid)
            elif result.kind == "filled":
                order.state = State.CLOSING
            elif order.state is not State.CLOSING:
                order.state = State.OPEN

    def voided(self, nonce: int) -> bool:
        """The placement can never happen; True if that was not known before."""
        placement = self.unresolved.pop(nonce, None)
        for cloid in placement.cloids if placement else ():
            self.drop(cloid)
        return placement is not None

    def unanswered(self, nonce: int, now_ms: int) -> None:
        """Its answer is lost; it stays unresolved."""
        placement = self.unresolved.get(nonce)
        for cloid in placement.cloids if placement else ():
            self._mark_unknown(cloid, now_ms)

    def processed(self, nonce: int, now_ms: int) -> None:
        """It will not happen any more, and may have happened: the next snapshot tells."""
        placement = self.unresolved.pop(nonce, None)
        for cloid in placement.cloids if placement else ():
            self._mark_unknown(cloid, now_ms)

    def _mark_unknown(self, cloid: str, now_ms: int) -> None:
        order = self.by_cloid.get(cloid)
        if order is not None and order.state is State.IN_FLIGHT:
            order.state, order.touched_ms = State.UNKNOWN, now_ms

    def expire(self, venue_ms: int, now_ms: int) -> list[int]:
        """Placements whose time is over at the venue: resolved, outcome by snapshot."""
        due = [
            nonce
            for nonce, placement in self.unresolved.items()
            if venue_ms > placement.expires_ms + EXPIRY_MARGIN_MS
        ]
        for nonce in due:
            self.processed(nonce, now_ms)
        return due

    # ── what the venue says of an order ──────────────────────────────────────────────────────

    def updated(self, row: OrderUpdate, now_ms: int) -> None:
        """A row of ``orderUpdates``."""
        order = self.by_cloid.get(row.cloid or "")
        if order is None:
            return
        order.oid, order.touched_ms = row.oid, now_ms
        if row.status in {"open", "triggered"}:
            if order.state in {State.IN_FLIGHT, State.UNKNOWN}:
                order.state = State.OPEN
        elif row.status.lower().endswith("rejected"):
            self.drop(order.cloid)
        else:  # filled or cancelled: only fills on their way are left of it
            order.state = State.CLOSING
            if row.status != "filled":
                self._resize(order, max(order.remaining_sz - row.remaining_sz, _ZERO))
            if order.remaining_sz <= 0:
                self.drop(order.cloid)

    def filled(self, fill: Fill) -> None:
        """A fill that is booked for the first time."""
        order = self.by_cloid.get(fill.cloid or "")
        if order is None:
            return
        self._resize(order, max(order.remaining_sz - fill.sz, _ZERO))
        if order.remaining_sz <= 0:
            self.drop(order.cloid)

    def cancelled(self, cloid: str, error: str | None, now_ms: int) -> None:
        """A cancel's answer. 'Was never placed' says nothing about a placement in flight.

        Of one that rests by now it may be late, told before it came: it is asked about.
        """
        order = self.by_cloid.get(cloid)
        if order is None or order.nonce in self.unresolved:
            return
        if error is None:
            order.state, order.touched_ms = State.CLOSING, now_ms
        elif order.state is State.OPEN:
            order.state, order.touched_ms = State.UNKNOWN, now_ms

    def status(self, cloid: str, status: str | None, now_ms: int) -> None:
        """``orderStatus`` of one order; None: the venue knows no such order."""
        order = self.by_cloid.get(cloid)
        if order is None or order.state is State.CLOSING:
            return
        if status == "open":
            order.state, order.touched_ms = State.OPEN, now_ms
        elif status is not None:
            order.state, order.touched_ms = State.CLOSING, now_ms
        elif order.nonce not in self.unresolved:
            self.drop(cloid)

    def snapshot(
        self, dex: str, rows: Iterable[tuple[Order, LiveOrder]], requested_ms: int, now_ms: int
    ) -> None:
        """All open orders of ours on one DEX, asked for at ``requested_ms``.

        What it lacks rests no more. It may have filled, and the fill be slower than this list: so
        it counts for as long as fills may be on their way.
        """
        listed: set[str] = set()
        for found, row in rows:
            listed.add(found.cloid)
            held = self.by_cloid.get(found.cloid)
            if held is None:
                self._add(found)
            elif held.state in {State.IN_FLIGHT, State.UNKNOWN}:
                held.state, held.oid, held.touched_ms = State.OPEN, row.oid, now_ms
        for cloid, order in self.by_cloid.items():
            if cloid in listed or dex_of(order.market) != dex or order.nonce in self.unresolved:
                continue
            if (
                order.state is not State.CLOSING
                and order.touched_ms + SNAPSHOT_LAG_MS <= requested_ms
            ):
                order.state, order.touched_ms = State.CLOSING, now_ms

    def sweep_closing(self, now_ms: int) -> None:
        """Fills that did not come in ``CLOSING_MAX_MS`` are in the position by now."""
        for cloid, order in list(self.by_cloid.items()):
            if order.state is State.CLOSING and now_ms - order.touched_ms > CLOSING_MAX_MS:
                self.drop(cloid)

    def resting(self, market: str | None = None) -> Iterator[Order]:
        """All that may rest: open, unknown, in flight."""
        for order in self.by_cloid.values():
            if order.state is not State.CLOSING and market in {None, order.market}:
                yield order

    def suspects(self, dex: str, listed: set[str], now_ms: int) -> list[Order]:
        """Orders thought open that a fresh pushed list of their DEX does not show."""
        return [
            order
            for order in self.by_cloid.values()
            if order.state in {State.OPEN, State.UNKNOWN}
            and order.nonce not in self.unresolved
            and order.cloid not in listed
            and dex_of(order.market) == dex
            and now_ms - order.touched_ms > 3 * SNAPSHOT_LAG_MS
        ]


def dex_of(market: str) -> str:
    """The DEX a market's name says: ``hyna:BTC`` → ``hyna``, ``BTC`` → the main one, ``""``."""
    dex, colon, _ = market.partition(":")
    return dex if colon else ""
