"""Each part of a half-spread: on where it is told to be, capped, on its own side, adding up."""

from typing import Any

import msgspec
import pytest

from agents.market.types import Side
from agents.settings import AdvancedSettings, StrategySettings
from agents.strategy.components import (
    HalfSpread,
    adverse_floor_bps,
    half_spread,
    may_be_tight,
)
from agents.strategy.conditions import CALM, Conditions
from agents.strategy.floors import Floor

NO_FLOOR = Floor("configured", 0.1)
GOOD = Conditions(hour=3, depth_usd=1e5, depth_ratio=1.0)


def _settings(advanced: dict[str, Any] | None = None, **changed: Any) -> StrategySettings:
    inner = msgspec.structs.replace(AdvancedSettings(), **(advanced or {}))
    changed = {"adverse_weight": 1.0, "retreat_weight": 6.0} | changed
    return msgspec.structs.replace(StrategySettings(), advanced=inner, **changed)


def _half(
    side: Side = Side.BID,
    conditions: Conditions = CALM,
    strategy: StrategySettings | None = None,
    *,
    floor: Floor = NO_FLOOR,
    tight: bool = False,
    present_max_bps: float | None = None,
) -> HalfSpread:
    return half_spread(
        side,
        model_bps=3.0,
        fee_bps=1.5,
        conditions=conditions,
        strategy=strategy or _settings(),
        floor=floor,
        tight=tight,
        market_half_bps=1.0,
        present_max_bps=present_max_bps,
        retreat_max_bps=7.0,
    )


@pytest.mark.parametrize(
    ("part", "conditions", "advanced", "bps"),
    [
        ("regime", Conditions(regime="high"), {"regime_high_bps": 1.0}, 1.0),
        ("regime", Conditions(regime="extreme"), {"regime_extreme_bps": 3.0}, 3.0),
        ("jump", Conditions(jump_ratio=2.5), {"jump_weight_bps": 2.0}, 2.0),
        ("jump", Conditions(jump_ratio=99.0), {"jump_weight_bps": 2.0, "jump_max_bps": 4.0}, 4.0),
        ("momentum", Conditions(threat=-1, threat_share=0.5), {"momentum_max_bps": 6.0}, 3.0),
        ("adverse", Conditions(adverse_bid_bps=2.0), {}, 2.0),
        ("adverse", Conditions(adverse_bid_bps=9.0), {"adverse_max_bps": 4.0}, 4.0),
        ("cap", CALM, {"market_cap_ratio": 4.0}, -0.5),
    ],
)
def test_each_part_and_its_cap(
    part: str, conditions: Conditions, advanced: dict[str, Any], bps: float
) -> None:
    half = _half(conditions=conditions, strategy=_settings(advanced))
    assert half.parts()[part] == pytest.approx(bps)
    assert half.total_bps == pytest.approx(4.5 + bps)


def test_incident_31_a_threat_moves_the_endangered_side_alone() -> None:
    down = Conditions(threat=-1, threat_share=1.0)
    strategy = _settings({"momentum_max_bps": 5.0})
    assert _half(Side.BID, down, strategy).momentum_bps == 5.0
    assert _half(Side.ASK, down, strategy).momentum_bps == 0.0


def test_a_side_retreats_from_an_expected_move_and_the_other_comes_no_nearer() -> None:
    falls = Conditions(drift_bps=-0.25)
    assert _half(Side.BID, falls).retreat_bps == pytest.approx(6 * 0.25)
    assert _half(Side.BID, falls).total_bps == pytest.approx(4.5 + 1.5)
    assert _half(Side.ASK, falls) == _half(Side.ASK)
    assert _half(Side.ASK, Conditions(drift_bps=0.25)) == _half(Side.BID, falls)
    assert _half(Side.BID, Conditions(drift_bps=-9.0)).total_bps == pytest.approx(7.0)
    assert _half(Side.BID, falls, _settings(retreat_weight=0.0)).retreat_bps == 0.0


def test_a_favourable_markout_is_no_reason_to_come_nearer() -> None:
    assert _half(conditions=Conditions(adverse_bid_bps=-3.0)).adverse_bps == 0.0


def test_what_narrows_never_undercuts_the_floor() -> None:
    half = _half(
        strategy=_settings({"market_cap_ratio": 0.5}),
        floor=Floor("latency", 3.25),
        present_max_bps=1.0,
    )
    assert half.total_bps == pytest.approx(3.25)
    assert half.floor_name == "latency"


def test_tight_takes_a_share_of_all_but_the_fee() -> None:
    half = _half(strategy=_settings(tight_share=0.5), tight=True)
    assert half.tight_bps == pytest.approx(-1.5)


def test_incident_37_the_lower_end_of_the_adverse_move_is_a_floor_that_goes_with_its_data() -> None:
    known = Conditions(adverse_bid_bps=2.0, adverse_se_bps=0.5)
    assert adverse_floor_bps(Side.BID, known, weight=1.0) == pytest.approx(2.0 - 1.645 * 0.5)
    assert adverse_floor_bps(Side.ASK, known, weight=1.0) == 0.0
    vague = Conditions(adverse_bid_bps=2.0, adverse_se_bps=5.0)
    assert adverse_floor_bps(Side.BID, vague, weight=1.0) == 0.0


def test_tight_quoting_is_reachable() -> None:
    assert may_be_tight(GOOD, inventory_share=0.0, strategy=_settings(tight_share=0.3))
    assert not may_be_tight(GOOD, inventory_share=0.0, strategy=_settings())


@pytest.mark.parametrize(
    ("changed", "held"),
    [
        ({"regime": "high"}, 0.0),
        ({"toxicity_share": 0.2}, 0.0),
        ({}, 0.5),
        ({"hour": 7}, 0.0),
        ({"hour": None}, 0.0),
        ({"depth_ratio": 0.2}, 0.0),
        ({"depth_usd": None}, 0.0),
    ],
)
def test_each_prerequisite_of_tight_quoting_is_needed(changed: dict[str, Any], held: float) -> None:
    conditions = msgspec.structs.replace(GOOD, **changed)
    assert not may_be_tight(conditions, inventory_share=held, strategy=_settings(tight_share=0.3))
