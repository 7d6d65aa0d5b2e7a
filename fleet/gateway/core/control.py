"""What operators, supervisor and risk tell the gateway: settings, directives, pause, halt."""

from typing import Final

from agents.exchange.downstream import DrainFrame, LimitsFrame, PauseFrame, SettingsFrame
from agents.exchange.wire import OrderAction
from agents.market.units import MS_PER_S
from agents.risk.kill import lifted
from agents.settings import RiskSettings
from fleet.gateway.api import (
    ApiError,
    CapsPut,
    DirectivesPut,
    HaltMarket,
    HaltProof,
    HaltReport,
    HaltRequest,
    LatchView,
    MarketPut,
)
from fleet.gateway.core import (
    agents,
    capping,
    care,
    door,
    handover,
    portfolio,
    posts,
    requests,
    sweeps,
)
from fleet.gateway.core.clearing import PROOF_INTERVAL_MS, Clearing, Target
from fleet.gateway.core.cloids import STOP
from fleet.gateway.core.cloids import parse as parse_cloid
from fleet.gateway.core.effects import (
    Alert,
    Effect,
    KeepCaps,
    KeepLeases,
    KeepMarket,
    Record,
    Watch,
    WriteLatch,
)
from fleet.gateway.core.flat_proof import FlatProof
from fleet.gateway.core.orders import dex_of
from fleet.gateway.core.routing import Key, subscription_of
from fleet.gateway.core.state import FLEET, MarketRow, State, gw
from fleet.gateway.records import LatchLifted, LatchSet

OWN_CHANNELS: Final = ("bbo", "activeAssetCtx")


class Wrong(Exception):
    """A request that can't be carried out; ``error`` is the API's."""

    def __init__(self, error: ApiError, status: int = 409) -> None:
        super().__init__(error.text)
        self.error = error
        self.status = status


def put_market(state: State, market: str, put: MarketPut) -> list[Effect]:
    """New settings, in force from now on; a raised limit needs authority.

    ``Wrong``: the name and the settings disagree, or the limit would rise without authority.
    """
    if put.settings.market != market:
        raise Wrong(ApiError("bad_request", 3, f"settings of {put.settings.market}", where=market))
    instrument = state.instrument(market)
    if state.registry is not None and (instrument is None or instrument.delisted):
        text = f"the venue lists no market {market}"
        raise Wrong(ApiError("unknown_market", 3, text, "see `fleet markets`", market), 404)
    wanted_usd = put.settings.risk.position_max_usd
    known = state.markets.get(market)
    raised = _raised(state, market, known, put.settings.risk)
    if raised is not None and not put.authorised:
        mend = "apply with --allow risk-increase"
        raise Wrong(ApiError("unauthorised_raise", 3, f"{market}: {raised}", mend, market))
    state.limits.put(market, wanted_usd, authorised=put.authorised)
    effects: list[Effect] = []
    if known is None:
        state.markets[market] = MarketRow(settings=put.settings, revision=put.revision)
        state.leases.number(market)
        effects += [KeepLeases(), *watch_own(state, market)]
    else:
        if put.revision > known.revision:
            known.draining_ms = None
        known.settings, known.revision = put.settings, put.revision
    effects.append(KeepMarket(market=market))
    session = state.session_of(market)
    if session is not None:
        limit_usd = agents.limit_usd(state, market)
        state.told_limits.pop(market, None)
        effects += [
            gw(session, LimitsFrame(position_max_usd=limit_usd)),
            gw(session, SettingsFrame(revision=put.revision, settings=put.settings)),
        ]
    return effects


