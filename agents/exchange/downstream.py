"""The ``gw`` channel: what agents and gateway say to one another that Hyperliquid has no word for.

Agents speak Hyperliquid's WebSocket protocol to the gateway (subscribe, post, data frames, pong),
with these differences: user streams are subscribed without ``user``; actions are posted unsigned,
``payload = {action, generation, value_usd}``; and one more channel, below.

    agent -> gateway   {"method": "gw", "data": {"type": "acquire", ...}}
    gateway -> agent   {"channel": "gw", "data": {"type": "lease", ...}}

One connection is one market. The first frame is ``acquire``, within 1 s. An answer to a post is
Hyperliquid's own frame under the agent's id, or ``refusal`` (nothing was sent), or
``unanswered`` (sent; the answer is lost; it may have happened).
"""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from agents.commands import Report
from agents.events import LiveOrder
from agents.kept import Kept
from agents.market.instrument import Instrument
from agents.portfolio import GammaRow, Holdings
from agents.settings import MarketSettings

PROTOCOL_VERSION: Final = 1
LEASE_MS: Final = 5_000
RENEW_MS: Final = 500
EXIT_LEASE_LOST: Final = 75


class _Frame(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=False):
    """Base of the channel's frames; the tag is the lowercase word in the table."""


# ── agent -> gateway ─────────────────────────────────────────────────────────────────────────


class Acquire(_Frame, frozen=True, tag="acquire"):
    """Ask for a market's lease. ``process``: 16 hex digits drawn at process start."""

    market: str
    protocol: int
    build: str
    token: str
    process: str
    pid: int


class RenewLease(_Frame, frozen=True, tag="renew"):
    """The engine still turns; ``event_ns`` is the time of the last event it handled. ``kept`` is
    stored, and handed to the market's next process.
    """

    generation: int
    event_ns: int
    revision: int
    report: Report
    kept: Kept = Kept()


class Continue(_Frame, frozen=True, tag="continue"):
    """After a gateway restart: the same process goes on under the lease it holds."""

    market: str
    protocol: int
    build: str
    token: str
    process: str
    pid: int
    generation: int
    event_ns: int


class FenceMe(_Frame, frozen=True, tag="fence"):
    """Own kill: close this market's fence, cancel what rests. ``transient``: the agent itself may
    ask for it to be opened; ``flatten``: close the position, inside the caretaker's collar.
    """

    generation: int
    reason: str
    transient: bool = False
    flatten: bool = False


class OpenMe(_Frame, frozen=True, tag="open"):
    """A transient kill is over: open the fence it asked for, and no other."""

    generation: int
    reason: str


class Release(_Frame, frozen=True, tag="release"):
    """Going; nothing of mine is in flight."""

    generation: int
    reason: str


AgentFrame = Acquire | RenewLease | Continue | FenceMe | OpenMe | Release

# ── gateway -> agent ─────────────────────────────────────────────────────────────────────────


class OpenState(msgspec.Struct, frozen=True):
    """The account's state in this market at the moment of the lease."""

    as_of_ms: int
    position_sz: Decimal
    entry_px: Decimal | None
    open_orders: tuple[LiveOrder, ...] = ()
    fills_since_ms: int = 0


class DirectiveFrame(_Frame, frozen=True, tag="directive"):
    """The risk actor's word for this market."""

    seq: int
    as_of_ms: int
    mode: Literal["normal", "reduce_only", "halt"]
    reason: str = ""


class LimitsFrame(_Frame, frozen=True, tag="limits"):
    """Limits that the gateway enforces: the least of all that apply."""

    position_max_usd: float


class LeaseFrame(_Frame, frozen=True, tag="lease"):
    """All that an agent needs. ``cloid_prefix``: 20 hex digits; 12 more are the sequence.

    ``replaces``: whoever sends the orders puts one in another's place in the venue's one step
    (``NewOrder.replaces``); else the engine cancels, and places.
    """

    generation: int
    deadline_ms: int
    lease_ms: int
    renew_ms: int
    revision: int
    settings: MarketSettings
    limits: LimitsFrame
    instrument: Instrument
    cloid_prefix: str
    state: OpenState
    pnl_day_usd: float
    directive: DirectiveFrame | None
    fenced: bool = False
    paused: bool = False
    venue_offset_ms: float = 0.0
    kept: Kept = Kept()
    replaces: bool = False


