"""One maker at one recorded market: its orders travel, rest beside the record and fill by it.

The maker is told what an engine is told, and asks what an engine asks; nothing stands between but
time. An order or a cancel reaches the venue ``order_ms`` after it was sent, and the answer, or the
fill, is back ``answer_ms`` later. Market data come as the recording received them.
"""

import heapq
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from agents.commands import AskOpenOrders, AskOrder, Cancel, Command, NewOrder, Place
from agents.engine import Engine
from agents.events import (
    CancelAnswered,
    DirectiveReceived,
    Event,
    Fills,
    LiveOrder,
    OpenOrders,
    OrderResult,
    OrderStatus,
    PlaceAnswered,
    SkewSolved,
    Tick,
)
from agents.exchange.codec import decode_frame
from agents.market.types import Cloid, Coin, Fill, Oid, Tid
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.sim.market import Execution, RestingOrder
from agents.sim.tape import Outage, TapeFrame
from agents.sim.tape_market import TapeMarket
from agents.sim.tape_queue import ZERO
from agents.strategy.exact import solve

TICK_NS: Final = 100 * NS_PER_MS
DIRECTIVE_NS: Final = NS_PER_S


class Maker(Protocol):
    """What an ``Engine`` is to its shell."""

    def handle(self, event: Event, now_ns: int) -> list[Command]:
        """Take one event; return what to do, in order."""


class Terms(msgspec.Struct, frozen=True):
    """Latency one way and back, and the fee that a fill pays."""

    order_ms: float = 250.0
    answer_ms: float = 250.0
    maker_fee_bps: float = 1.5


class Filled(msgspec.Struct, frozen=True):
    """One fill: ``sign`` +1 bought; ``mid_px`` the venue's at that moment."""

    at_ns: int
    sign: int
    px: float
    sz: float
    mid_px: float


class Mark(msgspec.Struct, frozen=True):
    """The state at one moment: cash and position, and the mid to value it by."""

    at_ns: int
    mid_px: float
    position_sz: float
    cash_usd: float

    @property
    def equity_usd(self) -> float:
        return self.cash_usd + self.position_sz * self.mid_px


