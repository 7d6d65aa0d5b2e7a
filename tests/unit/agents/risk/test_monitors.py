"""Monitors: each condition, by itself, gives its mode and says why."""

from typing import Any

import msgspec
import pytest

from agents.risk.monitors import Facts, judge
from agents.risk.verdict import Mode
from agents.settings import RiskSettings

SETTINGS = RiskSettings(position_max_usd=1_000.0, daily_loss_max_usd=50.0)
FINE = Facts(
    data_age_s=0.1,
    directive_age_s=1.0,
    exposure_usd=500.0,
    position_max_usd=1_000.0,
    pnl_day_usd=-10.0,
)


def _judge(**changed: Any) -> tuple[Mode, str]:
    verdict = judge(msgspec.structs.replace(FINE, **changed), SETTINGS)
    return verdict.mode, verdict.reason or ""


@pytest.mark.parametrize(
    ("changed", "mode", "reason"),
    [
        ({}, Mode.NORMAL, ""),
        ({"data_age_s": None}, Mode.PULL, "no market data"),
        ({"data_age_s": 3.5}, Mode.PULL, "3.5 s old"),
        ({"data_age_s": 31.0}, Mode.HALT, "31 s old"),
        ({"crossed": True}, Mode.PULL, "crossed"),
        ({"two_sided": False}, Mode.PULL, "one-sided"),
        ({"link_up": False}, Mode.PULL, "link"),
        ({"fenced": "fleet halt"}, Mode.HALT, "fleet halt"),
        ({"directive_age_s": None}, Mode.REDUCE_ONLY, "no directive"),
        ({"directive_age_s": 11.0}, Mode.NO_NEW_RISK, "11 s old"),
        ({"directive_age_s": 31.0}, Mode.REDUCE_ONLY, "31 s old"),
        ({"directive_age_s": 121.0}, Mode.HALT, "121 s old"),
        ({"directive_mode": "reduce_only", "directive_reason": "gross"}, Mode.REDUCE_ONLY, "gross"),
        ({"directive_mode": "halt"}, Mode.HALT, "halt"),
        ({"reconciled": False}, Mode.PULL, "reconciling"),
        ({"reconciled": False, "recovering": True}, Mode.NO_NEW_RISK, "reconciling"),
        ({"ready": False}, Mode.REDUCE_ONLY, "warming up"),
        ({"paused": True}, Mode.PULL, "paused"),
        ({"drain": "draining"}, Mode.REDUCE_ONLY, "draining"),
        ({"leaving": "drained"}, Mode.PULL, "drained"),
        ({"exposure_usd": 1_010.0}, Mode.NORMAL, ""),
        ({"exposure_usd": 1_021.0}, Mode.REDUCE_ONLY, "1021 USD above 1000"),
        ({"exposure_usd": None}, Mode.NORMAL, ""),
        ({"drift_s": 2.9}, Mode.NORMAL, ""),
        ({"drift_s": 3.0}, Mode.REDUCE_ONLY, "drift"),
        ({"drift_s": 30.0}, Mode.HALT, "drift"),
        ({"pnl_day_usd": -50.0}, Mode.HALT, "50.00 USD"),
        ({"pnl_day_usd": None}, Mode.NORMAL, ""),
        ({"halted": "day loss"}, Mode.HALT, "day loss"),
        ({"reduce_latched": "taker fill 5"}, Mode.REDUCE_ONLY, "taker fill"),
    ],
)
def test_each_condition(changed: dict[str, Any], mode: Mode, reason: str) -> None:
    found, said = _judge(**changed)
    assert found is mode
    assert reason in said


def test_together_the_worst_counts() -> None:
    mode, reason = _judge(paused=True, directive_mode="halt", directive_reason="drawdown")
    assert mode is Mode.HALT
    assert reason == "directive: drawdown"
