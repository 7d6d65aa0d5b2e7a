"""What agents say on the ``gw`` channel, and what happens when they fall silent."""

from decimal import Decimal
from typing import Final

from agents.events import LiveOrder
from agents.exchange.downstream import (
    LEASE_MS,
    PROTOCOL_VERSION,
    RENEW_MS,
    Acquire,
    AgentFrame,
    Continue,
    DirectiveFrame,
    FenceFrame,
    FenceMe,
    LeaseFrame,
    LeaseRefused,
    LimitsFrame,
    LinkFrame,
    OpenMe,
    OpenState,
    PositionsFrame,
    Release,
    RenewLease,
    Revoked,
)
from agents.risk.kill import worth_storing
from fleet.gateway.api import DirectiveRow
from fleet.gateway.core import cloids, handover, portfolio, requests, sweeps
from fleet.gateway.core.bookings import DAY_MS
from fleet.gateway.core.clearing import Target
from fleet.gateway.core.effects import Alert, Cut, Effect, KeepLeases, KeepMarket, Record, Watch
from fleet.gateway.core.lease import Holder
from fleet.gateway.core.orders import dex_of
from fleet.gateway.core.routing import Key, subscription_of
from fleet.gateway.core.state import Session, State, gw
from fleet.gateway.records import LeaseEnded, LeaseIssued, Refused

ACQUIRE_MS: Final = 1_000
_SEVERITY: Final = ("normal", "reduce_only", "halt")


def opened(state: State, session_id: int, now_ms: int) -> None:
    """A connection; its first frame is due within ``ACQUIRE_MS``."""
    state.sessions[session_id] = Session(id=session_id, opened_ms=now_ms)


def told(state: State, session: Session, frame: AgentFrame, now_ms: int) -> list[Effect]:
    """One frame of the ``gw`` channel."""
    match frame:
        case Acquire() | Continue():
            return _enter(state, session, frame, now_ms)
        case RenewLease():
            return _renew(state, session, frame, now_ms)
        case FenceMe():
            return _fence_me(state, session, frame, now_ms)
        case OpenMe():
            return _open_me(state, session, frame)
        case Release():
            if session.market is None or frame.generation != session.generation:
                return []
            return [
                *end_lease(state, session.market, f"released: {frame.reason}", now_ms),
                Cut(session=session.id),
            ]


# ── entering ─────────────────────────────────────────────────────────────────────────────────


def _enter(state: State, session: Session, frame: Acquire | Continue, now_ms: int) -> list[Effect]:
    refused = _why_not(state, session, frame)
    if refused is not None:
        state.refuse(refused.reason)
        return [*_logged(state, frame.market, refused), gw(session, refused), Cut(session.id)]
    market = frame.market
    effects: list[Effect] = []
    if isinstance(frame, Continue):
        holder = state.leases.resume(market, frame.generation, frame.process, session.id, now_ms)
        if holder is None:
            state.refuse("expired")
            late = LeaseRefused(reason="expired", text=f"the lease of {market} is gone")
            return [gw(session, late), Cut(session=session.id)]
    else:
        effects += end_lease(state, market, "superseded", now_ms)
        if not state.markets[market].flatten:
            effects += handover.end(state, market, now_ms)
        holder = state.leases.issue(market, frame.process, frame.pid, session.id, now_ms)
        state.sequences[market] = cloids.SequenceSet()
        effects += [
            KeepLeases(session=session.id),
            Record(body=LeaseIssued(market, holder.generation, frame.pid)),
        ]
    state.sequences.setdefault(market, cloids.SequenceSet())
    session.market, session.generation = market, holder.generation
    if not _ready(state):  # it continues: the lease follows when the venue is known
        session.awaits_link = True
        return [*effects, link_frame(state, session)]
    return [*effects, *give_lease(state, session, holder, now_ms), link_frame(state, session)]


def _logged(state: State, market: str, refused: LeaseRefused) -> list[Effect]:
    """Once a second for each market and reason; a name that is none of ours is not written down."""
    named = market if market in state.markets else ""
    if (named, refused.reason) in state.refusals_logged:
        return []
    state.refusals_logged.add((named, refused.reason))
    return [Record(body=Refused(named, 0, refused.reason))]


def give_lease(state: State, session: Session, holder: Holder, now_ms: int) -> list[Effect]:
    """The lease's frame, with the open state as of now."""
    assert session.market is not None
    session.awaits_link = False
    state.told_limits.pop(session.market, None)
    lease = _lease_frame(state, session.market, holder, now_ms)
    session.fills_since_ms = lease.state.fills_since_ms
    return [gw(session, lease), *portfolio.lease_frames(state, session, now_ms)]


