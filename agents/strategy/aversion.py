"""How averse to risk at this moment: the base times factors that add up in log space, each capped.

    ln(rho) = ln(base) + clamp( sum of w_i * x_i, each within +-FACTOR_MAX ), the sum within SUM_MAX

Adding logarithms keeps a stack of alarms from multiplying out of hand; every factor is named and
kept, so that a quote can be explained, and one whose weight is 0 is not there at all.
"""

import math
from collections.abc import Iterator
from typing import Final

import msgspec

from agents.settings import AdvancedSettings
from agents.strategy.conditions import Conditions

FACTOR_MAX: Final = math.log(3.0)
SUM_MAX: Final = math.log(12.0)
REGIME: Final = {"low": -0.25, "normal": 0.0, "high": 0.5, "extreme": 1.0}


class Aversion(msgspec.Struct, frozen=True, gc=False):
    """``rho`` = base * exp(sum of ``factors``), the sum cut at ``SUM_MAX``; factors are logs."""

    rho: float
    factors: tuple[tuple[str, float], ...] = ()


def aversion(
    base: float, *, conditions: Conditions, inventory_share: float, advanced: AdvancedSettings
) -> Aversion:
    """The risk aversion for this moment; ``inventory_share`` of the limit, unsigned."""
    factors = tuple(_factors(conditions, inventory_share, advanced))
    if not factors:
        return Aversion(rho=base)
    total = sum(log for _, log in factors)
    return Aversion(rho=base * math.exp(_within(total, SUM_MAX)), factors=factors)


def _factors(
    conditions: Conditions, inventory_share: float, advanced: AdvancedSettings
) -> Iterator[tuple[str, float]]:
    hot_hour = conditions.hour is not None and conditions.hour in advanced.hours_avoided
    thin = max(1.0 - conditions.depth_ratio, 0.0)
    for name, weight, x in (
        ("volatility", advanced.aversion_volatility, math.log(conditions.volatility_ratio)),
        ("toxicity", advanced.aversion_toxicity, max(conditions.toxicity_share, 0.0)),
        ("inventory", advanced.aversion_inventory, inventory_share**2),
        ("regime", advanced.aversion_regime, REGIME[conditions.regime]),
        ("hawkes", advanced.aversion_hawkes, math.log(max(conditions.excitement_ratio, 1.0))),
        ("depth", advanced.aversion_depth, thin),
        ("warm-up", advanced.aversion_warmup, 1.0 - conditions.warm_share),
        ("hour", advanced.aversion_hour, 1.0 if hot_hour else 0.0),
        ("season", advanced.aversion_season, math.log(conditions.season_ratio)),
    ):
        if weight and x:
            yield name, _within(weight * x, FACTOR_MAX)


def _within(value: float, bound: float) -> float:
    return min(max(value, -bound), bound)
