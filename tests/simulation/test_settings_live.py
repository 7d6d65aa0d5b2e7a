"""Each leaf under ``strategy``: changed, it changes what is quoted. None is for show.

One market is walked through the moments that the leaves are about: calm and rough, slow and fast,
flat and full. What counts is prices and sizes, not an echo. What is not of the price but of when an
engine begins, learns or moves an order is shown by what a whole engine sends on a walk of the mid.
"""

import math
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from agents.commands import Place
from agents.settings import AdvancedSettings, StrategySettings
from agents.strategy.conditions import Conditions
from agents.strategy.exact import solve
from agents.strategy.quoter import SideRoom, quote
from agents.strategy.sizes import clip_size
from tests.unit.agents.driver import SETTINGS, Driver
from tests.unit.agents.strategy.test_quoter import ESTIMATES, SOL, D

ROUGH = Conditions(
    regime="high", adverse_bid_bps=6.0, adverse_ask_bps=1.0, adverse_se_bps=0.2, drift_bps=9.0,
    funding_bps=0.5, toxicity_share=0.12, threat=-1, threat_share=0.5, volatility_ratio=2.0,
    jump_ratio=3.0, excitement_ratio=2.0, depth_usd=1e5, depth_ratio=0.6, season_ratio=1.3,
    warm_share=0.5, hour=7,
)  # fmt: skip
EXTREME = msgspec.structs.replace(ROUGH, regime="extreme", jump_ratio=90.0)
CALM = Conditions(depth_usd=1e5, hour=3, toxicity_share=0.08, depth_ratio=0.6, drift_bps=0.5)
ON = StrategySettings(
    half_spread_floor_bps=2.2,
    tight_share=0.3,
    drift_weight=1.0,
    retreat_weight=1.0,
    advanced=AdvancedSettings(
        momentum_max_bps=4.0, regime_high_bps=1.0, regime_extreme_bps=2.0, jump_weight_bps=1.0,
        jump_max_bps=3.0, aversion_volatility=0.2, aversion_toxicity=0.2, aversion_inventory=0.2,
        aversion_regime=0.2, aversion_hawkes=0.2, aversion_depth=0.2, aversion_warmup=0.2,
        aversion_hour=0.2, aversion_season=0.2, wealth_usd=20_000.0,
    ),
)  # fmt: skip
BUSY = {"kappa_per_bps": 5.0, "fills_per_s": 9.0}
PACES: list[dict[str, float]] = [
    {}, {"sigma_bps": 0.1, **BUSY}, {"sigma_bps": 9.0, **BUSY}, {"sigma_bps": 15.0},
]  # fmt: skip
SENT = {
    # Read by the estimators and by what sends orders, not by the price.
    "requote_tolerance_share", "order_age_min_s", "kappa_prior_per_bps", "fills_per_s_prior",
    "sigma_half_life_s", "warmup_s", "warmup_max_s",
}  # fmt: skip
ELSEWHERE = SENT | {"advanced"}  # whose leaves are walked one by one


def _priced(strategy: StrategySettings) -> list[object]:
    """What is quoted in each of the moments, prices and sizes alone."""
    found: list[object] = []
    for conditions in (CALM, ROUGH, EXTREME):
        for spacing, allocation, quoted in (
            (strategy.level_spacing, strategy.allocation, strategy.quoted_max_bps),
            ("linear", "kelly", 0.0),
        ):
            for position in (0, 3, 9):
                told = msgspec.structs.replace(
                    strategy, level_spacing=spacing, allocation=allocation, quoted_max_bps=quoted
                )
                found += [_quotes(told, conditions, D(position), pace) for pace in PACES]
    return found


def _quotes(
    strategy: StrategySettings, conditions: Conditions, position: Any, pace: dict[str, float]
) -> object:
    limit_usd = 4_000.0
    clip_sz = clip_size(
        settings=strategy, instrument=SOL, position_max_usd=limit_usd, reference_px=200.0
    )
    limit_sz = D(20)
    budget = limit_sz * D(str(strategy.side_budget_share))

    def at(table: Any) -> Any:
        return quote(
            msgspec.structs.replace(ESTIMATES, **pace),
            settings=strategy,
            instrument=SOL,
            position_sz=position,
            clip_sz=clip_sz,
            bid_room=SideRoom(room_sz=budget),
            ask_room=SideRoom(room_sz=budget, reducing_sz=position),
            present=True,
            limit_sz=limit_sz,
            conditions=conditions,
            table=table,
        )

    asked = at(None)
    priced = at(None if asked.problem is None else solve(asked.problem))
    return priced.bids, priced.asks, priced.bid.total_bps, priced.ask.total_bps, priced.tight


def _changed(value: object) -> list[object]:
    match value:
        case bool():
            return [not value]
        case "geometric":
            return ["linear"]
        case "equal":
            return ["kelly"]
        case None:
            return [300.0]
        case int():
            return [max(1, value // 2), math.ceil(value * 1.5)]
        case float():
            return [value * 0.5, value * 1.5] if value else [-50.0, 1.0]
        case tuple():
            return [(3,)]
        case _:
            raise AssertionError(value)


def _alive(set_leaf: Callable[[object], StrategySettings], value: object) -> bool:
    plain = _priced(ON)
    return any(_priced(set_leaf(other)) != plain for other in _changed(value))


PUBLIC = [f.name for f in msgspec.structs.fields(StrategySettings) if f.name not in ELSEWHERE]
ADVANCED = [f.name for f in msgspec.structs.fields(AdvancedSettings)]


@pytest.mark.parametrize("leaf", PUBLIC)
def test_each_public_leaf_changes_a_quote(leaf: str) -> None:
    assert _alive(lambda new: msgspec.structs.replace(ON, **{leaf: new}), getattr(ON, leaf))


@pytest.mark.parametrize("leaf", ADVANCED)
def test_each_advanced_leaf_changes_a_quote(leaf: str) -> None:
    def changed(new: object) -> StrategySettings:
        inner = msgspec.structs.replace(ON.advanced, **{leaf: new})
        return msgspec.structs.replace(ON, advanced=inner)

    assert _alive(changed, getattr(ON.advanced, leaf))


WALKED = msgspec.structs.replace(
    SETTINGS.strategy, warmup_s=8.0, warmup_max_s=6.0, requote_tolerance_share=0.1,
    quoted_max_bps=0.0, kappa_prior_per_bps=0.5,
)  # fmt: skip


def _sent(strategy: StrategySettings) -> list[object]:
    """When and where a whole engine places, on a walk of the mid."""
    rng, found = random.Random(5), list[object]()
    driver = Driver(settings=msgspec.structs.replace(SETTINGS, strategy=strategy))
    for _ in range(60):
        driver.bbo(driver.mid_px * (1.0 + rng.gauss(0.0, 2e-4)))
        driver.pass_s(0.2)
        for command in driver.sent(Place):
            found.append((driver.now_ms, [(order.px, order.sz) for order in command.orders]))
        driver.forget()
    return found


@pytest.mark.parametrize("leaf", sorted(SENT))
def test_each_other_leaf_changes_what_is_sent(leaf: str) -> None:
    plain, value = _sent(WALKED), getattr(WALKED, leaf)
    assert plain
    assert any(
        _sent(msgspec.structs.replace(WALKED, **{leaf: other})) != plain
        for other in _changed(value)
    )
