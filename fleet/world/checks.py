"""What must hold in a world after every event, whatever goes wrong, and once it has healed."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, Protocol

from agents.commands import NewOrder
from agents.exchange.wire import NoopAction, OrderAction
from agents.market.types import Coin, Side
from agents.sim.accounts import Account
from agents.sim.exchange import Exchange
from agents.sim.outputs import FillRow, OrderRow, Output
from fleet.gateway.core.agents import limit_usd
from fleet.gateway.core.cloids import parse
from fleet.gateway.core.effects import Submit
from fleet.gateway.core.orders import dex_of
from fleet.gateway.core.state import State
from fleet.gateway.records import Body, Filled

RETRIES_MS: Final = 9_000
"""More where cancels get lost, are turned away or take seconds."""
VIOLATIONS_MAX: Final = 20
_SLACK: Final = 1.0 + 1e-9


class Watched(Protocol):
    """What the invariants look at."""

    markets: tuple[str, ...]
    digits: str

    @property
    def now_ms(self) -> int: ...
    @property
    def gateway_state(self) -> State | None: ...
    @property
    def exchange(self) -> Exchange: ...
    @property
    def account(self) -> Account: ...
    @property
    def cancels_fail(self) -> bool: ...

    @property
    def frames_late(self) -> bool: ...
    @property
    def halted(self) -> bool: ...

    def overdue_ms(self, market: str, generation: int) -> int | None: ...
    def engine_position_sz(self, market: str) -> Decimal | None: ...
    def engine_cloids(self, market: str) -> set[str | None]: ...
    def phase(self, market: str) -> str: ...


class Checks:
    """Collects violations; ``checked`` counts what was looked at, by invariant."""

    def __init__(self, world: Watched) -> None:
        self._world = world
        self.checked: Counter[str] = Counter()
        self.violations: list[str] = []
        self.requests: Counter[str] = Counter()
        self._last_nonce = 0
        self._sent: set[str | None] = set()
        self._in_flight: dict[tuple[int, int], Submit] = {}
        self._landing: list[Submit] = []
        self._booked: set[tuple[int, int, int]] = set()
        self._dirty = True

    def _fail(self, invariant: str, text: str) -> None:
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(f"{invariant} at {self._world.now_ms}: {text}")

    # ── what leaves ──────────────────────────────────────────────────────────────────────────

    def submitting(self, submit: Submit) -> None:
        """An action is about to be signed."""
        self.requests[submit.market] += 1
        self.checked["I7"] += 1
        if not isinstance(submit.action, NoopAction):
            if submit.nonce <= self._last_nonce:
                self._fail("I7", f"nonce {submit.nonce} after {self._last_nonce}")
            self._last_nonce = max(self._last_nonce, submit.nonce)
        if isinstance(submit.action, OrderAction):
            self._placement(submit, submit.action)
            self._in_flight[submit.nonce, submit.request] = submit

    def _placement(self, submit: Submit, action: OrderAction) -> None:
        state = self._world.gateway_state
        assert state is not None
        market = submit.market
        adding = [order for order in action.orders if not order.r]
        self.checked["I2"] += 1
        if adding and (self._world.halted or state.fence.causes(market)):
            self._fail("I2", f"{market}: a placement behind a closed fence")
        for order in action.orders:
            self.checked["I3"] += 1
            if order.c in self._sent:
                self._fail("I3", f"{order.c} is sent again")
            self._sent.add(order.c)
        self.checked["I8"] += 1
        for order in adding:
            if order.t.limit is None or order.t.limit.tif != "Alo":
                self._fail("I8", f"{market}: a quote that is not post-only")
        for side in Side:
            sent = [Decimal(order.s) for order in adding if order.b is (side is Side.BID)]
            if sent:
                self._side(state, market, side, sum(sent, Decimal(0)))

    def _side(self, state: State, market: str, side: Side, sent_sz: Decimal) -> None:
        """The limit holds even if all that may be filled is; and the gateway counts all of it."""
        self.checked["I1"] += 1
        mark_usd = state.mark_usd(market)
        if mark_usd is None:
            self._fail("I1", f"{market}: a placement without a mark")
            return
        worst_sz, limit = self._worst_sz(market, side) + sent_sz, limit_usd(state, market)
        counted_sz = state.exposure(market).side_sz(side)
        if worst_sz > counted_sz and not self._world.frames_late:
            self._fail("I1", f"{market} {side.name}: {counted_sz} counted, {worst_sz} possible")
        if float(worst_sz) * mark_usd > limit * _SLACK:
            worst = f"{float(worst_sz) * mark_usd:.2f}"
            self._fail("I1", f"{market} {side.name}: {worst} USD, limit {limit:.2f}")

    def _worst_sz(self, market: str, side: Side) -> Decimal:
        """If all that rests or may yet come to rest were filled."""
        worst_sz = side.sign * self.position_sz(market)
        for record in self._world.account.open.values():
            order = record.order
            if record.coin == market and order.side is side and not order.reduce_only:
                worst_sz += order.sz
        for submit in self._in_flight.values():
            expired = submit.expires_ms is not None and submit.expires_ms < self._world.now_ms
            if submit.market == market and not expired and isinstance(submit.action, OrderAction):
                for wire in submit.action.orders:
                    if wire.b is (side is Side.BID) and not wire.r:
                        worst_sz += Decimal(wire.s)
        return worst_sz

    def position_sz(self, market: str) -> Decimal:
        """The venue's own."""
        return self._world.account.clearing(dex_of(market)).szi(Coin(market))

    def vanished(self, submit: Submit) -> None:
        """It will never arrive."""
        self._in_flight.pop((submit.nonce, submit.request), None)

    def arriving(self, submit: Submit) -> None:
        """It runs with the next block."""
        self._landing.append(submit)

    def deciding(self, market: str, orders: tuple[NewOrder, ...], age_ns: int | None) -> None:
        """An engine wants to place, on data so old."""
        self.checked["I9"] += 1
        if age_ns is None or age_ns > 3_000_000_000:
            self._fail("I9", f"{market}: {len(orders)} orders on data {age_ns} ns old")

    def recorded(self, body: Body) -> None:
        if isinstance(body, Filled):
            self.checked["I5"] += 1
            fill = body.fill
            key = (fill.tid, fill.oid, fill.time_ms)
            if key in self._booked:
                self._fail("I5", f"fill {key} is booked twice")
            self._booked.add(key)

    # ── what rests ───────────────────────────────────────────────────────────────────────────

    def after_block(self, outputs: tuple[Output, ...]) -> None:
        """The venue's truth has changed."""
        for submit in self._landing:
            self._in_flight.pop((submit.nonce, submit.request), None)
            if isinstance(submit.action, NoopAction):
                for key in [k for k, s in self._in_flight.items() if s.nonce == submit.nonce]:
                    del self._in_flight[key]
        self._landing.clear()
        for output in outputs:
            match output:
                case OrderRow(row=row):
                    self._order_row(row)
                case FillRow(row=row):
                    self._fill_row(row)
                case _:
                    pass
        if outputs:
            self._dirty = True

    def _order_row(self, row: dict[str, Any]) -> None:
        self.checked["I3"] += 1
        cloid, coin = row["order"].get("cloid"), row["order"]["coin"]
        origin, state = parse(cloid), self._world.gateway_state
        if origin is None or origin.instance != self._world.digits:
            self._fail("I3", f"{coin}: an order that is not ours: {cloid}")
        elif state is not None and state.leases.market_of(origin.market_number) != coin:
            self._fail("I3", f"{cloid} is of another market than {coin}")

    def _fill_row(self, row: dict[str, Any]) -> None:
        self.checked["I8"] += 1
        record = self._world.account.known.get(row["oid"])
        if row["crossed"] and record is not None and not record.order.reduce_only:
            self._fail("I8", f"a taker fill in {row['coin']}")

    def after_event(self) -> None:
        """Cheap enough for each event: most looks are needed only where something changed."""
        if self._dirty:
            self._dirty = False
            self._own_quotes()

    def _own_quotes(self) -> None:
        best: dict[tuple[str, Side], Decimal] = {}
        for record in self._world.account.open.values():
            key = (record.coin, record.order.side)
            px, held = record.order.px, best.get(key)
            if held is None or key[1].sign * (px - held) > 0:
                best[key] = px
        for market in self._world.markets:
            self.checked["I8"] += 1
            bid, ask = best.get((market, Side.BID)), best.get((market, Side.ASK))
            if bid is not None and ask is not None and bid >= ask:
                self._fail("I8", f"{market}: our own quotes meet at {bid} and {ask}")

    def orphans(self) -> None:
        """A dead agent's orders are gone within 2 s, a hung one's 2 s after its lease."""
        most_ms = RETRIES_MS if self._world.cancels_fail else 0
        for record in self._world.account.open.values():
            origin = parse(record.order.cloid)
            if origin is None:
                continue
            self.checked["orphans"] += 1
            over_ms = self._world.overdue_ms(record.coin, origin.generation)
            if over_ms is not None and over_ms > most_ms:
                where = f"{record.coin}: {record.order.cloid}"
                self._fail("lease", f"{where} rests {over_ms} ms longer than it may")
                return

    # ── once healed ──────────────────────────────────────────────────────────────────────────

    def disagreements(self) -> Iterator[str]:
        """Where venue, gateway and engines differ at this moment."""
        state = self._world.gateway_state
        if state is None:
            yield "no gateway runs"
            return
        for market in self._world.markets:
            true_sz = self.position_sz(market)
            known_sz = state.account.position(market).sz
            if known_sz != true_sz:
                yield f"{market}: the gateway holds {known_sz}, the venue {true_sz}"
            believed_sz = self._world.engine_position_sz(market)
            if believed_sz != true_sz:
                yield f"{market}: the engine holds {believed_sz}, the venue {true_sz}"
            phase = self._world.phase(market)
            if phase not in {"QUOTING", "REDUCING"}:
                yield f"{market}: {phase}"
            yield from self._order_differences(market)
        if self._in_flight or state.orders.unresolved:
            yield f"{len(state.orders.unresolved)} placements unresolved"
        booked, filled = len(self._booked), len(self._world.account.fills)
        if booked != filled:
            yield f"{booked} fills booked, {filled} at the venue"

    def _order_differences(self, market: str) -> Iterator[str]:
        """Between what rests and what the engine takes for resting."""
        believed = self._world.engine_cloids(market)
        resting = {
            record.order.cloid
            for record in self._world.account.open.values()
            if record.coin == market
        }
        if believed != resting:
            missing, ghosts = len(resting - believed), len(believed - resting)
            yield f"{market}: {missing} orders rest unknown to the engine, {ghosts} are ghosts"
