"""The gateway in a world: its core, what it keeps on its disk, and the carrying out of effects."""

from collections.abc import Callable, Iterable
from typing import Final, Protocol, cast

import msgspec

from agents.exchange.errors import MalformedFrame
from agents.market.units import NS_PER_MS
from agents.sim.flow_price import Chance
from agents.sim.heap import Heap
from agents.sim.network import Network
from fleet.gateway.core import agents, answers
from fleet.gateway.core.control import watch_own
from fleet.gateway.core.core import Core
from fleet.gateway.core.effects import (
    Alert,
    Ask,
    Cut,
    Effect,
    KeepCaps,
    KeepLeases,
    KeepMarket,
    Record,
    Submit,
    Tell,
    Watch,
    WriteLatch,
)
from fleet.gateway.core.state import Identity, State
from fleet.gateway.keeping import Keeping
from fleet.gateway.log import ActionLog
from fleet.gateway.records import Body, Sent
from fleet.gateway.recover import restore
from fleet.gateway.standing import Standing
from fleet.gateway.store import Store
from fleet.world.disk import Disk
from fleet.world.gateway_link import GatewayLink
from fleet.world.venue_side import LINE, VenueSide

HTTP: Final = "http"
TOO_MANY: Final = "429 Too Many Requests"
_json = msgspec.json.Encoder().encode


class Ears(Protocol):
    """What a world listens to; each is called before the effect is carried out."""

    def submitting(self, submit: Submit) -> None: ...
    def arriving(self, submit: Submit) -> None: ...
    def vanished(self, submit: Submit) -> None: ...
    def recorded(self, body: Body) -> None: ...
    def alerted(self, alert: Alert) -> None: ...
    def tell(self, session: int, data: bytes) -> None: ...
    def cut(self, session: int) -> None: ...
    def died(self) -> None: ...


