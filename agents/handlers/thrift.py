"""What scarce requests make of the tolerance: orders are replaced later, and fewer levels kept up.

Prices stay what the model wants: scarcity never widens a spread. What is too near to be worth its
fee is cancelled at once, whatever a request costs.
"""

import math
from typing import Final

import msgspec

from agents.estimators.estimates import Estimates
from agents.events import BudgetChanged
from agents.handlers.room import Room
from agents.market.instrument import Instrument
from agents.market.types import Side
from agents.market.units import BPS, bps_to_px, s_to_ns
from agents.orders.reconcile import Tolerance
from agents.orders.worth import (
    REPLACE_REQUESTS,
    drift_bps,
    near_bps,
    placing_usd,
    worth_placing,
)
from agents.risk.verdict import Allowance
from agents.settings import StrategySettings
from agents.state import EngineState
from agents.strategy.quoter import Quoting

FOREVER_NS: Final = 1 << 62


def thrifty(
    tolerance: Tolerance,
    budget: BudgetChanged | None,
    *,
    estimates: Estimates,
    quoting: Quoting,
    strategy: StrategySettings,
    instrument: Instrument,
    in_one_step: bool,
) -> Tolerance:
    """The tolerance under a price of requests; the same one where they are free. ``in_one_step``:
    an order is replaced at a single request.
    """
    if budget is None or budget.request_usd <= 0.0:
        return tolerance
    half_bps, kappa = quoting.half_spread.total_bps, estimates.kappa_per_bps
    notional_usd = float(quoting.clip_sz) * estimates.mid_px
    drift = drift_bps(
        price_usd=budget.request_usd,
        sigma_bps=estimates.sigma_bps,
        rate_per_s=estimates.fills_per_s * math.exp(-kappa * half_bps),
        kappa_per_bps=kappa,
        notional_usd=notional_usd,
        requests=1 if in_one_step else REPLACE_REQUESTS,
    )
    drift = min(drift, strategy.half_spread_max_bps)
    # Never nearer than what the price does while we react, and where a fill pays its fee: each USD
    # traded earns a request, which pays for a part of it.
    reach_bps = estimates.sigma_bps * math.sqrt(2.0 * strategy.latency_s)
    fee_bps = max(instrument.maker_fee_bps - budget.request_usd * BPS, 0.0)
    near = min(near_bps(drift, kappa), max(half_bps - fee_bps - reach_bps, 0.0))
    return msgspec.structs.replace(
        tolerance,
        passive_px=bps_to_px(drift, reference_px=estimates.fair_px),
        aggressive_px=bps_to_px(near, reference_px=estimates.fair_px),
        levels_max=min(
            math.ceil(strategy.levels * budget.levels_share),
            _levels_worth(budget.request_usd, drift, half_bps, notional_usd, estimates, strategy),
        ),
    )


def _levels_worth(
    price_usd: float,
    drift: float,
    half_bps: float,
    notional_usd: float,
    estimates: Estimates,
    strategy: StrategySettings,
) -> int:
    """As many levels as are expected to earn their placement before they are replaced."""
    if drift <= 0.0 or estimates.sigma_bps <= 0.0:
        return strategy.levels
    linear = strategy.level_spacing == "linear"
    values = [
        placing_usd(
            distance_bps=half_bps
            + (strategy.level_step_bps * at if linear
               else half_bps * (strategy.level_ratio**at - 1.0)),
            drift_bps=drift,
            sigma_bps=estimates.sigma_bps,
            fills_per_s=estimates.fills_per_s,
            kappa_per_bps=estimates.kappa_per_bps,
            notional_usd=notional_usd,
        )
        for at in range(strategy.levels)
    ]  # fmt: skip
    return worth_placing(values, price_usd)


def paced(state: EngineState, side: Side, room: Room, now_ns: int) -> bool:
    """Whether this side must wait for its next placement; one that only reduces never does."""
    budget = state.budget
    if budget is None or budget.pace_s <= 0.0 or room.allowance is Allowance.REDUCE:
        return False
    return state.throttle.paced(side, s_to_ns(budget.pace_s), now_ns)


def blocked(state: EngineState, side: Side, room: Room, now_ns: int) -> bool:
    """Whether this side may place nothing now: it was turned away, or placed too lately."""
    reduces = room.allowance is Allowance.REDUCE
    turned_away = state.throttle.blocked(side, now_ns, reduces=reduces)
    return turned_away or paced(state, side, room, now_ns)
