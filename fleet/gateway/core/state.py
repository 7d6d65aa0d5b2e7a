"""All that the gateway knows, in one place; the handlers beside it read and change it."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from agents.commands import Report
from agents.exchange.downstream import GatewayFrame, ToAgent
from agents.exchange.nonce import NonceSequence
from agents.exchange.registry import Registry
from agents.kept import Kept
from agents.market.instrument import Instrument
from agents.portfolio import GammaRow
from agents.settings import MarketSettings
from fleet.gateway.api import Caps, DirectiveRow, DirectivesPut, LatchView
from fleet.gateway.core import cloids
from fleet.gateway.core.account import Account
from fleet.gateway.core.allowance import Allowance
from fleet.gateway.core.bookings import Bookings
from fleet.gateway.core.caretaker import Mandate
from fleet.gateway.core.clearing import Clearing
from fleet.gateway.core.deadman import DeadMan
from fleet.gateway.core.drift import Drifts
from fleet.gateway.core.effects import Effect, Tell
from fleet.gateway.core.feeds import Feeds
from fleet.gateway.core.fence import Fence
from fleet.gateway.core.flat_proof import FlatProof
from fleet.gateway.core.lease import Durable, Leases
from fleet.gateway.core.limits import Exposure, Limits
from fleet.gateway.core.orders import Orders
from fleet.gateway.core.pace import Pace
from fleet.gateway.core.purse import Purse
from fleet.gateway.core.request_price import FREE, Governor, Terms, of_weight
from fleet.gateway.core.routing import Routing
from fleet.gateway.core.strain import Strain
from fleet.gateway.core.venue_clock import VenueClock
from fleet.gateway.core.waiting import Questions
from fleet.gateway.core.weight import WeightMeter
from fleet.gateway.core.worst import Worst

ANSWER_MS: Final = 3_000
FLEET: Final = ""
"""Key of the clearing that covers every market."""


class Identity(msgspec.Struct, frozen=True):
    """Who this gateway is. ``digits``: the instance inside cloids, six hex digits."""

    fleet: str
    network: str
    url: str
    address: str
    instance: str
    build: str
    token: str
    created_ms: int

    @property
    def digits(self) -> str:
        return cloids.instance_digits(self.instance)


class MarketRow(msgspec.Struct):
    """One market of the manifest, with what its agent last said.

    ``kept``: what the market's next process must know, of which ``stored`` is on the disk.
    ``stop_ms``: from when on its position's stop may be placed again.
    """

    settings: MarketSettings
    revision: int
    paused: bool = False
    draining_ms: int | None = None
    flatten: Literal["", "operator", "halt"] = ""
    report: Report | None = None
    report_ms: int | None = None
    recorded_ms: int = 0
    kept: Kept = Kept()
    stored: Kept = Kept()
    stored_ms: int = 0
    stop_ms: int = 0


class Session(msgspec.Struct):
    """One agent's connection; ``market`` None until its lease is given.

    ``awaits_link``: it continues after a restart, and gets its lease when the venue is known.
    ``terms``: what it was told that requests cost, at ``terms_ms``.
    """

    id: int
    opened_ms: int
    market: str | None = None
    generation: int = 0
    link_seq: int = 0
    fills_since_ms: int = 0
    awaits_link: bool = False
    terms: Terms = FREE
    terms_ms: int = 0


Purpose = Literal[
    "place",
    "cancel",
    "void",
    "sweep",
    "snapshot",
    "status",
    "info",
    "account",
    "switch",
    "buy",
    "positions",
    "fills",
]


class Pending(msgspec.Struct):
    """A request upstream whose answer is awaited. ``agent_id``: the agent's own id for it."""

    purpose: Purpose
    sent_ms: int
    deadline_ms: int
    session: int | None = None
    agent_id: int = 0
    market: str = ""
    generation: int = 0
    nonce: int = 0
    keys: tuple[str, ...] = ()
    dex: str = ""
    clearing: str | None = None
    kind: str = ""
    since_ms: int = 0
    late: bool = False


class Link(msgspec.Struct):
    """The venue's connection as agents are told it. ``alerted``: its loss was told to a person;
    ``losses``: how often it was lost.
    """

    state: Literal["up", "gap"] = "gap"
    since_ms: int = 0
    ever: bool = False
    alerted: bool = False
    losses: int = 0


class Care(msgspec.Struct):
    """The caretaker in one market. ``generation`` 0: it has placed nothing yet.

    ``waits``: for people, what it waits for. ``told``: a person was told that it acts or holds.
    """

    market: str
    mandate: Mandate
    since_ms: int
    generation: int = 0
    sequence: int = 0
    last_sent_ms: int = 0
    waits: str = ""
    told: bool = False


