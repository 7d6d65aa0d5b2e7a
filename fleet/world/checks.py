"""What must hold in a world after every event, whatever goes wrong, and once it has healed.

Here, at each placement: I1 the limit holds even if all that rests or may is filled; I2 nothing
opens behind a latch, a fence or a second controller; I3 an order is ours, once, of one market and
of a lease that lasts; I7 nonces rise, and only a noop uses one again; I8 post-only; I12 a market
that drains opens nothing; the fleet's cap holds whatever is filled; the caretaker's collar; what an
agent asks for in its madness (``bounds``): the door's collar, and its pace. At each decision: I9 no
quote on old data; I16 risk only with a directive and known orders. At each change of the venue's:
I3, I8 never across our own, no taker but the caretaker. At each event: I1 all that rests or may is
counted, by the gateway and by its engine (``resting``). At each record: I5 a fill is booked once.

Each second (``lookout``): I11 a revision only moves forward; I14 what reduces is quoted, whatever
else is shut; I19 a position has an owner, or a person was told; what a dead or hung agent leaves
is gone in time. Once healed (``agreement``): I4 the position is the sum of the fills booked; I5
none is lost; I6 cash, exact; I11 what was applied is in force; I13 nothing that the gateway holds
has grown; and venue, gateway and engines agree on every order.

Not here: I10 (the venue of a world has no budget of requests: unit tests of the gateway's
weights), I15 (no secrets exist in a world: end to end), I17 and I18 (of prices alone: properties
of the strategy).
"""

from collections import Counter, deque
from decimal import Decimal
from typing import Any, Final

from agents.commands import NewOrder
from agents.exchange.wire import NoopAction, OrderWire, placed
from agents.market.types import Side
from agents.market.units import BPS
from agents.sim.outputs import AccountChanged, FillRow, OrderRow, Output
from fleet.gateway.core.agents import limit_usd
from fleet.gateway.core.effects import Alert, Submit
from fleet.gateway.core.state import State
from fleet.gateway.records import Body, Filled, LatchSet, LeaseEnded, Sent
from fleet.world.bounds import Bounds
from fleet.world.lookout import Lookout
from fleet.world.resting import Resting, expired
from fleet.world.tally import Tally, Watched

DATA_AGE_MAX_NS: Final = 3_000_000_000
DIRECTIVE_AGE_MAX_MS: Final = 10_000
STRANGER_SEEN_MS: Final = 12_000
"""By then the gateway has seen a stranger's order, however late and lossy its frames are."""
SETTLED_MS: Final = 10_000
"""By then what filled during a gap of the link is known."""
LOGGED_MAX: Final = 64
CAPS_SLACK: Final = 1.02
"""The door counts the other markets at their marks of the last second."""
_SLACK: Final = 1.0 + 1e-9
ZERO: Final = Decimal(0)


