"""The gateway's HTTP routes: the JSON that supervisor, risk and CLI exchange with it.

    GET    /v1/status                    -> GatewayStatus
    GET    /v1/reports                   -> GatewayStatus (same moment, same shape)
    PUT    /v1/markets/{market}          MarketPut -> {}
    DELETE /v1/markets/{market}          -> {} ; 409 while something of ours rests or is closed
    POST   /v1/markets/{market}/{pause|unpause|drain|flatten|revoke|adopt}
    PUT    /v1/directives                DirectivesPut -> {}
    PUT    /v1/books                     BooksPut -> {} ; the ledger's word on balances that drift
    POST   /v1/books/adopt               CashAdopt -> {} ; what it cannot explain is the owner's
    POST   /v1/said                      SaidPost -> {} ; written down, for the history
    PUT    /v1/caps                      CapsPut -> {} ; the fleet's linear caps
    PUT    /v1/requests                  RequestsPut -> {} ; what may be spent on requests
    POST   /v1/halt                      HaltRequest -> one JSON line a stage, the last a HaltReport
    POST   /v1/resume                    ResumeRequest -> {}
    POST   /v1/actions                   {action, key} -> the venue's answer
    POST   /v1/info                      Hyperliquid's own /info
    GET    /healthz

Every route takes the fleet's token as a bearer. An error is ``{"error": ApiError}``.
Percent-encode the market in a path (``hyna%3ABTC``). Import weight: msgspec and nothing else.
"""

from decimal import Decimal
from typing import Any, Literal

import msgspec

from agents.commands import Report
from agents.market.instrument import Instrument
from agents.portfolio import GammaRow
from agents.settings import MarketSettings