def _raised(state: State, market: str, known: MarketRow | None, wanted: RiskSettings) -> str | None:
    """Which of a market's limits at the door would rise, for people; None: none."""
    if state.limits.raises(market, wanted.position_max_usd):
        held_usd = state.limits.position_max_usd[market]
        return f"position_max_usd would rise from {held_usd:g} to {wanted.position_max_usd:g}"
    if known is None:
        return None
    held = known.settings.risk
    if wanted.collar_bps > held.collar_bps:
        return f"collar_bps would rise from {held.collar_bps:g} to {wanted.collar_bps:g}"
    was_usd = held.order_value_max_usd or held.position_max_usd
    is_usd = wanted.order_value_max_usd or wanted.position_max_usd
    if is_usd > was_usd:
        return f"order_value_max_usd would rise from {was_usd:g} to {is_usd:g}"
    return None


def put_caps(state: State, put: CapsPut) -> list[Effect]:
    """The fleet's caps from now on. ``Wrong`` if one would rise without authority.

    What rests beyond a lowered cap is cancelled within a second; nothing new passes from now on.
    """
    raised = capping.raises(state.caps, put.caps)
    if raised is not None and not put.authorised:
        mend = "apply with --allow risk-increase"
        raise Wrong(ApiError("unauthorised_raise", 3, f"the fleet's {raised}", mend))
    state.caps = put.caps
    capping.renew(state)
    return [KeepCaps()]


def watch_own(state: State, market: str) -> list[Effect]:
    """Touch and mark of every market are watched by the gateway itself."""
    keys: list[Key] = [(channel, market, False) for channel in OWN_CHANNELS]
    return [Watch(subscription=subscription_of(key)) for key in keys if state.routing.own(key)]


def delete_market(state: State, market: str) -> list[Effect]:
    """Forget a market. ``Wrong`` while an agent holds it, something of ours rests in it, or the
    caretaker has something to do there. A position that was to be held stays at the venue.
    """
    known(state, market)
    if state.leases.holders.get(market) is not None:
        text = f"an agent holds {market}"
        raise Wrong(ApiError("lease_held", 1, text, "revoke its lease first", market))
    ours = [
        row
        for row in state.account.open_orders(market)
        if (origin := state.ours(row.cloid)) and origin.generation != STOP
    ]
    if ours or any(order.generation != STOP for order in state.orders.resting(market)):
        raise Wrong(
            ApiError("orders_rest", 1, f"orders of {market} still rest", "try again", market)
        )
    if care.busy(state, market):
        waits = state.cares[market].waits if market in state.cares else "it looks at it next"
        text = f"the caretaker is closing {market}: {waits}"
        raise Wrong(ApiError("caretaker_at_work", 1, text, "try again", market))
    effects: list[Effect] = []
    position_sz = state.account.position(market).sz
    if position_sz:
        text = f"{market} left the fleet with a position of {position_sz:f}: it is yours now"
        effects.append(Alert("warning", "orphan", text, market))
    state.cares.pop(market, None)
    state.leases.end_care(market)
    del state.markets[market]
    state.gamma_rows.pop(market, None)
    state.limits.drop(market)
    state.paces.pop(market, None)
    state.feeds.forget(market)
    state.drifts.forget(market)
    keys: list[Key] = [(channel, market, False) for channel in OWN_CHANNELS]
    gone = [key for key in keys if state.routing.disown(key)]
    return [*effects, KeepMarket(market=market, gone=True), *agents.unwatch(gone)]


def known(state: State, market: str) -> MarketRow:
    """The market's row, or ``Wrong``."""
    row = state.markets.get(market)
    if row is None:
        raise Wrong(ApiError("unknown_market", 3, f"no market {market} here", where=market), 404)
    return row