def unkept(state: State, session_id: int, now_ms: int) -> list[Effect]:
    """A lease's generation did not reach the disk: it is not given."""
    session = state.sessions.get(session_id)
    if session is None or session.market is None:
        return []
    text = "leases.json can't be written: no new lease until it can"
    state.refuse("unready")
    return [
        gw(session, LeaseRefused(reason="unready", text=text)),
        *end_lease(state, session.market, "leases.json can't be written", now_ms),
    ]


def _ready(state: State) -> bool:
    return state.registry is not None and state.link.ever


def _why_not(state: State, session: Session, frame: Acquire | Continue) -> LeaseRefused | None:  # noqa: PLR0911  (one return a refusal)
    market = frame.market
    if frame.token != state.identity.token:
        return LeaseRefused(reason="bad_token", text="the fleet's token does not match")
    if frame.protocol != PROTOCOL_VERSION:
        return LeaseRefused(
            reason="build", text=f"protocol {frame.protocol}; the gateway speaks {PROTOCOL_VERSION}"
        )
    if session.market is not None:
        return LeaseRefused(reason="superseded", text="one connection holds one lease, once")
    if market not in state.markets:
        return LeaseRefused(reason="unknown_market", text=f"no settings for {market}")
    if not _ready(state):
        if isinstance(frame, Continue):
            return None
        return LeaseRefused(reason="unready", text="the account's state is not known yet")
    if isinstance(frame, Acquire) and state.unwritable:
        return LeaseRefused(reason="unready", text="; ".join(state.unwritable.values()))
    if state.instrument(market) is None:
        return LeaseRefused(reason="unknown_market", text=f"the venue does not list {market}")
    return None


def _lease_frame(state: State, market: str, holder: Holder, now_ms: int) -> LeaseFrame:
    row, instrument = state.markets[market], state.instrument(market)
    assert instrument is not None
    position = state.account.position(market)
    return LeaseFrame(
        generation=holder.generation,
        deadline_ms=holder.deadline_ms,
        lease_ms=LEASE_MS,
        renew_ms=RENEW_MS,
        revision=row.revision,
        settings=row.settings,
        limits=LimitsFrame(position_max_usd=limit_usd(state, market)),
        instrument=instrument,
        cloid_prefix=cloids.lease_prefix(
            state.digits, state.leases.number(market), holder.generation
        ),
        state=OpenState(
            as_of_ms=position.as_of_ms,
            position_sz=position.sz,
            entry_px=position.entry_px,
            open_orders=tuple(_own_orders(state, market, holder.generation)),
            fills_since_ms=position.as_of_ms,
        ),
        pnl_day_usd=state.bookings.pnl_day_usd(market, now_ms),
        directive=directive_frame(state, market),
        fenced=state.fence.closed(market),
        paused=row.paused,
        venue_offset_ms=state.clock.offset_ms,
        kept=row.kept,
        replaces=True,
    )


def _own_orders(state: State, market: str, generation: int) -> list[LiveOrder]:
    """Orders of this very lease; those of older ones are being cleared by the gateway."""
    found = []
    for row in state.account.open_orders(market):
        origin = state.ours(row.cloid)
        if origin is not None and origin.generation == generation:
            found.append(row)
    return found


# ── while it lasts ───────────────────────────────────────────────────────────────────────────


def _renew(state: State, session: Session, frame: RenewLease, now_ms: int) -> list[Effect]:
    market = session.market
    renewed = market is not None and state.leases.renew(
        market, frame.generation, now_ms, event_ns=frame.event_ns, revision=frame.revision
    )
    if market is None or not renewed:
        return [gw(session, Revoked(reason="the lease is over")), Cut(session=session.id)]
    row = state.markets.get(market)
    if row is not None:
        row.report, row.report_ms = frame.report, now_ms
        held_sz = state.account.position(market).sz
        state.drifts.believed(market, frame.report.position_sz, held_sz, now_ms)
        row.kept = frame.kept
        if worth_storing(row.stored, row.kept, now_ms - row.stored_ms):
            row.stored, row.stored_ms = row.kept, now_ms
            return [KeepMarket(market=market)]
    return []


def _fence_me(state: State, session: Session, frame: FenceMe, now_ms: int) -> list[Effect]:
    """An agent's own kill: nothing of its market may rest, until a person opens the fence, or, if
    its cause passes, the agent itself.
    """
    market = session.market
    if market is None or frame.generation != session.generation:
        return []
    cause = "agent_transient" if frame.transient else "agent"
    state.fence.close(market, cause, f"agent: {frame.reason}")
    if frame.flatten and not state.markets[market].flatten:
        state.markets[market].flatten = "operator"
    return [
        KeepMarket(market=market),
        Alert("critical", "kill", f"{market}: {frame.reason}", market),
        *fence_frames(state, market),
        *clear_fenced(state, market, now_ms),
    ]


