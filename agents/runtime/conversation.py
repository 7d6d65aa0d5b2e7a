"""One agent's side of its connection, without the connection: frames in, frames out, one engine.

Pure: it is told the time. A process runs it round a socket (``agents.runtime.shell``), the world in
one thread by itself. Nothing is said once the lease may have run out: a process that was stopped,
or whose loop was stuck, wakes up with old frames in its buffers, and must not act on them.
"""

from collections.abc import Iterable
from typing import Final, Literal, Protocol

import msgspec

from agents.commands import (
    AskOpenOrders,
    AskOrder,
    Cancel,
    Command,
    Exit,
    OpenFence,
    Place,
    Renew,
    RequestFence,
)
from agents.engine import Engine
from agents.events import BeliefsFound, Event, Fills, SkewSolved, Tick
from agents.exchange.codec import ErrorFrame, GwFrame, PostFrame, decode_frame
from agents.exchange.downstream import (
    EXIT_LEASE_LOST,
    Acquire,
    Continue,
    FenceMe,
    GatewayFrame,
    LeaseFrame,
    LeaseRefused,
    LinkFrame,
    OpenMe,
    Refusal,
    Release,
    Revoked,
    Unanswered,
)
from agents.exchange.errors import MalformedFrame
from agents.market.types import Coin
from agents.market.units import NS_PER_MS, NS_PER_S
from agents.runtime import outbound
from agents.runtime.departure import Departure
from agents.runtime.inbound import event_of_gateway, events_of
from agents.runtime.requests import Asked, AskFills, Requests
from agents.runtime.reunion import SETTLE_NS, Settling, Told, continuing, open_state
from agents.strategy.exact import solve

LEASE_WAIT_S: Final = 10.0
FILLS_BACK_MS: Final = 60_000
ASK_AGAIN_NS: Final = 2 * NS_PER_S


class Say(msgspec.Struct, frozen=True):
    """A frame to send. ``command``: whose, where it matters whether it left."""

    data: bytes
    command: Renew | RequestFence | None = None


class Observer(Protocol):
    """Who listens to a conversation."""

    def begun(self, lease: LeaseFrame, now_ns: int) -> None:
        """A lease, and a new engine on it."""

    def seen(self, event: Event, now_ns: int, commands: list[Command]) -> None:
        """An event with the commands it brought about."""

    def odd(self, what: Literal["malformed", "error"], text: str) -> None:
        """A frame that can't be read, or that complains of one of ours."""


class _Missing(msgspec.Struct):
    """Fills that came while nobody was there to tell: asked for until they are answered."""

    ask: AskFills
    due_ns: int = 0