class Checks:
    """All of them; the parts share one tally."""

    def __init__(self, world: Watched) -> None:
        self._world = world
        self._tally = Tally(world)
        self._fail = self._tally.fail
        self.checked: Counter[str] = self._tally.checked
        self.violations = self._tally.violations
        self.requests: Counter[str] = Counter()
        self.booked: dict[tuple[int, int, int], Filled] = {}
        self.in_flight: dict[tuple[int, int], Submit] = {}
        self.lookout = Lookout(self._tally)
        self._resting = Resting(self._tally)
        self._bounds = Bounds(self._tally, self.lookout)
        self._last_nonce = 0
        self._sent: set[str | None] = set()
        self._ended: set[tuple[str, int]] = set()
        self._logged: deque[int] = deque(maxlen=LOGGED_MAX)
        self._latched = False
        self._landing: list[Submit] = []
        self._dirty = True

    # ── what leaves ──────────────────────────────────────────────────────────────────────────

    def submitting(self, submit: Submit) -> None:
        """An action is about to be signed."""
        self.requests[submit.market] += 1
        self.checked["I7"] += 1
        if not isinstance(submit.action, NoopAction):
            if submit.nonce <= self._last_nonce:
                self._fail("I7", f"nonce {submit.nonce} after {self._last_nonce}")
            if submit.nonce in self._logged:  # else a cancel on a full disk: a restart forgets it
                self._last_nonce = max(self._last_nonce, submit.nonce)
        if orders := placed(submit.action):
            self._placement(submit, orders)
            self.in_flight[submit.nonce, submit.request] = submit

    def _placement(self, submit: Submit, orders: tuple[OrderWire, ...]) -> None:
        state = self._world.gateway_state
        assert state is not None
        market = submit.market
        adding = [order for order in orders if not order.r]
        if adding:
            self._open_door(state, market)
        self._named(submit, orders)
        self.checked["I8"] += 1
        for order in adding:
            if order.t.limit is None or order.t.limit.tif != "Alo":
                self._fail("I8", f"{market}: a quote that is not post-only")
        grows: tuple[OrderWire, ...] = ()
        for side in Side:
            sent = tuple(order for order in adding if order.b is (side is Side.BID))
            if sent:
                self._side(state, market, side, sum((Decimal(order.s) for order in sent), ZERO))
            if sent and state.exposure(market).side_sz(side) > 0:
                grows += sent[-1:]  # the last of a side adds, whatever the first does
        if grows:
            self._bounds.adds(state, market, grows, len(orders))
        if submit.closing:
            self._collar(state, market, orders)

    def _named(self, submit: Submit, orders: tuple[OrderWire, ...]) -> None:
        """Each order once, under a lease that lasts, and in the log before it is signed."""
        market = submit.market
        for order in orders:
            self.checked["I3"] += 1
            if order.c in self._sent:
                self._fail("I3", f"{order.c} is sent again")
            self._sent.add(order.c)
        if submit.nonce not in self._logged:
            self._fail("I3", f"{market}: a placement whose line is not in the log")
        if (market, submit.generation) in self._ended:
            self._fail("I3", f"{market}: a placement of generation {submit.generation}, ended")

    def _open_door(self, state: State, market: str) -> None:
        self.checked["I2"] += 1
        if self._latched or self._world.halted or state.fence.causes(market):
            self._fail("I2", f"{market}: a placement behind a closed fence")
        if self.lookout.stranger_ms() > STRANGER_SEEN_MS:
            self._fail("I2", f"{market}: a placement beside a second controller's orders")

    def _side(self, state: State, market: str, side: Side, sent_sz: Decimal) -> None:
        """The limit holds even if all that may be filled is; and the gateway counts all of it."""
        self.checked["I1"] += 1
        mark_usd = state.mark_usd(market)
        if mark_usd is None:
            self._fail("I1", f"{market}: a placement without a mark")
            return
        worst_sz, limit = self._worst_sz(market, side) + sent_sz, limit_usd(state, market)
        counted_sz = state.exposure(market).side_sz(side)
        if worst_sz > counted_sz and self._world.link_age_ms > SETTLED_MS:
            self._fail("I1", f"{market} {side.name}: {counted_sz} counted, {worst_sz} possible")
        if float(worst_sz) * mark_usd > limit * _SLACK:
            worst = f"{float(worst_sz) * mark_usd:.2f}"
            self._fail("I1", f"{market} {side.name}: {worst} USD, limit {limit:.2f}")
        if worst_sz > 0:
            self._caps(state, side, sent_sz * Decimal(mark_usd))
        if state.markets[market].draining_ms is not None:
            self.checked["I12"] += 1
            if counted_sz > 0:
                self._fail("I12", f"{market} {side.name}: {counted_sz} while it drains")

    def _caps(self, state: State, side: Side, sent_usd: Decimal) -> None:
        """The fleet's cap on its net position, if on this side all that may be filled is."""
        caps = self._world.caps
        if caps is None or caps.net_max_usd is None or self._world.link_age_ms <= SETTLED_MS:
            return
        self.checked["caps"] += 1
        worst_usd = float(sent_usd)
        for market in self._world.markets:
            worst_usd += float(self._worst_sz(market, side)) * (state.mark_usd(market) or 0.0)
        if worst_usd > caps.net_max_usd * CAPS_SLACK:
            self._fail("caps", f"{side.name}: {worst_usd:.2f} USD net, cap {caps.net_max_usd:.2f}")

    def _worst_sz(self, market: str, side: Side) -> Decimal:
        """If all of ours that rests or may yet come to rest were filled."""
        worst_sz = side.sign * self._tally.position_sz(market)
        for record in self._world.account.open.values():
            order = record.order
            if record.coin == market and order.side is side and not order.reduce_only:
                worst_sz += order.sz if self._tally.ours(order.cloid) else 0
        for submit in self.in_flight.values():
            if submit.market == market:
                for wire in placed(submit.action):
                    if (
                        wire.b is (side is Side.BID)
                        and not wire.r
                        and not expired(submit, self._world.venue.now_ms)
                    ):
                        worst_sz += Decimal(wire.s)
        return worst_sz

    def _collar(self, state: State, market: str, orders: tuple[OrderWire, ...]) -> None:
        """The caretaker's orders: reduce-only, never beyond the collar round a mark it may know."""
        collar = state.markets[market].settings.on_orphan.collar_bps / BPS
        marks = self.lookout.marks(market)
        for order in orders:
            self.checked["collar"] += 1
            px = float(order.p)
            if not order.r:
                self._fail("collar", f"{market}: a caretaker's order that may add")
            if order.b and px > max(marks) * (1 + collar) * _SLACK:
                self._fail("collar", f"{market}: bids {px}, marks up to {max(marks)}")
            if not order.b and px * _SLACK < min(marks) * (1 - collar):
                self._fail("collar", f"{market}: asks {px}, marks down to {min(marks)}")

    def vanished(self, submit: Submit) -> None:
        """It will never arrive."""
        self.in_flight.pop((submit.nonce, submit.request), None)

    def arriving(self, submit: Submit) -> None:
        """It runs with the next block."""
        self._landing.append(submit)

    def deciding(self, market: str, orders: tuple[NewOrder, ...], age_ns: int | None) -> None:
        """An engine wants to place, on data so old."""
        self.checked["I9"] += 1
        if age_ns is None or age_ns > DATA_AGE_MAX_NS:
            self._fail("I9", f"{market}: {len(orders)} orders on data {age_ns} ns old")
        engine = self._tally.engine(market)
        adding = [order for order in orders if not order.reduce_only]
        if engine is None or not adding:
            return
        self.checked["I16"] += 1
        state = engine.state
        if not state.sync.done and not state.sync.keeps:
            self._fail("I16", f"{market}: a placement before its orders are known")
        held_sz = state.position.sz
        adds = any(order.side.sign * held_sz >= 0 for order in adding)
        age_ms = None if state.directive is None else self._age_ms(market, state.directive.as_of_ms)
        if adds and (age_ms is None or age_ms > DIRECTIVE_AGE_MAX_MS):
            self._fail("I16", f"{market}: it adds risk on a directive {age_ms} ms old")

    def _age_ms(self, market: str, as_of_ms: int) -> int:
        return self._world.crew.agents[market].now_ms(self._world.now_ms) - as_of_ms

    def recorded(self, body: Body) -> None:
        match body:
            case Filled(fill=fill):
                self.checked["I5"] += 1
                key = (fill.tid, fill.oid, fill.time_ms)
                if key in self.booked:
                    self._fail("I5", f"fill {key} is booked twice")
                self.booked[key] = body
            case Sent(nonce=nonce):
                self._logged.append(nonce)
            case LatchSet():
                self._latched = True
            case LeaseEnded(market=market, generation=generation):
                self._ended.add((market, generation))
            case _:
                return

    def latch_lifted(self) -> None:
        """By a person, whether or not the log can tell."""
        self._latched = False

    def alerted(self, alert: Alert) -> None:
        self.lookout.alerted(alert)

    # ── what rests ───────────────────────────────────────────────────────────────────────────

    def after_block(self, outputs: tuple[Output, ...]) -> None:
        """The venue's truth has changed."""
        for submit in self._landing:
            self.in_flight.pop((submit.nonce, submit.request), None)
            if isinstance(submit.action, NoopAction):
                for key in [k for k, s in self.in_flight.items() if s.nonce == submit.nonce]:
                    del self.in_flight[key]
        self._landing.clear()
        for output in outputs:
            match output:
                case OrderRow(row=row):
                    self._order_row(row)
                case FillRow(row=row):
                    self._fill_row(row)
                case AccountChanged(orders=True):
                    self._dirty = True
                case _:
                    pass

    def _order_row(self, row: dict[str, Any]) -> None:
        self.checked["I3"] += 1
        cloid, coin = row["order"].get("cloid"), row["order"]["coin"]
        origin, state = self._tally.ours(cloid), self._world.gateway_state
        if cloid in self._sent and origin is None:
            self._fail("I3", f"{coin}: an order that is not ours: {cloid}")
        if origin is None:
            return
        if cloid not in self._sent:
            self._fail("I3", f"{coin}: {cloid} was never sent")
        if state is not None and state.leases.market_of(origin.market_number) != coin:
            self._fail("I3", f"{cloid} is of another market than {coin}")

    def _fill_row(self, row: dict[str, Any]) -> None:
        self.checked["I8"] += 1
        record = self._world.account.known.get(row["oid"])
        if row["crossed"] and record is not None and not record.order.reduce_only:
            self._fail("I8", f"a taker fill in {row['coin']}")

    def after_event(self) -> None:
        """After each event: what changed at the venue, and what the gateway counts."""
        if self._dirty:
            self._dirty = False
            self._resting.refresh()
        self._resting.look(self.in_flight)