class State:
    """Mutable; owned by one thread."""

    def __init__(
        self,
        identity: Identity,
        *,
        leases: Mapping[str, Durable],
        limits: Mapping[str, float],
        latch: LatchView | None,
        last_nonce: int,
        caps: Caps | None = None,
    ) -> None:
        self.identity = identity
        self.digits = identity.digits
        self.fence = Fence(latch)
        self.leases = Leases(dict(leases))
        self.limits = Limits(dict(limits))
        self.caps = caps
        self.worst = Worst()
        self.questions = Questions()
        self.feeds = Feeds()
        self.awaited: set[str] = set()
        self.awaited_ms = 0
        self.paces: dict[str, Pace] = {}
        self.told_limits: dict[str, float] = {}
        self.cautions: dict[str, str] = {}
        self.signer = ""
        self.key_until_ms: int | None = None
        self.orders = Orders()
        self.account = Account()
        self.bookings = Bookings(identity.created_ms)
        self.drifts = Drifts()
        self.routing = Routing()
        self.clock = VenueClock()
        self.weights = WeightMeter()
        self.nonces = NonceSequence(last_nonce)
        self.markets: dict[str, MarketRow] = {}
        self.sessions: dict[int, Session] = {}
        self.pending: dict[int, Pending] = {}
        self.clearings: dict[str, Clearing] = {}
        self.cares: dict[str, Care] = {}
        self.flat_proof: FlatProof | None = None
        self.strangers: dict[str, str] = {}
        self.unwritable: dict[str, str] = {}
        self.registry: Registry | None = None
        self.link = Link()
        self.directives: DirectivesPut | None = None
        self.books: dict[str, DirectiveRow] = {}
        self.gamma_rows: dict[str, GammaRow] = {}
        self.refusals: dict[str, int] = {}
        self.refusals_logged: set[tuple[str, str]] = set()
        self.sequences: dict[str, cloids.SequenceSet] = {}
        self.raw_fills: dict[str, list[tuple[int, bytes]]] = {}
        self.equity_ms: dict[str, int] = {}
        self.allowance = Allowance()
        self.governor, self.weight_governor = Governor(), of_weight()
        self.purse = Purse()
        self.deadman = DeadMan()
        self.strain = Strain()
        self.terms: Terms = FREE
        self.log_seq = 0
        self._last_request = 0

    def request_id(self) -> int:
        """Ids of posts upstream, never used twice in a process."""
        self._last_request += 1
        return self._last_request

    # ── short answers that many handlers need ────────────────────────────────────────────────

    def instrument(self, market: str) -> Instrument | None:
        return self.registry.instrument(market) if self.registry else None

    def dexes(self) -> tuple[str, ...]:
        """Every DEX of the venue, the main one (``""``) first."""
        return tuple(dex.name for dex in self.registry.dexes) if self.registry else ("",)

    def token_mark_usd(self, token: str) -> float | None:
        return self.account.token_marks.get(token)

    def mark_usd(self, market: str) -> float | None:
        """USD per coin at the mark; a token whose mark is not known counts at 1.0."""
        mark_px = self.account.mark_px(market)
        instrument = self.instrument(market)
        if mark_px is None or instrument is None:
            return None
        return mark_px * (self.token_mark_usd(instrument.token) or 1.0)

    def exposure(self, market: str) -> Exposure:
        return self.orders.exposure(market, self.account.position(market).sz)

    def ours(self, cloid: str | None) -> cloids.Origin | None:
        """The origin of an order of this very fleet; None for all others."""
        origin = cloids.parse(cloid)
        return origin if origin and origin.instance == self.digits else None

    def foreign_orders(self) -> int:
        """Open orders that no fleet of ours placed."""
        return sum(
            1
            for rows in self.account.rows.values()
            for _, row in rows.values()
            if cloids.parse(row.cloid) is None
        )

    def pace(self, market: str) -> Pace:
        """How fast the market sends and trades."""
        return self.paces.setdefault(market, Pace())

    def ownerless(self, market: str, generation: int) -> bool:
        """Whether a lease is over: orders under its generation have no owner.

        A position's stop has one for as long as its market is the fleet's.
        """
        if generation == cloids.STOP:
            return market not in self.markets
        return not self.leases.live(market, generation)

    def refuse(self, reason: str) -> None:
        self.refusals[reason] = self.refusals.get(reason, 0) + 1

    def session_of(self, market: str) -> Session | None:
        held = self.leases.holders.get(market)
        return self.sessions.get(held.session) if held and held.session is not None else None


_encode = msgspec.json.Encoder().encode


def gw(session: Session, frame: GatewayFrame, slot: str | None = None) -> Effect:
    """A frame of the ``gw`` channel for one agent."""
    return Tell(session=session.id, data=_encode(ToAgent(data=frame)), slot=slot)
