"""Everything an engine can be told. Frozen values; the time of each is the argument of ``handle``.

Market data are decoded straight from the venue's frames (field names on the wire in ``name=``).
Account data come split by coin from the gateway. Control events come over the ``gw`` channel.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from agents.market.types import Cloid, Coin, Fill, Level, Oid, Side, Trade
from agents.portfolio import GammaRow, Holdings
from agents.settings import MarketSettings
from agents.skew import SkewTable


class Event(msgspec.Struct, frozen=True, gc=False):
    """Base of all events."""


# ── market data ──────────────────────────────────────────────────────────────────────────────


class Book(Event, frozen=True, gc=False):
    """``l2Book``: the whole book as displayed, best first, at most 20 levels a side."""

    coin: Coin
    venue_ms: int = msgspec.field(name="time")
    levels: tuple[tuple[Level, ...], tuple[Level, ...]] = ((), ())
    fast: bool = False

    @property
    def bids(self) -> tuple[Level, ...]:
        return self.levels[0]

    @property
    def asks(self) -> tuple[Level, ...]:
        return self.levels[1]


class Bbo(Event, frozen=True, gc=False):
    """``bbo``: the touch; a side is None when empty."""

    coin: Coin
    venue_ms: int = msgspec.field(name="time")
    bbo: tuple[Level | None, Level | None] = (None, None)


class Trades(Event, frozen=True, gc=False):
    """``trades``: one block's prints. The first frame after a subscribe replays old ones."""

    trades: tuple[Trade, ...]


class AssetCtx(Event, frozen=True, gc=False):
    """``activeAssetCtx``: mark and oracle price, hourly funding rate (fraction)."""

    coin: Coin
    mark_px: float
    oracle_px: float
    funding_per_h: float


# ── our orders ───────────────────────────────────────────────────────────────────────────────


class OrderUpdate(Event, frozen=True, gc=False):
    """One row of ``orderUpdates``; a partial fill sends none. ``status``: the venue's word."""

    oid: Oid
    cloid: Cloid | None
    side: Side
    px: Decimal
    remaining_sz: Decimal
    orig_sz: Decimal
    status: str
    status_ms: int


class Fills(Event, frozen=True, gc=False):
    """Rows of ``userFills``; ``is_snapshot`` marks the replay after a subscribe."""

    fills: tuple[Fill, ...]
    is_snapshot: bool = False


class OrderResult(msgspec.Struct, frozen=True, gc=False):
    """The venue's word on one order of a placement: it rests, it filled, or it was refused."""

    kind: Literal["resting", "filled", "refused"]
    oid: Oid | None = None
    filled_sz: Decimal = Decimal(0)
    avg_px: Decimal | None = None
    text: str = ""


class PlaceAnswered(Event, frozen=True, gc=False):
    """Answer to ``Place``: one result an order, in the order sent."""

    request_id: int
    results: tuple[OrderResult, ...]


class CancelAnswered(Event, frozen=True, gc=False):
    """Answer to ``Cancel``: None = cancelled, else the venue's text, in the order sent."""

    request_id: int
    errors: tuple[str | None, ...]


class RequestRefused(Event, frozen=True, gc=False):
    """The gateway turned a request away: nothing was sent."""

    request_id: int
    reason: str
    text: str = ""


class OutcomeUnknown(Event, frozen=True, gc=False):
    """A request was sent and its answer is lost: it may have happened."""

    request_id: int


class LiveOrder(msgspec.Struct, frozen=True, gc=False):
    """One order as the venue lists it."""

    oid: Oid
    cloid: Cloid | None
    side: Side
    px: Decimal
    remaining_sz: Decimal
    orig_sz: Decimal
    placed_ms: int
    reduce_only: bool = False


class OpenOrders(Event, frozen=True, gc=False):
    """A snapshot of this market's open orders, asked for at ``requested_ns`` (engine time)."""

    request_id: int
    requested_ns: int
    orders: tuple[LiveOrder, ...]


class OrderStatus(Event, frozen=True, gc=False):
    """Answer to ``AskOrder``: the venue's status word; None = the venue knows no such order."""

    cloid: Cloid
    requested_ns: int
    status: str | None
    oid: Oid | None = None
    remaining_sz: Decimal | None = None


class PositionSeen(Event, frozen=True, gc=False):
    """The venue's own position for this market, as of ``as_of_ms`` venue time.

    ``liquidation_px`` None: no price liquidates. ``cash_day_usd``: realised, less fees, plus
    funding, of the UTC day ``day`` since 1970 (0: not told).
    """

    as_of_ms: int
    position_sz: Decimal
    entry_px: Decimal | None = None
    liquidation_px: float | None = None
    day: int = 0
    cash_day_usd: float = 0.0


# ── control ──────────────────────────────────────────────────────────────────────────────────


class Tick(Event, frozen=True, gc=False):
    """Time passed. The shell sends one every 100 ms, so that silence is seen."""


class LinkChanged(Event, frozen=True, gc=False):
    """The gateway's link to the venue: up, gone (gap) or back (recovered).

    ``feed``: of a gap, whether the link stands and only this market's data is missing.
    """

    state: Literal["up", "gap", "recovered"]
    since_ms: int
    venue_offset_ms: float = 0.0
    feed: bool = False


class FenceChanged(Event, frozen=True, gc=False):
    """The gateway's fence for this market: closed = only cancels and reduce-only pass."""

    closed: bool
    reason: str = ""


class DirectiveReceived(Event, frozen=True, gc=False):
    """The risk actor's word for this market; ages from ``as_of_ms`` (unix)."""

    seq: int
    as_of_ms: int
    mode: Literal["normal", "reduce_only", "halt"]
    reason: str = ""


class GammaRowReceived(Event, frozen=True, gc=False):
    """What positions anywhere move this market's quotes by, from the risk actor."""

    row: GammaRow


class HoldingsSeen(Event, frozen=True, gc=False):
    """What the account holds in all markets, from the gateway."""

    holdings: Holdings


class LimitsChanged(Event, frozen=True, gc=False):
    """Effective limits as the gateway enforces them (min of all; never above the user's)."""

    position_max_usd: float


class BudgetChanged(Event, frozen=True, gc=False):
    """What requests cost: the price of one, the least time between two placements of a side, and
    the share of the levels that are kept up.
    """

    request_usd: float
    pace_s: float
    levels_share: float


class SettingsChanged(Event, frozen=True, gc=False):
    """New settings, in force from the next event."""

    revision: int
    settings: MarketSettings


class DrainRequested(Event, frozen=True, gc=False):
    """Leave: reduce-only until flat or the deadline."""

    deadline_ms: int


class PauseChanged(Event, frozen=True, gc=False):
    """Operator's pause: no quotes, estimators stay warm."""

    paused: bool


class JournalLost(Event, frozen=True, gc=False):
    """What is decided from now on can't be written down; ``reason`` is for people."""

    reason: str


class BeliefsFound(Event, frozen=True, gc=False):
    """What the market's agent before this one believed: its checkpoint, as stored."""

    raw: bytes


class SkewSolved(Event, frozen=True, gc=False):
    """The exact skew that ``Engine.problem`` asked for."""

    table: SkewTable
