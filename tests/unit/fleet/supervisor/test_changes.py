"""How strongly a change of settings reaches a market."""

import msgspec
import pytest

from agents.settings import DrainSettings, RiskSettings, StrategySettings
from fleet.supervisor.changes import changes, kind_of
from tests.unit.fleet.views import settings


@pytest.mark.parametrize(
    ("leaf", "changed", "kind"),
    [
        ("margin_usd", {"margin_usd": 9.0}, "hot"),
        ("risk.data_age_max_s", {"risk": RiskSettings(3_000.0, 50.0, data_age_max_s=1.0)}, "hot"),
        ("drain.then", {"drain": DrainSettings(then="flatten")}, "hot"),
        ("strategy.levels", {"strategy": StrategySettings(levels=2)}, "requote"),
        ("strategy.warmup_s", {"strategy": StrategySettings(warmup_s=1.0)}, "restart"),
        ("leverage", {"leverage": 5}, "restart"),
    ],
)
def test_the_class_of_a_change_is_its_leafs(
    leaf: str, changed: dict[str, object], kind: str
) -> None:
    before, after = settings("BTC"), settings("BTC", **changed)
    assert [change.leaf for change in changes(before, after)] == [leaf]
    assert kind_of(before, after) == kind


def test_the_strongest_leaf_decides() -> None:
    after = settings("BTC", margin_usd=9.0, strategy=StrategySettings(levels=2, warmup_s=1.0))
    assert kind_of(settings("BTC"), after) == "restart"
    assert kind_of(settings("BTC"), settings("BTC")) is None


def test_only_a_higher_limit_raises_risk() -> None:
    base = settings("BTC")
    up = msgspec.structs.replace(base, risk=RiskSettings(4_000.0, 50.0))
    assert [c.raises_risk for c in changes(base, up)] == [True]
    assert [c.raises_risk for c in changes(up, base)] == [False]
    calmer = msgspec.structs.replace(base, strategy=StrategySettings(risk_aversion=9.0))
    assert [c.raises_risk for c in changes(base, calmer)] == [False]