class Desk:
    """``marks``: one each second while the market is seen; ``dark``: it is not."""

    def __init__(
        self, coin: Coin, maker: Maker, terms: Terms, frames: Iterable[TapeFrame | Outage]
    ) -> None:
        self.coin = coin
        self.maker = maker
        self.now_ns = 0
        self.fills: list[Filled] = []
        self.marks: list[Mark] = []
        self.actions = 0
        self.refused = 0
        self.position_sz = ZERO
        self.cash_usd = 0.0
        self._terms = terms
        self._frames = frames
        self._market = TapeMarket(coin)
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._pushed = 0
        self._oids = 0
        self._by_cloid: dict[Cloid, int] = {}

    # ── time ─────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """To the end of the recording."""
        started = False
        for frame in self._frames:
            if not started:
                self.now_ns = frame.t_ns
                for happen in (self._tick, self._second):
                    self._at(0, happen)
                started = True
            self._advance(frame.t_ns)
            self._frame(frame)

    def _advance(self, until_ns: int) -> None:
        while self._heap and self._heap[0][0] <= until_ns:
            self.now_ns, _, happen = heapq.heappop(self._heap)
            happen()
        self.now_ns = until_ns

    def _at(self, delay_ns: int, happen: Callable[[], None]) -> None:
        self._pushed += 1
        heapq.heappush(self._heap, (self.now_ns + delay_ns, self._pushed, happen))

    def _tick(self) -> None:
        self._tell(Tick())
        problem = self.maker.problem if isinstance(self.maker, Engine) else None
        if problem is not None:
            self._tell(SkewSolved(solve(problem)))
        self._at(TICK_NS, self._tick)

    def _second(self) -> None:
        now_ms = self.now_ns // NS_PER_MS
        self._tell(DirectiveReceived(seq=now_ms, as_of_ms=now_ms, mode="normal"))
        mid_px = self.mid_px()
        if mid_px is not None and not self._market.dark():
            self.marks.append(Mark(self.now_ns, mid_px, float(self.position_sz), self.cash_usd))
        self._at(DIRECTIVE_NS, self._second)

    # ── the market ───────────────────────────────────────────────────────────────────────────

    def mid_px(self) -> float | None:
        """As displayed; the last known one in an outage."""
        bid, ask = self._market.touch()
        return None if bid is None or ask is None else float(bid.px + ask.px) / 2

    def _frame(self, frame: TapeFrame | Outage) -> None:
        if isinstance(frame, Outage):
            self._market.go_dark()
            return
        if frame.coin != self.coin:
            return
        self._executed(self._market.apply(frame))
        event = decode_frame(frame.raw)
        if isinstance(event, Event):
            self._tell(event)

    def _executed(self, executions: Iterable[Execution]) -> None:
        for execution in executions:
            order = execution.maker
            assert order is not None
            mid_px = self.mid_px() or float(execution.px)
            sign = order.side.sign
            before_sz, self.position_sz = self.position_sz, self.position_sz + sign * execution.sz
            notional_usd = execution.px * execution.sz
            fee = notional_usd * Decimal(repr(self._terms.maker_fee_bps)) / Decimal(10_000)
            self.cash_usd -= float(sign * notional_usd + fee)
            self.fills.append(
                Filled(self.now_ns, sign, float(execution.px), float(execution.sz), mid_px)
            )
            fill = Fill(
                coin=self.coin,
                side=order.side,
                px=execution.px,
                sz=execution.sz,
                time_ms=self.now_ns // NS_PER_MS,
                tid=Tid(len(self.fills)),
                oid=Oid(order.oid),
                cloid=Cloid(order.cloid or ""),
                fee=fee,
                fee_token="USDC",
                crossed=False,
                start_position_sz=before_sz,
                closed_pnl=ZERO,
            )
            self._later(self._terms.answer_ms, Fills(fills=(fill,)))

    # ── the maker ────────────────────────────────────────────────────────────────────────────

    def _tell(self, event: Event) -> None:
        for command in self.maker.handle(event, self.now_ns):
            self._carry_out(command)

    def _later(self, delay_ms: float, event: Event) -> None:
        self._at(round(delay_ms * NS_PER_MS), lambda: self._tell(event))

    def _carry_out(self, command: Command) -> None:
        order_ns = round(self._terms.order_ms * NS_PER_MS)
        match command:
            case Place():
                self.actions += len(command.orders)
                self._at(order_ns, lambda: self._place(command))
            case Cancel():
                self.actions += len(command.cloids)
                self._at(order_ns, lambda: self._cancel(command))
            case AskOpenOrders():
                self._later(self._terms.answer_ms, self._listed(command.request_id))
            case AskOrder():
                self._later(self._terms.answer_ms, OrderStatus(command.cloid, self.now_ns, None))
            case _:
                pass

    def _listed(self, request_id: int) -> OpenOrders:
        found = [self._market.order(oid) for oid in self._by_cloid.values()]
        rows = tuple(
            LiveOrder(
                oid=Oid(order.oid),
                cloid=Cloid(order.cloid or ""),
                side=order.side,
                px=order.px,
                remaining_sz=order.sz,
                orig_sz=order.orig_sz,
                placed_ms=order.placed_ms,
                reduce_only=order.reduce_only,
            )
            for order in found
            if order is not None and order.sz
        )
        return OpenOrders(request_id, self.now_ns, rows)

    def _place(self, command: Place) -> None:
        results = tuple(self._rest(order) for order in command.orders)
        self._later(self._terms.answer_ms, PlaceAnswered(command.request_id, results))

    def _rest(self, new: NewOrder) -> OrderResult:
        # An order that makes way goes in the same step; one that is gone already stops it.
        replaced = new.replaces
        if replaced is not None and not self._takes_out(replaced):
            return OrderResult(kind="refused", text="Cannot modify canceled or filled order")
        self._oids += 1
        order = RestingOrder(
            oid=self._oids,
            owner="maker",
            side=new.side,
            px=new.px,
            sz=new.sz,
            orig_sz=new.sz,
            placed_ms=self.now_ns // NS_PER_MS,
            cloid=new.cloid,
            reduce_only=new.reduce_only,
            tif="Alo",
        )
        if self._market.place(order, 0).resting:
            self._by_cloid[new.cloid] = order.oid
            return OrderResult(kind="resting", oid=Oid(order.oid))
        self.refused += 1
        bid, ask = self._market.touch()
        bbo = f"{bid.px if bid else 0}@{ask.px if ask else 0}"
        text = f"Post only order would have immediately matched, bbo was {bbo}."
        return OrderResult(kind="refused", text=text)

    def _cancel(self, command: Cancel) -> None:
        gone = "Order was never placed, already canceled, or filled."
        errors = tuple(None if self._takes_out(cloid) else gone for cloid in command.cloids)
        self._later(self._terms.answer_ms, CancelAnswered(command.request_id, errors))

    def _takes_out(self, cloid: Cloid) -> bool:
        return self._market.cancel(self._by_cloid.pop(cloid, 0)) is not None
