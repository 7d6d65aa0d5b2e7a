"""Everything an engine can ask of its shell. The shell carries out, decides nothing."""

from decimal import Decimal
from typing import Literal

import msgspec

from agents.kept import Kept
from agents.market.types import Cloid, Side
from agents.telemetry.insight import Insight


class Command(msgspec.Struct, frozen=True, gc=False):
    """Base of all commands."""


class NewOrder(msgspec.Struct, frozen=True, gc=False):
    """One order of a placement; post-only unless ``tif`` says otherwise.

    ``replaces``: the order that makes way for it, in the venue's one step; all of a placement's
    orders replace one, or none does.
    """

    cloid: Cloid
    side: Side
    px: Decimal
    sz: Decimal
    reduce_only: bool = False
    tif: Literal["Alo", "Ioc"] = "Alo"
    replaces: Cloid | None = None


class Place(Command, frozen=True, gc=False):
    """Send these orders as one action. ``value_usd``: what sending is worth, for the budget."""

    request_id: int
    orders: tuple[NewOrder, ...]
    value_usd: float = 0.0


class Cancel(Command, frozen=True, gc=False):
    """Cancel these orders by cloid as one action."""

    request_id: int
    cloids: tuple[Cloid, ...]


class AskOpenOrders(Command, frozen=True, gc=False):
    """Ask for a snapshot of this market's open orders."""

    request_id: int


class AskOrder(Command, frozen=True, gc=False):
    """Ask what became of one order whose answer is missing."""

    cloid: Cloid


class Worst(msgspec.Struct, frozen=True, gc=False):
    """The worst that a market's monitors find: how bad, which monitor, why, on which numbers."""

    mode: str
    monitor: str
    reason: str
    evidence: dict[str, float] = {}


class Report(msgspec.Struct, frozen=True, gc=False):
    """What an agent says of itself: for the risk actor, ``fleet status`` and the metrics.

    Units: ``sigma_bps`` bps/sqrt(s); ``fills_per_s`` A; ``kappa_per_bps`` 1/bps. None = not known.
    ``cross_bps``: what positions in other markets move the quotes by; ``cross_caps``: how often a
    decision wanted more of it than may be. ``worst``: None while the monitors find nothing;
    ``ramp_share``: of the limits, what sizes may use.
    ``orders``: how many of its orders stand in each state, by the names people use (orders.view).
    ``insight``: what only the metrics show.
    """

    phase: str
    reason: str | None = None
    mid_px: float | None = None
    fair_px: float | None = None
    sigma_bps: float | None = None
    fills_per_s: float | None = None
    kappa_per_bps: float | None = None
    position_sz: Decimal = Decimal(0)
    bid_px: Decimal | None = None
    ask_px: Decimal | None = None
    half_spread_bps: float | None = None
    model_half_spread_bps: float | None = None
    open_orders: int = 0
    unknown_orders: int = 0
    data_age_ms: int | None = None
    quoting_due_s: float = 0.0
    quoting_up_s: float = 0.0
    taker_fills: int = 0
    requests: int = 0
    cross_bps: float | None = None
    cross_caps: int = 0
    worst: Worst | None = None
    ramp_share: float = 1.0
    orders: dict[str, int] = msgspec.field(default_factory=dict)
    insight: Insight = Insight()


class Renew(Command, frozen=True, gc=False):
    """Renew the lease: the engine itself still turns. ``event_ns``: last event handled; ``kept``:
    what the market's next process must know.
    """

    event_ns: int
    revision: int
    report: Report
    kept: Kept = Kept()


class RequestFence(Command, frozen=True, gc=False):
    """Own kill: ask the gateway to close this market's fence and cancel what rests.

    ``transient``: we may ask for it to be opened again; else a person opens it. ``flatten``: the
    caretaker is to close the position, inside its collar.
    """

    reason: str
    transient: bool = False
    flatten: bool = False


class OpenFence(Command, frozen=True, gc=False):
    """A kill that passes is over: open the fence that we asked for as transient."""

    reason: str


class Exit(Command, frozen=True, gc=False):
    """Leave the process: 0 drained and released, 75 lease gone."""

    code: int
    reason: str
