"""Risk aversion's factors: each named, capped, added in log space; each one changes the quotes."""

import math
from typing import Any

import msgspec
import pytest

from agents.settings import AdvancedSettings
from agents.strategy.aversion import FACTOR_MAX, SUM_MAX, aversion
from agents.strategy.conditions import CALM, Conditions

TRIALS: list[tuple[str, dict[str, float], Conditions, float]] = [
    ("volatility", {"aversion_volatility": 1.0}, Conditions(volatility_ratio=2.0), 0.0),
    ("toxicity", {"aversion_toxicity": 1.0}, Conditions(toxicity_share=0.5), 0.0),
    ("inventory", {"aversion_inventory": 1.0}, CALM, 0.8),
    ("regime", {"aversion_regime": 1.0}, Conditions(regime="high"), 0.0),
    ("hawkes", {"aversion_hawkes": 1.0}, Conditions(excitement_ratio=2.0), 0.0),
    ("depth", {"aversion_depth": 1.0}, Conditions(depth_ratio=0.4), 0.0),
    ("warm-up", {"aversion_warmup": 0.1}, Conditions(warm_share=0.0), 0.0),
    ("hour", {"aversion_hour": 0.7}, Conditions(hour=14), 0.0),
    ("season", {"aversion_season": 1.0}, Conditions(season_ratio=1.5), 0.0),
]


def _settings(**changed: Any) -> AdvancedSettings:
    return msgspec.structs.replace(AdvancedSettings(), **changed)


@pytest.mark.parametrize(("name", "on", "conditions", "held"), TRIALS, ids=[t[0] for t in TRIALS])
def test_each_factor_raises_it_by_name_and_only_where_weighed(
    name: str, on: dict[str, float], conditions: Conditions, held: float
) -> None:
    off = aversion(0.3, conditions=conditions, inventory_share=held, advanced=_settings())
    assert off.rho == 0.3
    assert off.factors == ()
    found = aversion(0.3, conditions=conditions, inventory_share=held, advanced=_settings(**on))
    assert [factor for factor, _ in found.factors] == [name]
    assert found.rho == pytest.approx(0.3 * math.exp(found.factors[0][1]))
    assert found.rho > 0.3


def test_incident_35_factors_are_capped_one_by_one_and_together() -> None:
    wild = Conditions(
        volatility_ratio=1e6, toxicity_share=1.0, regime="extreme", excitement_ratio=1e6, hour=7
    )
    heavy = _settings(
        aversion_volatility=50.0,
        aversion_toxicity=50.0,
        aversion_regime=50.0,
        aversion_hawkes=50.0,
        aversion_hour=50.0,
    )
    found = aversion(0.3, conditions=wild, inventory_share=1.0, advanced=heavy)
    assert all(abs(log) <= FACTOR_MAX for _, log in found.factors)
    assert found.rho == pytest.approx(0.3 * math.exp(SUM_MAX))


def test_calm_beyond_the_usual_lowers_it() -> None:
    found = aversion(
        0.3,
        conditions=Conditions(volatility_ratio=0.5, regime="low"),
        inventory_share=0.0,
        advanced=_settings(aversion_volatility=1.0, aversion_regime=1.0),
    )
    assert found.rho < 0.3