def act(state: State, market: str, verb: str, now_ms: int) -> list[Effect]:
    """``pause``, ``unpause``, ``drain``, ``flatten``, ``revoke``, ``adopt``; each may be repeated.

    ``flatten`` pauses the market too, or its agent would take the position on again.
    """
    row = known(state, market)
    session = state.session_of(market)
    effects: list[Effect] = [KeepMarket(market=market)]
    match verb:
        case "pause" | "unpause":
            effects += _pause(state, market, row, paused=verb == "pause")
            if not row.paused:
                row.flatten = ""
                effects += _open_fence(state, market)
        case "flatten":
            row.flatten = row.flatten or "operator"
            effects += _pause(state, market, row, paused=True)
        case "drain":
            if row.draining_ms is None:
                row.draining_ms = now_ms + round(row.settings.drain.passive_s * MS_PER_S)
            if session is not None:
                effects.append(gw(session, DrainFrame(deadline_ms=row.draining_ms)))
        case "revoke":
            effects += agents.end_lease(state, market, "revoked", now_ms)
        case "adopt":
            effects += _without_foreign(state, market, now_ms)
        case _:
            raise Wrong(ApiError("unknown_verb", 3, f"no verb {verb!r}", where=market), 404)
    return effects


def _without_foreign(state: State, market: str, now_ms: int) -> list[Effect]:
    """Cancel what no fleet placed in a market: from now on the fleet alone quotes there."""
    targets = [
        Target(market=market, cloid=None, oid=row.oid)
        for row in state.account.open_orders(market)
        if parse_cloid(row.cloid) is None
    ]
    return list(requests.sweep(state, targets, None, now_ms))


def _pause(state: State, market: str, row: MarketRow, *, paused: bool) -> list[Effect]:
    row.paused = paused
    session = state.session_of(market)
    return [gw(session, PauseFrame(paused=paused))] if session is not None else []


def put_directives(state: State, put: DirectivesPut) -> list[Effect]:
    """One round of the risk actor; an older one than the last is passed over."""
    last = state.directives
    if last is not None and put.as_of_ms < last.as_of_ms:
        return []
    state.directives = put
    effects = portfolio.take_rows(state, put.gamma_rows)
    for session in state.sessions.values():
        if session.market is None:
            continue
        frame = agents.directive_frame(state, session.market)
        if frame is not None:
            effects.append(gw(session, frame, slot="directive"))
    return effects + portfolio.holdings_frames(state, put.as_of_ms)


# ── halt ─────────────────────────────────────────────────────────────────────────────────────