class LeaseRefused(_Frame, frozen=True, tag="refused"):
    """No lease.

    ``reason``: bad_token build unknown_market paused halted expired superseded unready.
    """

    reason: str
    text: str


class Refusal(_Frame, frozen=True, tag="refusal"):
    """A post was turned away; nothing was sent. ``id`` is the agent's own.

    ``reason``: fenced stale_generation limit:<which> collar budget throttle duplicate link_down
    not_post_only malformed; rate_limited, by the venue itself.
    """

    id: int
    reason: str
    text: str


class Unanswered(_Frame, frozen=True, tag="unanswered"):
    """A post was sent and its answer is lost."""

    id: int


class LinkFrame(_Frame, frozen=True, tag="link"):
    """The gateway's link to the venue. ``seq`` counts from 1; a hole in it ends the agent.

    ``feed``: the link stands, and it is this market's data alone that can't be trusted.
    """

    seq: int
    state: Literal["up", "gap", "recovered"]
    since_ms: int
    venue_offset_ms: float
    feed: bool = False


class FenceFrame(_Frame, frozen=True, tag="fence"):
    """The fence for this market."""

    closed: bool
    reason: str


class BudgetFrame(_Frame, frozen=True, tag="budget"):
    """What requests cost. ``request_usd``: the price of one; ``pace_s``: the least time between two
    placements of a side; ``levels_share``: of the levels that are kept up.
    """

    request_usd: float
    pace_s: float
    levels_share: float


class PositionsFrame(_Frame, frozen=True, tag="positions"):
    """Signed positions of the account, coins by market, at ``as_of_ms`` venue time.

    ``liquidation_px``: the venue's, None where no price liquidates. ``cash_day_usd``: what the UTC
    day ``day`` (since 1970) brought: realised, less fees, plus funding.
    """

    as_of_ms: int
    positions: dict[str, Decimal]
    entry_px: Decimal | None = None
    liquidation_px: float | None = None
    day: int = 0
    cash_day_usd: float = 0.0


class GammaRowFrame(_Frame, frozen=True, tag="gamma_row"):
    """The market's row of the risk actor's matrix; sent when it moved, and before it is too old."""

    row: GammaRow


class HoldingsFrame(_Frame, frozen=True, tag="holdings"):
    """What the account holds, with every fill and each second; only to agents that have a row."""

    holdings: Holdings


class SettingsFrame(_Frame, frozen=True, tag="settings"):
    """New settings; acknowledged by the revision in the next ``renew``."""

    revision: int
    settings: MarketSettings


class PauseFrame(_Frame, frozen=True, tag="pause"):
    """Operator's pause of this market."""

    paused: bool


class DrainFrame(_Frame, frozen=True, tag="drain"):
    """Leave the market: reduce-only until flat or the deadline."""

    deadline_ms: int


class Revoked(_Frame, frozen=True, tag="revoked"):
    """The lease is gone: exit with 75."""

    reason: str


GatewayFrame = (
    LeaseFrame
    | LeaseRefused
    | Refusal
    | Unanswered
    | LinkFrame
    | FenceFrame
    | LimitsFrame
    | BudgetFrame
    | PositionsFrame
    | DirectiveFrame
    | GammaRowFrame
    | HoldingsFrame
    | SettingsFrame
    | PauseFrame
    | DrainFrame
    | Revoked
)


class ToGateway(msgspec.Struct, frozen=True):
    """Envelope of an agent's frame."""

    data: AgentFrame
    method: Literal["gw"] = "gw"


class ToAgent(msgspec.Struct, frozen=True):
    """Envelope of a gateway's frame."""

    data: GatewayFrame
    channel: Literal["gw"] = "gw"