class Conversation:
    """``take`` and ``tick`` return what to send, in order; after each, tell ``said``.

    ``left`` is set at the end. When the connection closes: ``lost``, then ``continued``.
    """

    def __init__(self, acquired: Acquire, observer: Observer) -> None:
        self.market = Coin(acquired.market)
        self.engine: Engine | None = None
        self.lease: LeaseFrame | None = None
        self.left: Departure | None = None
        self._acquired = acquired
        self._observer = observer
        self._requests = Requests(self.market)
        self._told: Told | None = None
        self._settling: Settling | None = None
        self._fence_owed: RequestFence | None = None
        self._missing: _Missing | None = None
        self._since_ns: int | None = None
        self._renewed_ns = self._closed_ns = 0
        self._link_seq: int | None = None

    # ── events ───────────────────────────────────────────────────────────────────────────────

    def take(self, raw: bytes, now_ns: int) -> list[Say]:
        """One frame of the gateway."""
        if self.left is not None:
            return []
        try:
            frame = decode_frame(raw)
        except MalformedFrame as error:
            self._observer.odd("malformed", str(error))
            return []
        match frame:
            case GwFrame(frame=inner):
                return self._gateway(inner, now_ns)
            case PostFrame():
                answer = self._requests.answered(frame)
                if isinstance(answer, Fills):
                    self._missing = None
                return self._some(answer, now_ns)
            case ErrorFrame(text=text):
                self._observer.odd("error", text)
                return []
            case _:
                return self._feed(events_of(frame, self.market), now_ns)

    def tick(self, now_ns: int) -> list[Say]:
        """Time passed."""
        if self.engine is None:
            self._since_ns = self._since_ns or now_ns
            if now_ns - self._since_ns > LEASE_WAIT_S * NS_PER_S:
                self._lease_gone(f"no lease within {LEASE_WAIT_S:.0f} s")
            return []
        if not self._holds(now_ns):
            return []
        says = self._ask_fills(now_ns)
        if self._settling is not None and self._settling.over(now_ns):
            rest, self._settling = self._settling.rest(), None
            says += self._feed(rest, now_ns)
        if self._settling is not None:
            return says  # a tick would find the book old, and cancel what may stay
        says += self._feed((*self._requests.overdue(now_ns), Tick()), now_ns)
        return says or self._solve(now_ns)

    def remember(self, raw: bytes, now_ns: int) -> list[Say]:
        """The checkpoint of an agent before this one; once the lease is there, ahead of data."""
        return self._some(BeliefsFound(raw), now_ns)

    def _solve(self, now_ns: int) -> list[Say]:
        """A tick with nothing to say is the moment for what the engine wants solved: 2 ms at most,
        and never before what it has decided is out.
        """
        problem = None if self.engine is None else self.engine.problem
        return [] if problem is None else self._feed((SkewSolved(solve(problem)),), now_ns)

    def said(self, say: Say, now_ns: int, *, sent: bool) -> None:
        """A frame has left, or could not: the connection is closed, as ``lost`` will tell.

        What was asked for under an id then counts as lost, which is never wrong.
        """
        match say.command:
            case Renew() if sent:
                self._renewed_ns = now_ns
            case RequestFence() as fence:
                self._fence_owed = None if sent else fence
            case _:
                return

    def may_say(self, now_ns: int) -> bool:
        """False, and it has left, if nothing was renewed for as long as a lease lasts."""
        if self.lease is None:
            return True
        if self.leased(now_ns):
            return True
        silent_ms = (now_ns - self._renewed_ns) // NS_PER_MS
        why = "the process was stopped, or stuck"
        self._lease_gone(f"nothing renewed for {silent_ms} ms ({why})")
        return False

    def leased(self, now_ns: int) -> bool:
        """Whether the lease was renewed so lately that nobody else can have one."""
        if self.lease is None:
            return False
        return (now_ns - self._renewed_ns) // NS_PER_MS < self.lease.lease_ms

    def _holds(self, now_ns: int) -> bool:
        return self.left is None and self.may_say(now_ns)

    # ── over a gateway restart ───────────────────────────────────────────────────────────────

    @property
    def in_flight(self) -> int:
        return len(self._requests)

    def lost(self, why: str, now_ns: int) -> Continue | None:
        """The socket closed without a word: what to ask the next gateway; None: it has left."""
        if not self._holds(now_ns):
            return None
        if self.lease is None or self.engine is None:
            self._lease_gone(f"the gateway closed the socket: {why}")
            return None
        self._closed_ns = now_ns
        return continuing(self._acquired, self.lease.generation, self.engine.state.event_ns)

    def refused(self, departure: Departure) -> None:
        """It was not taken back."""
        self.left = self.left or departure

    def continued(self, lease: LeaseFrame, now_ns: int) -> list[Say]:
        """Taken back, under the same lease: what was missed is asked for, news are told."""
        assert self._told is not None
        assert self.engine is not None
        known_ms = self.engine.state.position.last_fill_ms
        since_ms = max(known_ms, self._closed_ns // NS_PER_MS - FILLS_BACK_MS)
        self._missing = _Missing(AskFills(since_ms))
        self.lease, self._renewed_ns, self._link_seq = lease, now_ns, None
        self._settling = Settling(now_ns + SETTLE_NS)
        says = self._subscriptions()
        if self._fence_owed is not None:
            says += self._carry_out(self._fence_owed, now_ns)
        known = (*self._requests.all_lost(), *open_state(lease, self._closed_ns))
        says += self._feed(known, now_ns)
        says += self._feed(self._told.news(lease), now_ns)
        return says + self._ask_fills(now_ns)

    def _ask_fills(self, now_ns: int) -> list[Say]:
        """What traded since the last fill that the engine knows; it counts each one once."""
        missing = self._missing
        if missing is None or now_ns < missing.due_ns:
            return []
        missing.due_ns = now_ns + ASK_AGAIN_NS
        return self._post(missing.ask, now_ns)

    # ── frames ───────────────────────────────────────────────────────────────────────────────

    def _lease_gone(self, reason: str) -> None:
        self.left = self.left or Departure(EXIT_LEASE_LOST, reason)

    def _gateway(self, frame: GatewayFrame, now_ns: int) -> list[Say]:
        match frame:
            case LeaseFrame():
                return self._begin(frame, now_ns)
            case LeaseRefused() | Revoked():
                if isinstance(frame, LeaseRefused):
                    self._lease_gone(f"refused: {frame.reason}: {frame.text}")
                self._lease_gone(f"revoked: {frame.reason}")
                return []
            case Refusal(id=post_id, reason=reason, text=text):
                return self._some(self._requests.refused(post_id, reason, text), now_ns)
            case Unanswered(id=post_id):
                return self._some(self._requests.lost(post_id), now_ns)
            case _:
                if isinstance(frame, LinkFrame) and not self._in_sequence(frame.seq):
                    return []
                return self._some(event_of_gateway(frame, self.market), now_ns)

    def _in_sequence(self, seq: int) -> bool:
        """A hole means that we missed a gap: what we hold cannot be trusted, and we leave."""
        if self._link_seq is not None and seq != self._link_seq + 1:
            self._lease_gone(f"link frame {seq} after {self._link_seq}")
            return False
        self._link_seq = seq
        return True

    def _begin(self, lease: LeaseFrame, now_ns: int) -> list[Say]:
        if self.lease is not None:
            self._lease_gone("a second lease on one connection")
            return []
        self.lease, self._renewed_ns = lease, now_ns
        self.engine, self._told = Engine(lease, now_ns), Told.of(lease)
        self._observer.begun(lease, now_ns)
        return self._subscriptions() + self._feed((Tick(),), now_ns)

    def _subscriptions(self) -> list[Say]:
        return [Say(frame) for frame in outbound.subscriptions(self.market)]

    def _some(self, event: Event | None, now_ns: int) -> list[Say]:
        return [] if event is None else self._feed((event,), now_ns)

    def _feed(self, events: Iterable[Event], now_ns: int) -> list[Say]:
        """To the engine, or held back while it settles after a restart of the gateway."""
        says: list[Say] = []
        for event in events:
            if self.engine is None:
                break  # before the lease there is nobody to tell; the lease itself holds the state
            if self._settling is None:
                says += self._handle(event, now_ns)
                continue
            admitted, settled = self._settling.admit(event, now_ns)
            if settled:
                self._settling = None
            for each in admitted:
                says += self._handle(each, now_ns)
        return says

    def _handle(self, event: Event, now_ns: int) -> list[Say]:
        assert self.engine is not None
        assert self._told is not None
        if not self._holds(now_ns):
            return []
        self._told.note(event)
        commands = self.engine.handle(event, now_ns)
        self._observer.seen(event, now_ns, commands)
        says: list[Say] = []
        for command in commands:
            says += self._carry_out(command, now_ns)
        return says

    def _carry_out(self, command: Command, now_ns: int) -> list[Say]:
        assert self.lease is not None
        generation = self.lease.generation
        match command:
            case Place() | Cancel() | AskOpenOrders() | AskOrder():
                return self._post(command, now_ns)
            case Renew():
                return [Say(outbound.renew_frame(command, generation), command)]
            case RequestFence(reason=reason, transient=transient, flatten=flatten):
                fence = FenceMe(generation, reason, transient, flatten)
                return [Say(outbound.gateway_frame(fence), command)]
            case OpenFence(reason=reason):
                return [Say(outbound.gateway_frame(OpenMe(generation, reason)))]
            case Exit(code=code, reason=reason):
                self.left = self.left or Departure(code, reason)
                going = outbound.gateway_frame(Release(generation, reason))
                return [Say(going)] if code == 0 else []
            case _:
                raise AssertionError(f"no way to carry out {command!r}")

    def _post(self, asked: Asked, now_ns: int) -> list[Say]:
        assert self.lease is not None
        post_id = self._requests.register(asked, now_ns)
        asset_id, generation = self.lease.instrument.asset_id, self.lease.generation
        return [Say(outbound.post(asked, post_id, asset_id=asset_id, generation=generation))]
