"""All that one engine knows, as data; the handlers read and write it, nothing else does."""

from decimal import Decimal

import msgspec

from agents.commands import Command
from agents.estimators.panel import Estimates, Panel
from agents.events import BudgetChanged
from agents.exchange.downstream import LeaseFrame
from agents.market.instrument import Instrument
from agents.market.position import Position
from agents.market.units import NS_PER_MS
from agents.orders.cloid import CloidSequence
from agents.orders.queue import Queues
from agents.orders.reconcile import Leeway
from agents.orders.throttle import Churn, Throttle
from agents.orders.tracker import OrderTracker
from agents.portfolio import CrossSkew, GammaRow, Holdings
from agents.risk.cash import DayCash
from agents.risk.kill import lifted, ramp_share
from agents.risk.verdict import Finding, Mode, Verdict
from agents.risk.watch import Watch
from agents.settings import MarketSettings
from agents.skew import SkewTable
from agents.strategy.quoter import Quoting, SideRoom


class Sync(msgspec.Struct):
    """Whether our orders are known to be as the venue has them.

    At the start: done by a snapshot that was requested after ``since_ns`` and lists none of ours
    while we hold none either. After a gap (``keeps``) what rests may stay: the first snapshot since
    then tells what is in doubt, and doubt counts as resting. Then the snapshots go on, to find what
    differs. ``settled_ns``: until then the market data after a gap may be on their way.
    """

    since_ns: int
    keeps: bool = False
    settled_ns: int = 0
    done: bool = False
    due_ns: int = 0


class DirectiveHeld(msgspec.Struct, frozen=True):
    """The risk actor's last word."""

    as_of_ms: int
    mode: str
    reason: str


class VenuePosition(msgspec.Struct):
    """The venue's word on the position; ``differs_ns``: since when it has differed from ours."""

    as_of_ms: int
    sz: Decimal
    differs_ns: int | None = None


class Pricing(msgspec.Struct, frozen=True, gc=False):
    """The last pricing, and how far fair and the expected move may go before the next is worth its
    while; ``bid`` and ``ask``: what the sides might show. ``cross``: what the portfolio asked for,
    and whether that is ``crossed`` into the quotes or only looked at.
    """

    at_ns: int
    fair_px: float
    skip_px: float
    skip_drift_bps: float
    quoting: Quoting
    bid: SideRoom
    ask: SideRoom
    cross: CrossSkew | None = None
    crossed: bool = False


class Sizing(msgspec.Struct, frozen=True, gc=False):
    """USD limits in coins at ``reference_px``, and the size of one order."""

    reference_px: float
    limit_sz: Decimal
    wanted_limit_sz: Decimal
    budget_sz: Decimal
    present_sz: Decimal
    clip_px: float
    clip_sz: Decimal


class Uptime(msgspec.Struct):
    """Seconds since the market was due to quote, and those in which it did."""

    seen_ns: int
    due: bool = False
    due_s: float = 0.0
    up_s: float = 0.0


class EngineState:
    """One market's engine. ``dirty``: something other than the price asks for a decision;
    ``revisit``: a decision waits for time to pass.
    """

    def __init__(self, lease: LeaseFrame, now_ns: int) -> None:
        self.settings: MarketSettings = lease.settings
        self.revision = lease.revision
        self.instrument: Instrument = lease.instrument
        self.limit_usd = lease.limits.position_max_usd
        self.budget: BudgetChanged | None = None
        self.renew_ns = lease.renew_ms * NS_PER_MS
        self.renew_due_ns = now_ns
        self.replaces = lease.replaces
        self.panel = Panel(lease.settings.strategy, now_ns)
        self.position = Position(
            sz=lease.state.position_sz,
            entry_px=lease.state.entry_px,
            fills_since_ms=lease.state.fills_since_ms,
        )
        self.venue_position: VenuePosition | None = None
        self.tracker = OrderTracker()
        self.queues = Queues()
        self.cloids = CloidSequence(lease.cloid_prefix)
        self.throttle = Throttle()
        self.churn = Churn()
        self.sync = Sync(since_ns=now_ns, due_ns=now_ns)
        self.link_up, self.feed_gap = True, False
        self.fenced: str | None = "at lease" if lease.fenced else None
        self.paused = lease.paused
        self.drain_deadline_ms: int | None = None
        self.leaving: str | None = None
        self.left = False
        self.kept = lease.kept
        if lease.kept.kill is not None and not lease.fenced:  # a person opened it meanwhile
            self.kept = lifted(lease.kept, now_ns // NS_PER_MS)
        self.cash = DayCash(lease.pnl_day_usd, now_ns // NS_PER_MS)
        self.watch = Watch(float(lease.state.position_sz))
        self.unwritten: str | None = None
        self.opening = False  # of the fence, by rule: asked for, and not yet told
        self.ramp_share = ramp_share(
            self.kept, now_ns // NS_PER_MS, ramp_s=lease.settings.risk.advanced.resume_ramp_s
        )
        held = lease.directive
        self.directive = (
            None
            if held is None
            else DirectiveHeld(as_of_ms=held.as_of_ms, mode=held.mode, reason=held.reason)
        )
        self.verdict = Verdict(Mode.BLIND, (Finding(Mode.BLIND, "starting", "readiness"),))
        self.judged_until_ns = now_ns
        self.believed: Estimates | None = None  # when it was last decided
        self.pricing: Pricing | None = None
        self.leeway: Leeway | None = None  # what the last decision left standing needs none within
        self.sizing: Sizing | None = None
        self.skew: SkewTable | None = None
        self.gamma_row: GammaRow | None = None
        self.holdings: Holdings | None = None
        self.cross_caps = 0
        self.uptime = Uptime(seen_ns=now_ns)
        self.taker_fills = 0
        self.requests = 0
        self.event_ns = now_ns
        self.dirty, self.revisit = True, False
        self.out: list[Command] = []
        self._request_id = 0

    @property
    def position_max_usd(self) -> float:
        """The least of the user's limit and the one the gateway enforces."""
        return min(self.settings.risk.position_max_usd, self.limit_usd)

    @property
    def sizing_max_usd(self) -> float:
        """What sizes are made from: after a halt or a kill only a part of the limit."""
        return self.position_max_usd * self.ramp_share

    def next_request_id(self) -> int:
        """Rising; one for each request."""
        self._request_id += 1
        return self._request_id

    def settling(self, now_ns: int) -> bool:
        """Whether the link is just back and the first touch since then still to come."""
        panel = self.panel
        return now_ns < self.sync.settled_ns and panel.bid is None and panel.ask is None

    def held(self) -> tuple[Decimal, Decimal]:
        """Lowest and highest position that may be true: they differ while the venue disagrees."""
        seen = self.venue_position
        if seen is None or seen.differs_ns is None:
            return self.position.sz, self.position.sz
        return min(self.position.sz, seen.sz), max(self.position.sz, seen.sz)
