"""What to do next so that what runs becomes what is desired: at most one step a market and round.

Level-driven: a round knows nothing of the one before but what ``Attempts`` holds, so any round may
be repeated, and any may be the first. The caller must fail when it cannot observe: an empty answer
would start everything twice.

For a market that is desired:

    a FAILED one is left alone              settings differ -> PutSettings, or Stop first where the
    an agent without lease for too long        change needs a new process, or the market drains
       -> Stop                              leverage not set -> SetLeverage
    no agent -> Start, after its back-off, unless the fleet is halted or something hinders it
       (preflight, collateral: ``fleet.supervisor.workflow``); or Fail, its budget spent

For one that is not: Drain -> (the agent leaves) -> Remove.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from agents.settings import MarketSettings
from fleet.gateway.api import MarketView
from fleet.supervisor.attempts import Attempts
from fleet.supervisor.changes import kind_of

SILENT_MS: Final = 60_000
"""An agent that never held its lease for so long is wedged: its start takes seconds, or half a
minute on a machine that is short of cores.
"""
LOST_MS: Final = 10_000
"""One that had it leaves by itself, within a second; over a gateway's restart it has 5 s."""
WARM_MS: Final = 180_000
"""So long a market that was started anew is waited for, before the next ones are."""
_ON_ITS_WAY: Final = frozenset({"BOOT", "PREFLIGHT", "RECONCILING", "WARMUP"})


class Desired(msgspec.Struct, frozen=True):
    """What one market shall be. ``settings`` is None where it shall leave."""

    settings: MarketSettings | None
    revision: int
    failed: bool = False


class Observed(msgspec.Struct, frozen=True):
    """What one market is. ``view``: the gateway's; ``process``: Ray knows its actor; ``hindrance``:
    why its agent may not start yet.
    """

    view: MarketView | None
    process: bool
    attempts: Attempts = Attempts()
    leverage_revision: int | None = None
    hindrance: str | None = None


class Conditions(msgspec.Struct, frozen=True):
    """What holds for the whole fleet."""

    halted: bool = False
    link_up: bool = True
    max_unavailable: int = 2
    start_parallel: int = 8


class PutSettings(msgspec.Struct, frozen=True, tag=True):
    market: str
    revision: int
    settings: MarketSettings


class SetLeverage(msgspec.Struct, frozen=True, tag=True):
    """The venue's own setting, before an agent trades under it."""

    market: str
    revision: int
    asset_id: int
    leverage: int
    isolated: bool


class Start(msgspec.Struct, frozen=True, tag=True):
    market: str


class Stop(msgspec.Struct, frozen=True, tag=True):
    """End the process. ``fault``: it did not do its work; counts against its budget."""

    market: str
    cause: str
    fault: bool = False


class Fail(msgspec.Struct, frozen=True, tag=True):
    market: str
    cause: str


class Drain(msgspec.Struct, frozen=True, tag=True):
    market: str


class Remove(msgspec.Struct, frozen=True, tag=True):
    market: str


Step = PutSettings | SetLeverage | Start | Stop | Fail | Drain | Remove


def reconcile(
    desired: Mapping[str, Desired],
    observed: Mapping[str, Observed],
    conditions: Conditions,
    now_ms: int,
) -> Iterator[Step]:
    """Yield at most one step a market, in the order of their names; nothing once all is well."""
    nothing = Observed(view=None, process=False)
    seen = {market: observed.get(market, nothing) for market in desired.keys() | observed.keys()}
    wanted = {market for market, want in desired.items() if want.settings is not None}
    starting = sum(seen[m].process and not _owned(seen[m]) for m in wanted)
    away = sum(_away(desired[m], seen[m], now_ms) for m in wanted)
    for market in sorted(seen):
        want, have = desired.get(market), seen[market]
        if want is None or want.settings is None:
            step = _leave(market, have)
        else:
            step = _run(market, want, want.settings, have, conditions, now_ms)
        if isinstance(step, Start):
            if starting >= conditions.start_parallel:
                continue
            starting += 1
        if isinstance(step, Stop) and not step.fault and want is not None and _owned(have):
            if market in wanted and away >= conditions.max_unavailable:
                continue
            away += 1
        if step is not None:
            yield step


def _away(want: Desired, have: Observed, now_ms: int) -> bool:
    """Whether it shall quote and does not, for a while: what ``max_unavailable`` counts.

    One that FAILED, or that something hinders, waits for a person; one that warms up without an
    end has nothing to do with this rollout.
    """
    if want.failed or have.hindrance is not None:
        return False
    if not _owned(have):
        return True
    report = have.view.report if have.view is not None else None
    warming = report is not None and report.phase in _ON_ITS_WAY
    return warming and now_ms - (have.attempts.started_ms or 0) < WARM_MS


def _owned(have: Observed) -> bool:
    return have.process and have.view is not None and have.view.lease.owner == "agent"


def _run(
    market: str,
    want: Desired,
    settings: MarketSettings,
    have: Observed,
    conditions: Conditions,
    now_ms: int,
) -> Step | None:
    view = have.view
    step: Step | None = None
    if want.failed:
        step = Stop(market, "it failed") if have.process else None
    elif view is None or view.settings != settings or view.revision != want.revision:
        step = _adjust(market, want, settings, have)
    elif view.draining:
        step = _leave(market, have)  # its hours are back before it was gone: first it goes
    elif have.process:
        step = _watch(market, have, now_ms)
    elif conditions.link_up and not conditions.halted:
        step = _start(want, settings, view, have, now_ms)
    return step


def _start(
    want: Desired, settings: MarketSettings, view: MarketView, have: Observed, now_ms: int
) -> Step | None:
    """All is in place but the agent."""
    attempts, instrument = have.attempts, view.instrument
    if instrument is None or have.hindrance is not None:
        return None
    if attempts.spent(now_ms):
        return Fail(view.market, attempts.told(now_ms))
    if now_ms < attempts.due_ms():
        return None
    if have.leverage_revision != want.revision:
        return SetLeverage(
            market=view.market,
            revision=want.revision,
            asset_id=instrument.asset_id,
            leverage=settings.leverage,
            isolated=settings.isolated or instrument.isolated_only,
        )
    return Start(view.market)


def _adjust(market: str, want: Desired, settings: MarketSettings, have: Observed) -> Step:
    """The gateway holds other settings than these."""
    view = have.view
    if have.process and view is not None:
        if view.draining:
            return Stop(market, "desired again while it drained")
        if kind_of(view.settings, settings) in {"restart", "replace"}:
            return Stop(market, "the change needs a new process")
    return PutSettings(market, want.revision, settings)


def _watch(market: str, have: Observed, now_ms: int) -> Step | None:
    """A process that lives but holds no lease for too long is ended, and started anew."""
    if _owned(have):
        return None
    attempts = have.attempts
    since_ms = max(attempts.owned_ms or 0, attempts.started_ms or 0)
    patience_ms = SILENT_MS if attempts.owned_ms is None else LOST_MS
    if since_ms and now_ms - since_ms >= patience_ms:
        return Stop(market, f"it held no lease for {patience_ms // 1000} s", fault=True)
    return None


def _leave(market: str, have: Observed) -> Step | None:
    view = have.view
    if view is None:
        return Stop(market, "it left the manifest") if have.process else None
    if not view.draining:
        return Drain(market)
    if have.process:
        return None  # the agent ends by itself once flat, or at its deadline
    if view.open_orders or (view.care is not None and view.care.busy):
        return None  # the gateway still cancels, or its caretaker closes
    if view.position_sz and view.care is None:
        return None  # its caretaker takes the position up within a moment
    return Remove(market)
