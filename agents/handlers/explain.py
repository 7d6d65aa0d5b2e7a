"""Why this quote: the last decision term by term, so that each side's distance adds up.

    first level = half-spread (sum of its parts) + inventory + cross + patience + presence + grid

It reads what the decision kept and computes nothing anew, so asking changes nothing.
"""

from decimal import Decimal
from typing import Final

import msgspec

from agents.commands import Worst
from agents.estimators.estimates import Estimates
from agents.handlers.report import RESTS, idle_reason, worst_of
from agents.handlers.verdicts import phase
from agents.market.types import Side
from agents.market.units import BPS, NS_PER_MS
from agents.risk.verdict import Mode
from agents.state import EngineState, Pricing
from agents.strategy.floors import binding

SIDES: Final = (Side.BID, Side.ASK)


class Market(msgspec.Struct, frozen=True):
    """What was believed: prices, sigma in bps/sqrt(s), and A (1/s) and kappa (1/bps) by side."""

    mid_px: float
    fair_px: float
    sigma_bps: float
    sigma_known: bool
    fills_per_s: dict[str, float]
    kappa_per_bps: dict[str, float]


class Aversion(msgspec.Struct, frozen=True):
    """``rho`` = base * exp of the sum of the factors, which are logarithms."""

    base: float
    factors: dict[str, float]
    rho: float


class Skew(msgspec.Struct, frozen=True):
    """What a clip held moves both sides by, and the clips held. ``exact``: the finite-inventory
    solution is in force. ``cross``: on, shadow (looked at, not in force) or off (no row, or no
    holdings, young enough); ``cross_clips``: positions in other markets as if held here;
    ``cross_bps``: what they move both sides by; ``own_share``: of the market's own skew, what is
    left to it in the portfolio.
    """

    own_bps: float
    cross_bps: float
    inventory_clips: float
    clip_sz: Decimal
    exact: bool
    cross: str
    cross_clips: float
    own_share: float


class Order(msgspec.Struct, frozen=True):
    px: Decimal
    sz: Decimal


class SideWhy(msgspec.Struct, frozen=True):
    """One side, in bps from the centre. The parts add up to ``half_spread_bps``; with inventory,
    cross (positions in other markets), patience (a small position's reducing side keeps its edge),
    presence (so near that it counts as quoting) and grid (least edge, post-only, tick) that is
    ``first_bps``: where the first level is.
    None: nothing is wanted. ``floors`` by name; ``floor`` the one that lifted it.
    """

    parts_bps: dict[str, float]
    half_spread_bps: float
    floor: str | None
    floors_bps: dict[str, float]
    floor_highest: str
    inventory_bps: float
    cross_bps: float
    patience_bps: float
    presence_bps: float
    grid_bps: float | None
    first_bps: float | None
    room_sz: Decimal
    reduce_only: bool
    wanted: tuple[Order, ...]


class Explanation(msgspec.Struct, frozen=True):
    """``gates``: what forbids or bounds quoting; ``found``: the worst that the monitors find, with
    their numbers; ``widen_bps``: how far they want what adds to stand back; ``ramp_share``: of the
    limits, what sizes may use. ``priced_ago_ms``: the age of the pricing.
    ``bid``, ``ask`` None: not priced, as the gates say. ``resting``: what stands by now.
    """

    market: str
    phase: str
    mode: str
    gates: tuple[str, ...]
    found: tuple[Worst, ...]
    widen_bps: float
    ramp_share: float
    priced_ago_ms: int | None
    believed: Market | None
    drift_bps: float | None
    centre_px: float | None
    aversion: Aversion | None
    skew: Skew | None
    tight: bool
    bid: SideWhy | None
    ask: SideWhy | None
    resting: dict[str, tuple[Order, ...]]


