"""How averse to risk at this moment: the base times factors that add up in log space, each capped.

    ln(rho) = ln(base) + clamp( sum of w_i * x_i, each within +-FACTOR_MAX ), the sum within SUM_MAX

Adding logarithms keeps a stack of alarms from multiplying out of hand; every factor is named and
kept, so that a quote can be explained, and one whose weight is 0 is not there at all.
"""

import math
from collections.abc import Callable, Iterator
from operator import attrgetter
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
    for name, weight_of, x_of in FACTORS:
        weight: float = weight_of(advanced)
        if weight:
            x = x_of(conditions, inventory_share, advanced)
            if x:
                yield name, _within(weight * x, FACTOR_MAX)


def _hot(conditions: Conditions, _share: float, advanced: AdvancedSettings) -> float:
    return float(conditions.hour is not None and conditions.hour in advanced.hours_avoided)


Weight = Callable[[AdvancedSettings], float]
X = Callable[[Conditions, float, AdvancedSettings], float]
FACTORS: Final[tuple[tuple[str, Weight, X], ...]] = (
    (
        "volatility",
        attrgetter("aversion_volatility"),
        lambda c, _, __: math.log(c.volatility_ratio),
    ),
    ("toxicity", attrgetter("aversion_toxicity"), lambda c, _, __: max(c.toxicity_share, 0.0)),
    ("inventory", attrgetter("aversion_inventory"), lambda _, share, __: share * share),
    ("regime", attrgetter("aversion_regime"), lambda c, _, __: REGIME[c.regime]),
    (
        "hawkes",
        attrgetter("aversion_hawkes"),
        lambda c, _, __: math.log(max(c.excitement_ratio, 1.0)),
    ),
    ("depth", attrgetter("aversion_depth"), lambda c, _, __: max(1.0 - c.depth_ratio, 0.0)),
    ("warm-up", attrgetter("aversion_warmup"), lambda c, _, __: 1.0 - c.warm_share),
    ("hour", attrgetter("aversion_hour"), _hot),
    ("season", attrgetter("aversion_season"), lambda c, _, __: math.log(c.season_ratio)),
)
"""Each factor by name: its weight among the settings, and what it is of this moment."""


def _within(value: float, bound: float) -> float:
    return min(max(value, -bound), bound)
