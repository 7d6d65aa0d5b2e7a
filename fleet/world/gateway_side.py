"""The gateway in a world: its core, what it keeps on its disk, and the carrying out of effects."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, Final, Protocol, cast

import msgspec

from agents.exchange.codec import decode_info
from agents.exchange.codec_account import to_fill, to_live
from agents.exchange.errors import MalformedFrame
from agents.exchange.registry import Registry
from agents.exchange.wire import ClearinghouseState, FrontendOrder, Meta, PerpDex, SpotMeta, WsFill
from agents.market.units import NS_PER_MS
from agents.sim.flow_price import Chance
from agents.sim.heap import Heap
from agents.sim.network import Network
from fleet.gateway.core import answers, venue
from fleet.gateway.core.control import watch_own
from fleet.gateway.core.core import Core
from fleet.gateway.core.effects import (
    Ask,
    Cut,
    Effect,
    KeepLeases,
    KeepMarket,
    Record,
    Submit,
    Tell,
    Watch,
    WriteLatch,
)
from fleet.gateway.core.state import Identity, State
from fleet.gateway.log import ActionLog
from fleet.gateway.records import Body, Sent
from fleet.gateway.recover import restore
from fleet.gateway.store import Store
from fleet.world.disk import Disk
from fleet.world.venue_side import LINE, VenueSide

HTTP: Final = "http"
FILLS_OVERLAP_MS: Final = 5_000
_json = msgspec.json.Encoder().encode


class Ears(Protocol):
    """What a world listens to; each is called before the effect is carried out."""

    def submitting(self, submit: Submit) -> None: ...
    def arriving(self, submit: Submit) -> None: ...
    def vanished(self, submit: Submit) -> None: ...
    def recorded(self, body: Body) -> None: ...
    def tell(self, session: int, data: bytes) -> None: ...
    def cut(self, session: int) -> None: ...


class GatewaySide:
    """One gateway after another, on one disk. ``core`` is None while none runs."""

    def __init__(
        self,
        identity: Identity,
        venue_side: VenueSide,
        heap: Heap,
        network: Network,
        chance: Chance,
        ears: Ears,
    ) -> None:
        self.disk = Disk()
        self.core: Core | None = None
        self.venue = venue_side
        self.epoch = 0
        self.clock_ms = 0
        self._identity = identity
        self._heap = heap
        self._network = network
        self._chance = chance
        self._ears = ears
        self._registry = _registry(venue_side)
        self._carry: dict[type[Effect], Callable[..., None]] = {
            Tell: self._tell, Cut: self._cut, Submit: self._submit, Ask: self._ask,
            Record: self._record, KeepLeases: self._keep_leases, KeepMarket: self._keep_market,
            Watch: self._watch, WriteLatch: self._write_latch,
        }  # fmt: skip

    @property
    def now_ms(self) -> int:
        """The process's own clock: the wall's at its start, monotonic since."""
        return self._heap.now_ns // NS_PER_MS + self.clock_ms

    @property
    def state(self) -> State:
        assert self.core is not None
        return self.core.state

    # ── life ─────────────────────────────────────────────────────────────────────────────────

    def start(self, clock_ms: int) -> None:
        """``clock_ms``: how far the wall clock is from true time now."""
        self.clock_ms = clock_ms
        disk = self.disk
        state = restore(self._identity, cast("Store", disk), cast("ActionLog", disk), self.now_ms)
        self.core = Core(state)
        self.epoch += 1
        for market in state.markets:
            self.do(watch_own(state, market))
        self._later(50.0, self._connect)

    def crash(self) -> None:
        """Gone, with all that it knew; what had left is on its way."""
        self.core = None
        self.epoch += 1
        self.venue.disconnect()
        self._network.cut(HTTP)

    def tick(self) -> None:
        if self.core is not None:
            self.do(self.core.tick(self.now_ms))

    def lose_link(self) -> None:
        """The connection breaks; it is opened again after a while."""
        if self.core is None or not self.venue.connected:
            return
        self.venue.disconnect()
        self.do(self.core.link_lost(self.now_ms))
        self._later(250.0 + 750.0 * self._chance.random(), self._connect)

    def _later(self, delay_ms: float, run: Callable[[], None]) -> None:
        """Unless the process is another by then."""
        epoch = self.epoch

        def due() -> None:
            if self.epoch == epoch:
                run()

        self._heap.after(round(delay_ms * NS_PER_MS), "gateway", due)

    # ── the link ─────────────────────────────────────────────────────────────────────────────

    def _connect(self) -> None:
        if not self.venue.reachable:
            self._later(1_000.0 + 1_000.0 * self._chance.random(), self._connect)
            return
        self.venue.connect()
        self.venue.deliver = self._frame
        assert self.core is not None
        self.core.learned(self._registry)
        for subscription in self._subscriptions():
            self.venue.watch(subscription, on=True)
        self._reconcile(self._questions())

    def _subscriptions(self) -> list[dict[str, object]]:
        user = self._identity.address
        wanted: list[dict[str, object]] = [
            {"type": "orderUpdates", "user": user},
            {"type": "userFills", "user": user},
        ]
        for dex in self.state.dexes():
            wanted.append({"type": "openOrders", "user": user, "dex": dex})
            wanted.append({"type": "clearinghouseState", "user": user, "dex": dex})
        return wanted + self.state.routing.upstream()

    def _reconcile(self, questions: "Iterator[Question]") -> None:
        """One question after the other, as the real one asks; a failure ends the connection."""
        question = next(questions, None)
        core = self.core
        assert core is not None
        if question is None:
            self.do(core.link_up(self.now_ms))
            return
        if not self.venue.connected:
            return
        request, take = question
        lost = self._chance.random() < self.venue.faults.lost_answers
        asked_ms = self.now_ms

        def ask() -> None:
            raw = _json(self.venue.info(request))
            self._http(lambda: answered(raw))

        def answered(raw: bytes) -> None:
            if not self.venue.connected:
                return
            if lost:
                self._network.faults["reconcile_failed"] += 1
                self.lose_link()
                return
            self.do(take(raw, asked_ms))
            self._reconcile(questions)

        self._http(ask)

    def _http(self, deliver: Callable[[], None]) -> None:
        epoch = self.epoch

        def due() -> None:
            if self.epoch == epoch:
                deliver()

        weather = msgspec.structs.replace(self.venue.faults.requests(), lost=0.0)
        self._network.send(HTTP, None, weather, due)

    def _questions(self) -> "Iterator[Question]":
        """Positions and orders of each DEX, then every fill since the last booked one."""
        user = self._identity.address
        mids = cast("dict[str, str]", self.venue.info({"type": "allMids"}))
        for dex_info in self._registry.dexes:
            if dex_info.token_mark_coin in mids:
                mark = float(mids[dex_info.token_mark_coin])
                self.state.account.token_marks[dex_info.token] = mark
        for dex in self.state.dexes():

            def account(raw: bytes, _asked_ms: int, dex: str = dex) -> Iterable[Effect]:
                held = decode_info(raw, ClearinghouseState)
                return venue.take_account(self.state, dex, held, self.now_ms)

            def orders(raw: bytes, asked_ms: int, dex: str = dex) -> Iterable[Effect]:
                found = decode_info(raw, tuple[FrontendOrder, ...])
                rows = tuple((row.coin, to_live(row)) for row in found)
                return venue.take_open_orders(self.state, dex, rows, asked_ms, self.now_ms)

            yield {"type": "clearinghouseState", "user": user, "dex": dex}, account
            yield {"type": "frontendOpenOrders", "user": user, "dex": dex}, orders
        since_ms = max(self.state.bookings.last_fill_ms - FILLS_OVERLAP_MS, 0)
        yield {"type": "userFillsByTime", "user": user, "startTime": since_ms}, self._take_fills

    def _take_fills(self, raw: bytes, _asked_ms: int) -> Iterable[Effect]:
        fills = tuple(to_fill(row) for row in decode_info(raw, tuple[WsFill, ...]))
        rows = msgspec.json.decode(raw, type=list[msgspec.Raw])
        return venue.take_fills(self.state, fills, rows, self.now_ms)

    def _frame(self, raw: bytes) -> None:
        if self.core is None:
            return
        try:
            self.do(self.core.venue_frame(raw, self.now_ms))
        except MalformedFrame as error:
            raise AssertionError(f"the venue's own frame can't be read: {error}") from error

    # ── effects ──────────────────────────────────────────────────────────────────────────────

    def do(self, effects: Iterable[Effect]) -> None:
        """Carry effects out, in their order; those that only a real process has are let be."""
        for effect in effects:
            carry = self._carry.get(type(effect))
            if carry is not None:
                carry(effect)

    def _tell(self, effect: Tell) -> None:
        self._ears.tell(effect.session, effect.data)

    def _cut(self, effect: Cut) -> None:
        self._ears.cut(effect.session)

    def _record(self, effect: Record) -> None:
        self._append(effect.body)

    def _keep_leases(self, _: KeepLeases) -> None:
        self.disk.keep_leases(self.state.leases.rows)

    def _keep_market(self, effect: KeepMarket) -> None:
        keep = self.disk.drop_market if effect.gone else self.disk.keep_market
        keep(self.state, effect.market)

    def _watch(self, effect: Watch) -> None:
        if self.venue.connected:
            self.venue.watch(effect.subscription, on=effect.on)

    def _write_latch(self, effect: WriteLatch) -> None:
        self.disk.keep_latch(effect.latch)

    def _append(self, body: Body) -> None:
        self._ears.recorded(body)
        self.state.log_seq = self.disk.append(body, self.now_ms * NS_PER_MS)

    def _submit(self, submit: Submit) -> None:
        """Log, sign, send; a placement only while no latch is on the disk."""
        if submit.placement and self.disk.latched() and self.state.fence.latch is None:
            self._turn_away(submit.request, "fenced", "halted")
            return
        self._ears.submitting(submit)
        text = _json(submit.action)
        self._heap.note(text)
        self._append(Sent(submit.nonce, submit.market, submit.generation, text.decode()))
        by_http = not self.venue.connected
        if by_http and (submit.placement or not self.venue.reachable):
            self._ears.vanished(submit)
            self._turn_away(submit.request, "link_down", "the venue's connection is down")
            return
        limited = self._chance.random() < self.venue.faults.limited
        lost = self.venue.faults.lost_answers
        if limited:
            self._network.faults["rate_limit"] += 1
            self._ears.vanished(submit)
            self._post(submit.request, "error", "429 Too Many Requests", by_http=by_http)
            return
        epoch = self.epoch

        def settled(payload: dict[str, Any]) -> None:
            if self._chance.random() < lost:
                self._network.faults["lost_answer"] += 1
            elif self.epoch == epoch:
                self._post(submit.request, "action", payload, by_http=by_http)

        def arrive() -> None:
            self._ears.arriving(submit)
            self.venue.act(submit.action, submit.nonce, submit.expires_ms, settled)

        if self._chance.random() < self.venue.faults.lost_requests:
            self._network.faults["loss"] += 1
            self._ears.vanished(submit)
            return
        # A way of its own: requests overtake one another, and outlive the process that sent them.
        weather = msgspec.structs.replace(self.venue.faults.requests(), lost=0.0)
        self._network.send("to venue", None, weather, arrive)

    def _ask(self, ask: Ask) -> None:
        by_http = not self.venue.connected
        if by_http and not self.venue.reachable:
            self.do(answers.unanswered(self.state, ask.request, self.now_ms))
            return

        def arrive() -> None:
            data = self.venue.info(ask.payload)
            payload = {"type": ask.payload["type"], "data": data}
            if self._chance.random() >= self.venue.faults.lost_answers:
                self._post(ask.request, "info", payload, by_http=by_http)

        line = HTTP if by_http else LINE
        self._network.send(line, None, self.venue.faults.requests(), arrive)

    def _post(self, request: int, kind: str, payload: object, *, by_http: bool) -> None:
        """An answer on its way back; over the connection it dies with the connection."""
        if not by_http and not self.venue.connected:
            return
        data = {"id": request, "response": {"type": kind, "payload": payload}}
        raw = _json({"channel": "post", "data": data})
        epoch = self.epoch

        def arrive() -> None:
            if self.epoch == epoch:
                self._frame(raw)

        weather = msgspec.structs.replace(self.venue.faults.answers(), lost=0.0)
        self._network.send(HTTP if by_http else LINE, None, weather, arrive)

    def _turn_away(self, request: int, reason: str, text: str) -> None:
        self.do(answers.not_sent(self.state, request, reason, text))


Question = tuple[dict[str, object], Callable[[bytes, int], Iterable[Effect]]]


def _registry(venue_side: VenueSide) -> Registry:
    """Every DEX and market, as the venue lists them."""

    def ask(kind: Any, **request: object) -> Any:  # noqa: ANN401  (the type asked for)
        return decode_info(_json(venue_side.info(request)), kind)

    dexs = ask(tuple[PerpDex | None, ...], type="perpDexs")
    names = ["", *(row.name for row in dexs if row is not None)]
    metas = {name: ask(Meta, type="meta", dex=name) for name in names}
    spot = ask(SpotMeta, type="spotMeta")
    return Registry.build(dexs, metas, spot, Decimal("0.00015"), Decimal("0.00045"))
