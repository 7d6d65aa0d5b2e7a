"""What the metrics are told of the engine; it reads what is believed and computes no belief."""

import math
from typing import Final

from agents.estimators.estimates import Beliefs
from agents.exchange.errors import from_text
from agents.handlers.facts import RESTS
from agents.market.types import Side
from agents.market.units import NS_PER_MS
from agents.orders.tracker import MADE_WAY
from agents.state import EngineState
from agents.telemetry.insight import Insight

SIDES: Final = ((Side.BID, "bid"), (Side.ASK, "ask"))
DIGITS: Final = 4


def insight(state: EngineState, now_ns: int) -> Insight:
    """Of this moment."""
    estimates = state.panel.estimates(now_ns)
    beliefs = None if estimates is None else estimates.beliefs
    tally = state.tracker.tally.copy()
    trade_age_ms = state.panel.trade_age_ms(now_ns)
    parts_bps, quote_age_ms = _parts_bps(state), _quote_age_ms(state, now_ns)
    if beliefs is None:
        return Insight(
            tally=tally,
            unknown=Beliefs.__struct_fields__,
            trade_age_ms=trade_age_ms,
            parts_bps=parts_bps,
            quote_age_ms=quote_age_ms,
        )
    medium, cascade, excitement = beliefs.medium, state.panel.cascade, beliefs.excitement
    return Insight(
        tally=tally,
        unknown=beliefs.unknown,
        jump_ratio=None if medium is None else medium.jump_ratio,
        regime=None if beliefs.regime is None else beliefs.regime.value,
        kappa_se_per_bps=_mean_se(beliefs.bid.kappa_se_per_bps, beliefs.ask.kappa_se_per_bps),
        fills_se_per_s=_mean_se(beliefs.bid.fills_se_per_s, beliefs.ask.fills_se_per_s),
        toxicity_share=beliefs.toxicity_share,
        cascade_share=None if cascade is None else cascade.severity_share,
        excitement_ratio=None if excitement is None else excitement.ratio,
        depth_usd=beliefs.depth_usd,
        trade_age_ms=trade_age_ms,
        parts_bps=parts_bps,
        quote_age_ms=quote_age_ms,
    )


def reason_of(refusal: str) -> str:
    """The venue's refusal of an order as one of the few reasons that there are."""
    name = type(from_text(refusal.removeprefix(MADE_WAY).lstrip(": "))).__name__
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def touch_share(state: EngineState) -> float:
    """On how much of the two sides our best order stands at the market's best price."""
    at_touch = 0
    for side, level in ((Side.BID, state.panel.bid), (Side.ASK, state.panel.ask)):
        if level is not None and any(
            order.state in RESTS and side.sign * (order.near_px - level.px) >= 0
            for order in state.tracker.side(side)
        ):
            at_touch += 1
    return at_touch / 2


def _mean_se(bid: float, ask: float) -> float | None:
    """Of the mean of two that are told apart; None: none was given."""
    return math.hypot(bid, ask) / 2 if bid and ask else None


def _parts_bps(state: EngineState) -> dict[str, dict[str, float]]:
    if state.pricing is None:
        return {}
    quoting = state.pricing.quoting
    return {
        name: {part: round(bps, DIGITS) for part, bps in half.parts().items() if bps}
        for name, half in (("bid", quoting.bid), ("ask", quoting.ask))
    }


def _quote_age_ms(state: EngineState, now_ns: int) -> dict[str, int]:
    ages: dict[str, int] = {}
    for side, name in SIDES:
        resting = [order for order in state.tracker.side(side) if order.state in RESTS]
        if resting:
            best = max(resting, key=lambda order: (side.sign * order.near_px, order.sent_ns))
            ages[name] = (now_ns - best.sent_ns) // NS_PER_MS
    return ages