def _open_me(state: State, session: Session, frame: OpenMe) -> list[Effect]:
    """The cause has passed; what a person must open stays shut."""
    market = session.market
    if market is None or frame.generation != session.generation:
        return []
    if not state.fence.open(market, "agent_transient"):
        return []
    text = f"{market}: the fence is open again: {frame.reason}"
    return [
        KeepMarket(market=market),
        Alert("info", "kill", text, market),
        *fence_frames(state, market),
    ]


def clear_fenced(state: State, market: str, now_ms: int) -> list[Effect]:
    """Cancel what adds risk in a fenced market whose lease is alive."""
    targets = [
        Target(market=market, cloid=order.cloid, oid=order.oid)
        for order in state.orders.resting(market)
        if not order.reduce_only
    ]
    return list(requests.sweep(state, targets, None, now_ms))


# ── the end ──────────────────────────────────────────────────────────────────────────────────


def closed(state: State, session_id: int, now_ms: int) -> list[Effect]:
    """The socket is closed: expiry at once."""
    session = state.sessions.pop(session_id, None)
    effects = unwatch(state.routing.forget(session_id))
    state.questions.forget(session_id)
    if session is None or session.market is None:
        return effects
    held = state.leases.holders.get(session.market)
    if held is not None and held.session == session_id:
        effects += end_lease(state, session.market, "connection closed", now_ms)
    return effects


def end_lease(state: State, market: str, reason: str, now_ms: int) -> list[Effect]:
    """Revoke, and clear what the lease left behind. Nothing happens where there is no lease."""
    session = state.session_of(market)
    held = state.leases.end(market, now_ms)
    if held is None:
        return []
    effects: list[Effect] = [
        KeepLeases(),
        Record(body=LeaseEnded(market, held.generation, reason)),
        *sweeps.start(state, market, now_ms),
    ]
    if session is not None:
        effects += [gw(session, Revoked(reason=reason)), Cut(session=session.id)]
    row = state.markets.get(market)
    if row is not None:
        row.report = None
    state.drifts.left(market, now_ms)
    return effects


def unwatch(keys: list[Key]) -> list[Effect]:
    return [Watch(subscription=subscription_of(key), on=False) for key in keys]


# ── frames that several handlers send ────────────────────────────────────────────────────────


def limit_usd(state: State, market: str) -> float:
    """The least of all limits on the position."""
    own = state.markets[market].settings.risk.position_max_usd
    return min(own, state.limits.position_max_usd.get(market, own))


def directive_frame(state: State, market: str) -> DirectiveFrame | None:
    """The market's part of the last round; the fleet's own state where it has none."""
    put = state.directives
    if put is None:
        return None
    row = put.directives.get(market) or DirectiveRow(put.state, put.reason)
    books = state.books.get(dex_of(market))
    if books is not None and _SEVERITY.index(books.mode) > _SEVERITY.index(row.mode):
        row = books
    return DirectiveFrame(seq=put.seq, as_of_ms=put.as_of_ms, mode=row.mode, reason=row.reason)


def fence_frames(state: State, market: str) -> list[Effect]:
    session = state.session_of(market)
    if session is None:
        return []
    frame = FenceFrame(closed=state.fence.closed(market), reason=state.fence.reason(market))
    return [gw(session, frame)]


def link_frame(state: State, session: Session, word: str | None = None) -> Effect:
    """The link's state; ``word`` names a change (``recovered``)."""
    session.link_seq += 1
    gap = state.feeds.gaps.get(session.market or "")
    told = "recovered" if word == "recovered" else state.link.state
    frame = LinkFrame(
        seq=session.link_seq,
        state="gap" if gap else told,
        since_ms=gap[0] if gap else state.link.since_ms,
        venue_offset_ms=state.clock.offset_ms,
        feed=gap is not None,
    )
    return gw(session, frame)


def positions_frames(state: State, dex: str, now_ms: int) -> list[Effect]:
    """The venue's own position, to each agent of a DEX; as of the frame, fills since left out.

    The day's cash is as of now: every fill in it was told to the agent before.
    """
    held = state.account.dexes.get(dex)
    if held is None:
        return []
    effects: list[Effect] = []
    for session in state.sessions.values():
        market = session.market
        if market is None or dex_of(market) != dex:
            continue
        row = held.positions.get(market)
        frame = PositionsFrame(
            as_of_ms=held.as_of_ms,
            positions={market: row.sz if row else Decimal(0)},
            entry_px=row.entry_px if row else None,
            liquidation_px=float(row.liquidation_px) if row and row.liquidation_px else None,
            day=now_ms // DAY_MS,
            cash_day_usd=state.bookings.pnl_day_usd(market, now_ms),
        )
        effects.append(gw(session, frame))
    return effects