class GatewaySide:
    """One gateway after another, on one disk. ``core`` is None while none runs.

    ``doom``: it dies after so many more steps, wherever that is: between two effects, or between
    the log's line and the signature.
    """

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
        self.doom: int | None = None
        self._keeping: Keeping | None = None
        self._identity = identity
        self._heap = heap
        self._network = network
        self._chance = chance
        self._ears = ears
        self.link = GatewayLink(self)
        self._carry: dict[type[Effect], Callable[..., None]] = {
            Cut: self._cut, Submit: self._submit, Ask: self._ask, Record: self._record,
            KeepCaps: self._keep_caps, KeepMarket: self._keep_market, Watch: self._watch,
            WriteLatch: self._write_latch, Alert: self._alert,
        }  # fmt: skip

    @property
    def now_ms(self) -> int:
        """The process's own clock: the wall's at its start, monotonic since."""
        return self._heap.now_ns // NS_PER_MS + self.clock_ms

    @property
    def state(self) -> State:
        assert self.core is not None
        return self.core.state

    @property
    def keeping(self) -> Keeping:
        assert self._keeping is not None
        return self._keeping

    # ── life ─────────────────────────────────────────────────────────────────────────────────

    def start(self, clock_ms: int) -> None:
        """``clock_ms``: how far the wall clock is from true time now."""
        self.clock_ms = clock_ms
        disk = self.disk
        state = restore(self._identity, cast("Store", disk), cast("ActionLog", disk), self.now_ms)
        disk.standing = Standing(state.bookings, lambda: state.nonces.last)
        self.core = Core(state)
        self._keeping = Keeping(state, self, disk, self._alert)
        self.epoch += 1
        for market in state.markets:
            self.do(watch_own(state, market))
        self._later(50.0, self._connect)

    def crash(self) -> None:
        """Gone, with all that it knew; what had left is on its way."""
        self.core = self.doom = None
        self.epoch += 1
        self.venue.disconnect()
        self._network.cut(HTTP)

    def tick(self) -> None:
        if self.core is None:
            return
        self._look_for_latch()
        if self.core is not None:
            self.keeping.mend(self.now_ms, self._wall_ns)
            self.do(self.core.tick(self.now_ms))

    def _look_for_latch(self) -> None:
        """Someone may have halted past this process (``halt --direct``)."""
        core, latch = self.core, self.disk.latch()
        if core is not None and latch is not None and core.state.fence.latch is None:
            self.do(core.latch_found(latch, self.now_ms))

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

    def _connect(self) -> None:
        if self.core is None:  # it died of what it did about the loss
            return
        if not self.venue.reachable:
            self._later(1_000.0 + 1_000.0 * self._chance.random(), self._connect)
            return
        self.venue.connect()
        self.venue.deliver = self._frame
        self.link.open()

    def http(self, happen: Callable[[], None]) -> None:
        """One way of a request or an answer beside the connection."""
        epoch = self.epoch

        def due() -> None:
            if self.epoch == epoch:
                happen()

        weather = msgspec.structs.replace(self.venue.faults.requests(), lost=0.0)
        self._network.send(HTTP, None, weather, due)

    def reconcile_fails(self) -> bool:
        """Whether a question of the reconciliation fails: the connection is begun afresh."""
        if self._chance.random() >= self.venue.faults.lost_answers:
            return False
        self._network.faults["reconcile_failed"] += 1
        self.lose_link()
        return True

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
            if type(effect) is Tell:  # half of all, and nothing that can be torn
                self._ears.tell(effect.session, effect.data)
                continue
            if self.core is None:
                return
            if isinstance(effect, KeepLeases):
                if not self.keeping.leases() and effect.session:
                    self.do(agents.unkept(self.state, effect.session, self.now_ms))
                    return
            elif (carry := self._carry.get(type(effect))) is not None:
                carry(effect)
            self._dies()

    def _dies(self) -> bool:
        """A step is done; was it the last?"""
        if self.doom is not None:
            self.doom -= 1
            if self.doom <= 0:
                self._ears.died()
        return self.core is None

    def _cut(self, effect: Cut) -> None:
        self._ears.cut(effect.session)

    def _record(self, effect: Record) -> None:
        self._append(effect.body)

    def _keep_caps(self, _: KeepCaps) -> None:
        self.keeping.caps()

    def _keep_market(self, effect: KeepMarket) -> None:
        self.keeping.market(effect)

    def _watch(self, effect: Watch) -> None:
        if self.venue.connected:
            self.venue.watch(effect.subscription, on=effect.on)

    def _write_latch(self, effect: WriteLatch) -> None:
        self.keeping.latch(effect.latch)

    def _alert(self, alert: Alert) -> None:
        self._ears.alerted(alert)

    @property
    def _wall_ns(self) -> int:
        return self.now_ms * NS_PER_MS

    def _append(self, body: Body) -> bool:
        return self.keeping.append(body, self._wall_ns)

    def append(self, body: Body, wall_ns: int) -> int:
        """The log's file: what is in it is booked."""
        seq = self.disk.append(body, wall_ns)
        self._ears.recorded(body)
        return seq

    # ── requests ─────────────────────────────────────────────────────────────────────────────

    def _submit(self, submit: Submit) -> None:
        """Log, sign, send; what opens risk only while no latch is on the disk."""
        if submit.placement and not submit.closing and self.disk.latched():
            self._look_for_latch()
            self._turn_away(submit.request, "fenced", "halted")
            return
        text = _json(submit.action)
        logged = self._append(Sent(submit.nonce, submit.market, submit.generation, text.decode()))
        if self._dies():
            return
        if submit.placement and not logged:
            self._turn_away(submit.request, "fenced", "the action log can't be written")
            return
        self._heap.note(text)
        self._ears.submitting(submit)
        by_http = not self.venue.connected
        if by_http and (submit.placement or not self.venue.reachable):
            self._ears.vanished(submit)
            self._turn_away(submit.request, "link_down", "the venue's connection is down")
            return
        if self._chance.random() < self.venue.faults.limited:
            self._network.faults["rate_limit"] += 1
            self._ears.vanished(submit)
            self._post(submit.request, "error", TOO_MANY, by_http=by_http)
            return
        self._send(submit, by_http=by_http)

    def _send(self, submit: Submit, *, by_http: bool) -> None:
        faults, epoch = self.venue.faults, self.epoch

        def settled(payload: dict[str, object]) -> None:
            if self._chance.random() < faults.lost_answers:
                self._network.faults["lost_answer"] += 1
            elif self.epoch == epoch:
                self._post(submit.request, "action", payload, by_http=by_http)

        def arrive() -> None:
            self._ears.arriving(submit)
            self.venue.act(submit.action, submit.nonce, submit.expires_ms, settled)

        if self._chance.random() < faults.lost_requests:
            self._network.faults["loss"] += 1
            self._ears.vanished(submit)
            return
        # A way of its own: requests overtake one another, and outlive the process that sent them.
        weather = msgspec.structs.replace(faults.requests(), lost=0.0)
        self._network.send("to venue", None, weather, arrive)

    def _ask(self, ask: Ask) -> None:
        faults, by_http = self.venue.faults, not self.venue.connected
        if by_http and not self.venue.reachable:
            self.do(answers.unanswered(self.state, ask.request, self.now_ms))
            return
        if self._chance.random() < faults.limited:
            self._network.faults["rate_limit"] += 1
            self._post(ask.request, "error", TOO_MANY, by_http=by_http)
            return

        def arrive() -> None:
            data = self.venue.info(ask.payload)
            payload = {"type": ask.payload["type"], "data": data}
            if self._chance.random() >= faults.lost_answers:
                self._post(ask.request, "info", payload, by_http=by_http)

        line = HTTP if by_http else LINE
        self._network.send(line, None, faults.requests(), arrive)

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
        if self.core is not None:
            self.do(answers.not_sent(self.state, request, reason, text))
