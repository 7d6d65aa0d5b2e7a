"""One engine against the embedded exchange, in one thread, on one heap of events, by one seed.

Everything between them can go wrong: requests and answers get lost or turned away, user events
come late, twice and out of order, the link breaks. After every event the invariants are checked.
"""

import heapq
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import msgspec

from agents.commands import AskOpenOrders, AskOrder, Cancel, Command, NewOrder, Place
from agents.engine import Engine
from agents.events import (
    Bbo,
    CancelAnswered,
    DirectiveReceived,
    Event,
    FenceChanged,
    Fills,
    LinkChanged,
    OrderResult,
    OutcomeUnknown,
    PauseChanged,
    PlaceAnswered,
    PositionSeen,
    RequestRefused,
    Tick,
    Trades,
)
from agents.exchange.codec import (
    decode_cancel_answer,
    decode_order_answer,
    encode_cancel,
    encode_place,
)
from agents.exchange.codec_account import to_fill, to_update
from agents.exchange.wire import placed
from agents.exchange.wire_account import OrderUpdateWire, WsFill
from agents.market.types import Cloid, Coin, Fill, Side, Tid, Trade
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.orders.lifecycle import State
from agents.runtime.outbound import encode_orders
from agents.sim.exchange import Exchange
from agents.sim.flow import Flow
from agents.sim.market import Market
from agents.sim.outputs import (
    AccountChanged,
    Answered,
    FillRow,
    OrderRow,
    Output,
    Printed,
    TouchChanged,
)
from tests.simulation.engine_checks import check, check_agreement, check_placement, check_reducing
from tests.simulation.engine_faults import HEAVY, Faults
from tests.simulation.engine_lease import (
    COIN,
    MARKET_PREFIX,
    START_MS,
    USER,
    lease,
    one_coin,
)
from tests.simulation.engine_questions import Questions

BLOCK_MS = 70
LIMITED = "Too many cumulative requests sent (2 > 1)."


class _Venue(Exchange):
    def market(self, coin: Coin) -> Market:
        """What synthetic flow looks at."""
        return self.floor.markets[coin]