class Halt:
    """One halt asked for: the latch first, then the door tried, then the proof."""

    def __init__(self, request: HaltRequest, now_ms: int) -> None:
        self.request = request
        self.started_ms = now_ms
        self.first_refusal_ms: int | None = None

    def begin(self, state: State, now_ms: int) -> list[Effect]:
        """Latch, shut every fence, begin to clear."""
        return [*self.latch(state, now_ms), *self.clear(state, now_ms)]

    def latch(self, state: State, now_ms: int) -> list[Effect]:
        """From here on the door refuses."""
        latch = LatchView(reason=self.request.reason, by=self.request.by, at_ms=now_ms)
        if state.fence.latch is not None:
            return []
        state.fence.set_latch(latch)
        return [WriteLatch(latch=latch), Record(body=LatchSet(latch.reason, latch.by))]

    def try_door(self, state: State, now_ms: int) -> None:
        """Knock at every market's door with a placement: all refuse, and since when."""
        nothing = OrderAction(orders=(), grouping="na")
        for market, row in state.markets.items():
            instrument = state.instrument(market)
            if instrument is None:
                continue
            knocked = posts.door_of(state, market, 1, instrument, row, now_ms)
            if not isinstance(door.check(nothing, knocked), door.Refused) or not knocked.latched:
                return
        if self.first_refusal_ms is None and state.fence.latch is not None:
            self.first_refusal_ms = max(now_ms - self.started_ms, 0)

    def clear(self, state: State, now_ms: int) -> list[Effect]:
        """Tell everybody, cancel, prove; then close positions if that is wanted."""
        reason = f"halt by {self.request.by}: {self.request.reason}"
        effects: list[Effect] = handover.end_all(state)
        sweeps.start_fleet(state, now_ms, foreign=self.request.all)
        effects += sweeps.step(state, FLEET, now_ms)
        for market in state.markets:
            effects += agents.fence_frames(state, market)
        effects.append(Alert("critical", "halt", reason))
        state.flat_proof = None
        if self.request.flatten:
            ours = state.markets.keys() | state.leases.rows.keys()
            state.flat_proof = FlatProof(sorted({dex_of(market) for market in ours}))
            for market, row in state.markets.items():
                row.flatten = "halt"
                effects.append(KeepMarket(market=market))
        return effects

    def done(self, state: State) -> bool:
        """Whether all that was asked for is proven."""
        clearing = state.clearings.get(FLEET)
        if clearing is None or not clearing.done:
            return clearing is None
        proof = state.flat_proof
        return not self.request.flatten or (proof is not None and proof.proven)

    def report(self, state: State) -> HaltReport:
        """The contract's JSON, as of now."""
        clearing = state.clearings.get(FLEET)
        latch = state.fence.latch
        return HaltReport(
            halted=latch is not None,
            reason=latch.reason if latch else self.request.reason,
            flat_of_orders=(clearing is not None and clearing.done and not state.orders.unresolved),
            foreign_orders=state.foreign_orders(),
            proof=HaltProof(
                in_flight_unresolved=len(state.orders.unresolved),
                voided=clearing.voided if clearing else 0,
                snapshots=clearing.clean if clearing else 0,
                interval_ms=PROOF_INTERVAL_MS,
            ),
            first_refusal_ms=self.first_refusal_ms,
            cleared_ms=self._since(clearing.cleared_ms if clearing else None),
            proven_ms=self._since(clearing.proven_ms if clearing else None),
            flat_of_positions=(
                state.flat_proof is not None and state.flat_proof.proven
                if self.request.flatten
                else None
            ),
            markets=_halt_markets(state, clearing),
        )

    def _since(self, at_ms: int | None) -> int | None:
        return at_ms - self.started_ms if at_ms is not None else None


def _halt_markets(state: State, clearing: Clearing | None) -> tuple[HaltMarket, ...]:
    cancelled = clearing.cancelled if clearing else {}
    return tuple(
        HaltMarket(
            market=market,
            orders_cancelled=len(cancelled.get(market, ())),
            position_sz=float(state.account.position(market).sz),
        )
        for market in sorted(state.markets.keys() | cancelled.keys())
    )


def resume(state: State, reason: str, by: str, now_ms: int) -> list[Effect]:
    """Lift the latch and open every market's fence, but for a cause that stands.

    ``Wrong`` while the halt is being proven.
    """
    effects: list[Effect] = []
    if state.fence.latch is not None:
        running = state.clearings.get(FLEET)
        if running is not None and not running.done:
            text = "the halt is still being carried out"
            raise Wrong(ApiError("halting", 5, text, "wait for `fleet halt` to end"))
        state.fence.lift_latch()
        state.clearings.pop(FLEET, None)
        state.flat_proof = None
        effects += [WriteLatch(latch=None), Record(body=LatchLifted(reason, by))]
        effects.append(Alert("info", "halt", f"lifted by {by}: {reason}"))
    for market, row in state.markets.items():
        if row.flatten and (row.flatten == "halt" or not row.paused):  # of a halt, or of a kill
            row.flatten = ""
            effects.append(KeepMarket(market=market))
        row.kept = lifted(row.kept, now_ms)  # whoever makes it next begins small, too
        effects += _open_fence(state, market)
    return effects


def _open_fence(state: State, market: str) -> list[Effect]:
    """All causes but another fleet's orders while they rest."""
    standing = {"second_controller"} if state.strangers else set()
    causes = [cause for cause in state.fence.causes(market) if cause not in standing]
    opened = [cause for cause in causes if state.fence.open(market, cause)]
    keep: list[Effect] = [KeepMarket(market=market)] if opened else []
    return keep + agents.fence_frames(state, market)