class ApiError(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong, the exit code it means for the CLI, and the mend."""

    code: str
    exit: int
    text: str
    mend: str = ""
    where: str = ""


class DexView(msgspec.Struct, frozen=True):
    """One DEX's clearinghouse, in its own token; ``token_mark_usd`` converts (None: not known)."""

    dex: str
    token: str
    token_mark_usd: float | None
    as_of_ms: int
    account_value: Decimal
    raw_usd: Decimal
    margin_used: Decimal


class LeaseView(msgspec.Struct, frozen=True):
    """Who holds a market.

    ``owner``: agent (also while the caretaker closes beside it), caretaker (it watches or acts on a
    position that has no agent), or none. ``awaited``: the gateway has restarted, and whoever held
    the lease may continue it until ``deadline_ms``; until it does, nobody is known to hold it.
    """

    owner: Literal["agent", "caretaker", "none"]
    generation: int = 0
    pid: int | None = None
    deadline_ms: int | None = None
    event_ns: int | None = None
    revision: int | None = None
    awaited: bool = False


class CareView(msgspec.Struct, frozen=True):
    """The caretaker in one market. ``busy``: it has something to do yet (hold = only watches).

    ``cause``: orphan, drain, flatten, halt. ``text``: what it waits for, for people.
    """

    do: Literal["hold", "reduce", "flatten"]
    cause: str
    since_ms: int
    generation: int
    text: str
    busy: bool


class MarketView(msgspec.Struct, frozen=True):
    """One market as the gateway sees it.

    ``drift``: for people, whose idea of the position differs from the venue's, if for seconds.
    ``bids_sz``, ``asks_sz``: what rests of ours.
    ``stale``: what is wrong with its data, so that nothing of it may rest.
    ``isolated_raw``: an isolated position's own cash, as of its frame; None: cross, or not known.
    """

    market: str
    revision: int
    settings: MarketSettings
    instrument: Instrument | None
    lease: LeaseView
    report: Report | None
    report_ms: int | None
    position_sz: Decimal
    entry_px: Decimal | None
    position_as_of_ms: int
    mark_px: float | None
    bid_px: float | None
    ask_px: float | None
    venue_ms: int | None
    data_age_ms: int | None
    open_orders: int
    fenced: bool
    fence_reason: str
    paused: bool
    draining: bool
    care: CareView | None = None
    drift: str | None = None
    stale: str | None = None
    isolated_raw: Decimal | None = None
    bids_sz: Decimal = Decimal(0)
    asks_sz: Decimal = Decimal(0)


class LatchView(msgspec.Struct, frozen=True):
    """The halt latch, as written in the file HALT."""

    reason: str
    by: str
    at_ms: int


class RiskView(msgspec.Struct, frozen=True):
    """The last round of directives; ``gamma_rows``: how many markets have one."""

    seq: int
    as_of_ms: int
    age_ms: int
    state: Literal["normal", "reduce_only", "halt", "none"]
    reason: str
    gamma_rows: int = 0


class KeyView(msgspec.Struct, frozen=True):
    """Who signs. ``valid_until_ms``: as the venue lists it; None: not listed, or not known yet."""

    address: str
    valid_until_ms: int | None = None


class Caps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fleet's linear caps, USD, on the worst case of all that is open; None: not bounded.

    ``dex_margin_max_usd``: the margin that a DEX's markets may take, by the DEX's name.
    """

    gross_max_usd: float | None = None
    net_max_usd: float | None = None
    underlying_gross_max_usd: float | None = None
    dex_margin_max_usd: dict[str, float] = {}


class CapsUse(msgspec.Struct, frozen=True):
    """What is used of the caps if the worst of what is open fills."""

    gross_usd: float
    net_usd: float
    underlyings_usd: dict[str, float]
    dex_margins_usd: dict[str, float]


class AllowanceView(msgspec.Struct, frozen=True):
    """The account's allowance of actions. ``left`` None: not known; below zero: used up.

    ``mood``: unknown, ample, reserve (only what cancels need is left), exhausted. ``burn_per_h``:
    spent less earned, of the last hour. ``request_usd``, ``pace_s``, ``levels_share``: what agents
    are told. ``bought_usd``: today (UTC), of ``buy_max_usd`` a day.
    """

    left: int | None
    cap: int | None
    reserve: int
    mood: str
    burn_per_h: float | None
    hours_to_empty: float | None
    request_usd: float
    pace_s: float
    levels_share: float
    bought_usd: float
    buy_max_usd: float


class DeadManView(msgspec.Struct, frozen=True):
    """The venue's own switch. ``state``: armed, ineligible or off; ``reason``: why not armed;
    ``until_ms``: venue time at which it goes off unless it is pushed on.
    """

    state: str = "off"
    reason: str = ""
    until_ms: int | None = None


class GatewayStatus(msgspec.Struct, frozen=True):
    """Everything of one moment.

    ``second_controller``: another fleet has orders on this account. ``unwritable``: why nothing
    that adds risk may leave: the log or the files can't be written. ``cautions``: by cause, why
    the whole fleet only reduces. ``caps``: the fleet's linear caps in force, None until they came.
    """

    fleet: str
    network: str
    url: str
    address: str
    instance: str
    build: str
    as_of_ms: int
    link: Literal["up", "down"]
    link_since_ms: int
    venue_offset_ms: float
    halt: LatchView | None
    dexes: tuple[DexView, ...]
    markets: tuple[MarketView, ...]
    foreign_orders: int
    unresolved: int
    risk: RiskView | None
    ip_weight_used_share: float
    allowance: AllowanceView
    log_seq: int
    refusals: dict[str, int]
    second_controller: str | None = None
    unwritable: str | None = None
    dead_man: DeadManView = DeadManView()
    strain: tuple[str, ...] = ()
    cautions: dict[str, str] = {}
    caps: Caps | None = None
    caps_use: CapsUse | None = None
    key: KeyView | None = None
    link_losses: int = 0


class MarketPut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a market's agent is to be told. A raised limit needs ``authorised``."""

    revision: int
    settings: MarketSettings
    authorised: bool = False


class CapsPut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The caps from now on. Lowering takes effect at once; raising one needs ``authorised``."""

    caps: Caps
    authorised: bool = False


class RequestsPut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be spent on bought requests a day (UTC)."""

    buy_max_usd_per_day: float


class DirectiveRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One market's directive."""

    mode: Literal["normal", "reduce_only", "halt"]
    reason: str = ""


class DirectivesPut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One round: a directive for each market; the fleet's own state beside it.

    ``gamma_rows``: those that changed; an empty one takes a market's row away.
    """

    seq: int
    as_of_ms: int
    state: Literal["normal", "reduce_only", "halt"]
    reason: str
    directives: dict[str, DirectiveRow]
    gamma_rows: dict[str, GammaRow] = {}


class BooksPut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the ledger cannot explain, by DEX: a directive for all its markets, on top of risk's."""

    dexes: dict[str, DirectiveRow]


class CashAdopt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What nothing explains of a DEX's balance is the owner's doing: booked as a transfer."""

    dex: str
    token: str
    amount: Decimal
    as_of_ms: int
    by: str


class SaidPost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A verb that neither supervisor nor gateway carries out, for the history."""

    verb: str
    about: str
    by: str
    outcome: str = "done"


class HaltRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``all``: foreign orders too. ``flatten``: then close positions, inside their collars."""

    reason: str
    by: str
    flatten: bool = False
    all: bool = False


class ActRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A verb for one market. ``by``: who said it past the supervisor, to be written down here."""

    by: str | None = None


class ResumeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    by: str


class HaltProof(msgspec.Struct, frozen=True):
    in_flight_unresolved: int
    voided: int
    snapshots: int
    interval_ms: int


class HaltMarket(msgspec.Struct, frozen=True):
    market: str
    orders_cancelled: int
    position_sz: float


class HaltReport(msgspec.Struct, frozen=True):
    """The contract's JSON of ``fleet halt``.

    ``first_refusal_ms``: from the request until the door, tried once the latch was on the disk,
    refused. ``flat_of_positions``: None unless asked for; True only when the venue said so twice.
    """

    halted: bool
    reason: str
    flat_of_orders: bool
    foreign_orders: int
    proof: HaltProof
    first_refusal_ms: int | None
    cleared_ms: int | None
    proven_ms: int | None
    flat_of_positions: bool | None
    markets: tuple[HaltMarket, ...]


class ActionPost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account action (leverage, margin, transfers). ``key`` makes a repeat harmless.

    ``expires_ms``: venue time after which the venue must not take it any more.
    """

    action: dict[str, Any]
    key: str
    expires_ms: int | None = None