def explain(state: EngineState, now_ns: int) -> Explanation:
    """The last decision, and the gates of this moment."""
    pricing = state.pricing
    quoting = None if pricing is None else pricing.quoting
    verdict = state.verdict
    gates = verdict.reasons if verdict.mode > Mode.WIDEN else ()
    idle = idle_reason(state)
    if idle is not None:
        gates = (*gates, idle)
    if pricing is None and not gates:
        gates = ("no price to quote from: the book is not two-sided, or the link is down",)
    averse = None if quoting is None else quoting.aversion
    cross = None if pricing is None else pricing.cross
    return Explanation(
        market=str(state.settings.market),
        phase=phase(state),
        mode=state.verdict.mode.words,
        gates=gates,
        found=tuple(worst_of(finding) for finding in verdict.found),
        widen_bps=verdict.widen_bps,
        ramp_share=state.ramp_share,
        priced_ago_ms=None if pricing is None else (now_ns - pricing.at_ns) // NS_PER_MS,
        believed=None if state.believed is None else _believed(state.believed),
        drift_bps=None if quoting is None else quoting.drift_bps,
        centre_px=None if quoting is None else quoting.centre_px,
        aversion=None
        if averse is None
        else Aversion(
            base=state.settings.strategy.risk_aversion, factors=dict(averse.factors), rho=averse.rho
        ),
        skew=None
        if quoting is None
        else Skew(
            own_bps=quoting.skew_bps,
            cross_bps=quoting.cross_bps,
            inventory_clips=quoting.inventory_clips,
            clip_sz=quoting.clip_sz,
            exact=quoting.exact,
            cross=_cross_mode(state),
            cross_clips=0.0 if cross is None else cross.clips,
            own_share=1.0 if cross is None else cross.own_share,
        ),
        tight=quoting is not None and quoting.tight,
        bid=None if pricing is None else _side(pricing, Side.BID),
        ask=None if pricing is None else _side(pricing, Side.ASK),
        resting={side.name.lower(): _resting(state, side) for side in SIDES},
    )


def _cross_mode(state: EngineState) -> str:
    row, pricing = state.gamma_row, state.pricing
    if row is None or pricing is None or pricing.cross is None:
        return "off"
    return "on" if row.in_force else "shadow"


def _believed(estimates: Estimates) -> Market:
    beliefs = estimates.beliefs
    by_side = {
        side.name.lower(): (estimates.fills_per_s, estimates.kappa_per_bps)
        if beliefs is None
        else (beliefs.intensity(side).fills_per_s, beliefs.intensity(side).kappa_per_bps)
        for side in SIDES
    }
    return Market(
        mid_px=estimates.mid_px,
        fair_px=estimates.fair_px,
        sigma_bps=estimates.sigma_bps,
        sigma_known=estimates.sigma_known,
        fills_per_s={side: rate for side, (rate, _) in by_side.items()},
        kappa_per_bps={side: kappa for side, (_, kappa) in by_side.items()},
    )


def _side(pricing: Pricing, side: Side) -> SideWhy:
    quoting, at = pricing.quoting, SIDES.index(side)
    half, room, quotes = (
        (quoting.bid, pricing.bid, quoting.bids)
        if side is Side.BID
        else (quoting.ask, pricing.ask, quoting.asks)
    )
    inventory_bps, patience_bps = quoting.shift_bps[at], quoting.patience_bps[at]
    cross_bps = quoting.crossed_bps[at]
    wanted_bps = quoting.first_bps[at]
    first_bps = None
    if quotes:
        first_bps = side.sign * (1.0 - float(quotes[0].px) / quoting.centre_px) * BPS
    candidates = quoting.floors[at]
    return SideWhy(
        parts_bps=half.parts(),
        half_spread_bps=half.total_bps,
        floor=half.floor_name or None,
        floors_bps={floor.name: floor.bps for floor in candidates},
        floor_highest=binding(candidates).name,
        inventory_bps=inventory_bps,
        cross_bps=cross_bps,
        patience_bps=patience_bps,
        presence_bps=wanted_bps - (half.total_bps + inventory_bps + cross_bps + patience_bps),
        grid_bps=None if first_bps is None else first_bps - wanted_bps,
        first_bps=first_bps,
        room_sz=room.room_sz,
        reduce_only=room.reduce_only,
        wanted=tuple(Order(px=quote.px, sz=quote.sz) for quote in quotes),
    )


def _resting(state: EngineState, side: Side) -> tuple[Order, ...]:
    """Best first."""
    found = [
        Order(px=order.px, sz=order.remaining_sz)
        for order in state.tracker.side(side)
        if order.state in RESTS
    ]
    return tuple(sorted(found, key=lambda order: -side.sign * order.px))