class World:
    """The heap, the venue, the gateway's part, and what the invariants need to know."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.chance = random.Random(seed)
        self.faults = faults
        self.now_ns = START_MS * NS_PER_MS
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._pushed = 0
        self.exchange = _Venue(one_coin())
        self.exchange.fund(USER, Decimal(100_000))
        self.flow = Flow(self.exchange.universe, random.Random(seed + 1), "lively")
        self.account = self.exchange.floor.account(USER)
        self._tickets: dict[int, Callable[[dict[str, Any]], None]] = {}
        self._nonce = START_MS
        self.link_up = True
        self.dark = False  # no market data, though the link is up
        self.directive: Literal["normal", "reduce_only"] = "normal"
        self.touch_ns = self.now_ns  # when the engine last saw one
        self.questions = Questions(self)
        self.fence_closed = False
        self.delivered: dict[tuple[int, int, int], Fill] = {}
        self.all_fills: list[Fill] = []
        self.in_flight: dict[Cloid, NewOrder] = {}
        self.counts: dict[str, int] = {}
        self._leave_leftovers()
        self.engine = Engine(lease(self.now_ms), self.now_ns)
        self.at(0, self._block)
        self.at(0, self._tick)
        self.at(0, self._second)

    @property
    def now_ms(self) -> int:
        return self.now_ns // NS_PER_MS

    def run(self, seconds: float) -> None:
        """Let so much time pass; the invariants are checked after every event."""
        until_ns = self.now_ns + round(seconds * NS_PER_S)
        while self._heap and self._heap[0][0] <= until_ns:
            self.now_ns, _, happen = heapq.heappop(self._heap)
            happen()
        self.now_ns = until_ns

    def at(self, delay_ns: int, happen: Callable[[], None]) -> None:
        self._pushed += 1
        heapq.heappush(self._heap, (self.now_ns + delay_ns, self._pushed, happen))

    def later(self, median_ms: float, happen: Callable[[], None]) -> None:
        drawn_ms = median_ms * self.faults.slow * self.chance.lognormvariate(0.0, 0.6)
        self.at(round(drawn_ms * NS_PER_MS), happen)

    def tell(self, event: Event) -> None:
        """Hand one event to the engine and carry out what it wants."""
        if not self.link_up and not isinstance(event, _CONTROL):
            return
        if isinstance(event, Bbo):
            self.touch_ns = self.now_ns
        if isinstance(event, Fills):
            for fill in event.fills:
                self.delivered[fill.tid, fill.oid, fill.time_ms] = fill
        for command in self.engine.handle(event, self.now_ns):
            self._carry_out(command)
        check(self)

    # ── the venue ────────────────────────────────────────────────────────────────────────────

    def _block(self) -> None:
        self.exchange.begin(self.now_ms)
        self.flow.step(self.exchange, self.now_ms)
        for output in self.exchange.block(self.now_ms):
            self._output(output)
        for record in self.account.open.values():
            self.in_flight.pop(Cloid(record.order.cloid or ""), None)
        check(self)
        self.at(BLOCK_MS * NS_PER_MS, self._block)

    def _output(self, output: Output) -> None:
        match output:
            case Answered(ticket=ticket, payload=payload):
                self._tickets.pop(ticket)(payload)
            case Printed(trades=trades):
                rows = tuple(
                    Trade(
                        coin=row.coin,
                        side=Side(row.side),
                        px=float(row.px),
                        sz=float(row.sz),
                        time_ms=row.time,
                        tid=Tid(row.tid),
                    )
                    for row in trades
                )
                self.user(Trades(trades=rows), twice=False)
            case TouchChanged():
                bbo = msgspec.convert(self.exchange.bbo(COIN), Bbo, strict=False)
                self.user(bbo, twice=False)
            case OrderRow(row=row):
                self.user(to_update(msgspec.convert(row, OrderUpdateWire, strict=False)))
            case FillRow(row=row):
                fill = to_fill(msgspec.convert(row, WsFill, strict=False))
                self.all_fills.append(fill)
                self.user(Fills(fills=(fill,)))
            case AccountChanged():
                self._tell_position()
            case _:
                pass  # a cancel by the venue: its order row says the same; the rest is not ours

    def _tell_position(self) -> None:
        self.user(PositionSeen(self.now_ms, self.position_sz(), None), twice=False)

    def user(self, event: Event, *, twice: bool = True) -> None:
        """An event on its own way to the engine: late, maybe twice; lost while the link is down."""
        if not self.link_up or (self.dark and isinstance(event, Bbo | Trades)):
            return
        copies = 2 if twice and self.chance.random() < self.faults.duplicated else 1
        for _ in range(copies):
            self.later(60.0, lambda: self.tell(event))

    def position_sz(self) -> Decimal:
        held = self.account.clearing("").positions.get(COIN)
        return Decimal(0) if held is None else held.szi

    def fair_px(self) -> float:
        """What the flow thinks it is worth."""
        return self.flow.prices.px[COIN]

    def resting(self) -> dict[Cloid, Any]:
        """Our orders at the venue, of any generation."""
        return {
            Cloid(record.order.cloid): record.order
            for record in self.account.open.values()
            if record.order.cloid is not None
        }

    def _submit(self, action: object, done: Callable[[dict[str, Any]], None], sent_ms: int) -> None:
        self._nonce += 1
        ticket = self._nonce
        self._tickets[ticket] = done
        self.exchange.submit(
            ticket, USER, msgspec.to_builtins(action), ticket + 1, expires_after_ms=sent_ms + 5_000
        )

    # ── the gateway ──────────────────────────────────────────────────────────────────────────

    def _carry_out(self, command: Command) -> None:
        self.counts[type(command).__name__] = self.counts.get(type(command).__name__, 0) + 1
        match command:
            case Place():
                check_placement(self, command)
                for order in command.orders:
                    self.in_flight[order.cloid] = order
                action = encode_orders(command.orders, 0)
                count = len(command.orders)
                if command.orders[0].replaces is not None:
                    self.counts["replaced"] = self.counts.get("replaced", 0) + count
                    if self.happens(self.faults.cancel_limited):
                        self._void(action)
                        no = OrderResult("refused", text=LIMITED)
                        said = PlaceAnswered(command.request_id, (no,) * count)
                        self.later(200.0, lambda: self.tell(said))
                        return
                self._send(
                    command.request_id,
                    action,
                    lambda raw: PlaceAnswered(command.request_id, decode_order_answer(raw, count)),
                )
            case Cancel():
                action_cancel = encode_cancel(command.cloids, 0)
                wanted = len(command.cloids)
                if self.happens(self.faults.cancel_limited):
                    answer = CancelAnswered(command.request_id, (LIMITED,) * wanted)
                    self.later(200.0, lambda: self.tell(answer))
                    return
                self._send(
                    command.request_id,
                    action_cancel,
                    lambda raw: CancelAnswered(
                        command.request_id, decode_cancel_answer(raw, wanted)
                    ),
                )
            case AskOpenOrders():
                self.questions.open_orders(command.request_id)
            case AskOrder():
                self.questions.order(command.cloid)
            case _:
                pass

    def happens(self, share: float) -> bool:
        return self.chance.random() < share

    def _send(self, request_id: int, action: Any, read: Callable[[bytes], Event]) -> None:
        if self.happens(self.faults.refused):
            self._void(action)
            refusal = RequestRefused(request_id=request_id, reason="throttle")
            self.later(5.0, lambda: self.tell(refusal))
            return
        if self.happens(self.faults.request_lost):
            self.at(5 * NS_PER_S, lambda: self._void(action))
            if self.happens(0.5):
                self.later(1_000.0, lambda: self.tell(OutcomeUnknown(request_id=request_id)))
            return
        straggling = self.happens(self.faults.straggling)
        lost = straggling or self.happens(self.faults.answer_lost)
        sent_ms = self.now_ms

        def done(payload: dict[str, Any]) -> None:
            self._void(action)  # what rests now is seen resting
            answer: Event = OutcomeUnknown(request_id=request_id)
            if not lost:
                answer = read(msgspec.json.encode(payload))
            self.later(120.0, lambda: self.tell(answer))

        if straggling:
            self.later(5.0, lambda: self.tell(OutcomeUnknown(request_id=request_id)))
            self.at(6 * NS_PER_S, lambda: self._void(action))  # expired: it cannot happen any more
            self.later(1_500.0, lambda: self._submit(action, done, sent_ms))
        else:
            self.later(120.0, lambda: self._submit(action, done, sent_ms))

    def _void(self, action: Any) -> None:
        for order in placed(action):
            self.in_flight.pop(Cloid(order.c or ""), None)

    # ── time ─────────────────────────────────────────────────────────────────────────────────

    def _tick(self) -> None:
        self.tell(Tick())
        self.at(100 * NS_PER_MS, self._tick)

    def _second(self) -> None:
        self.tell(DirectiveReceived(self.now_ms, self.now_ms, self.directive))
        self.questions.remember()
        if not self.dark and self.happens(self.faults.dark_per_s):
            self.dark = True
            self.at(round(self.chance.uniform(1.0, 8.0) * NS_PER_S), self._light)
        if self.link_up:
            self.user(msgspec.convert(self.exchange.bbo(COIN), Bbo, strict=False), twice=False)
            if self.happens(self.faults.gaps_per_s):
                self._break_link()
        self.at(NS_PER_S, self._second)

    def _light(self) -> None:
        self.dark = False

    def _break_link(self) -> None:
        self.tell(LinkChanged(state="gap", since_ms=self.now_ms))
        self.link_up = False
        self.at(round(self.chance.uniform(0.5, 6.0) * NS_PER_S), self._mend_link)

    def _mend_link(self) -> None:
        self.link_up = True
        self.tell(LinkChanged(state="recovered", since_ms=self.now_ms))
        self.tell(Fills(fills=tuple(self.all_fills[-2_000:]), is_snapshot=True))
        self._tell_position()

    def close_fence(self) -> None:
        self.fence_closed = True
        self.tell(FenceChanged(closed=True, reason="test"))

    def heal(self) -> None:
        """No more faults, no more quotes: what is left must come to agree."""
        self._all_well()
        self.tell(PauseChanged(paused=True))

    def only_reduce(self) -> None:
        """All is well again, but for the risk actor's word: I14 is looked at in the end."""
        self._all_well()
        self.directive = "reduce_only"
        self.run(12.0)
        for _ in range(8):  # it may be between a cancel and what comes in its place
            if self.resting():
                break
            self.run(0.5)
        check_reducing(self)

    def _all_well(self) -> None:
        self.faults, self.dark = Faults(), False
        if not self.link_up:
            self._mend_link()

    def _leave_leftovers(self) -> None:
        """Two orders of the generation before still rest when the engine starts."""
        orders = [
            NewOrder(
                cloid=Cloid(f"0x{MARKET_PREFIX}000006{number:012x}"),
                side=side,
                px=px,
                sz=Decimal(1),
            )
            for number, (side, px) in enumerate(
                ((Side.BID, Decimal(100)), (Side.ASK, Decimal(140)))
            )
        ]
        self._submit(encode_place(orders, 0), lambda _: None, self.now_ms)


_CONTROL = (Tick, LinkChanged, FenceChanged, DirectiveReceived, PauseChanged)


def simulate(seed: int, *, faults: Faults = HEAVY, seconds: float = 40.0) -> World:
    """Safety under faults, then liveness once healed. Raises Violation."""
    world = World(seed, faults)
    world.run(seconds)
    if seed % 3 == 0:
        world.close_fence()
        world.run(2.0)
    elif seed % 3 == 1:
        world.only_reduce()
    world.heal()
    world.run(30.0)
    check_agreement(world)
    assert State.UNKNOWN not in {o.state for o in world.engine.state.tracker.live.values()}
    return world
