"""Monitors: each condition, by itself, gives its mode and says why, on which numbers."""

import math
from typing import Any

import msgspec
import pytest

from agents.kept import Kill
from agents.risk.facts import Facts
from agents.risk.monitors import findings, judge
from agents.risk.verdict import Mode
from agents.settings import RiskSettings

SETTINGS = RiskSettings(position_max_usd=1_000.0, daily_loss_max_usd=50.0)
FINE = Facts(
    data_age_s=0.1,
    ctx_age_s=3.0,
    account_age_s=3.0,
    directive_age_s=1.0,
    exposure_usd=500.0,
    open_usd=900.0,
    position_max_usd=1_000.0,
    pnl_day_usd=-10.0,
    pnl_usd=5.0,
    pnl_peak_usd=15.0,
    unrealized_usd=-3.0,
    margin_usd=500.0,
    sigma_bps=1.0,
    liquidation_bps=3_000.0,
    answer_s=0.4,
    deployed=True,
    oracle_age_s=2.0,
)
KILL = Kill(cause="loss", reason="day loss", at_ms=1, seen_ms=1)
SIGMA_H = math.sqrt(3_600.0)  # bps, at 1 bp/sqrt(s)


def _judge(**changed: Any) -> tuple[Mode, str]:
    verdict = judge(msgspec.structs.replace(FINE, **changed), SETTINGS)
    return verdict.mode, verdict.reason or ""


@pytest.mark.parametrize(
    ("changed", "mode", "reason"),
    [
        ({}, Mode.NORMAL, ""),
        ({"data_age_s": None}, Mode.BLIND, "no market data"),
        ({"data_age_s": 1.6}, Mode.WARN, "1.6 s old"),
        ({"data_age_s": 3.5}, Mode.BLIND, "3.5 s old"),
        ({"data_age_s": 31.0}, Mode.KILL, "31 s old"),
        ({"crossed": True}, Mode.BLIND, "crossed"),
        ({"two_sided": False}, Mode.BLIND, "one-sided"),
        ({"ctx_age_s": 31.0}, Mode.WARN, "mark and oracle: not told for 31 s"),
        ({"ctx_age_s": 61.0}, Mode.REDUCE_ONLY, "mark and oracle: not told for 61 s"),
        ({"account_age_s": 61.0}, Mode.REDUCE_ONLY, "the account: not told for 61 s"),
        ({"ctx_age_s": None, "account_age_s": None}, Mode.NORMAL, ""),
        ({"link_up": False}, Mode.BLIND, "link"),
        ({"fenced": "fleet halt"}, Mode.KILL, "fleet halt"),
        ({"directive_age_s": None}, Mode.REDUCE_ONLY, "no directive"),
        ({"directive_age_s": 11.0}, Mode.NO_NEW_RISK, "11 s old"),
        ({"directive_age_s": 31.0}, Mode.REDUCE_ONLY, "31 s old"),
        ({"directive_age_s": 121.0}, Mode.KILL, "121 s old"),
        ({"directive_mode": "reduce_only", "directive_reason": "gross"}, Mode.REDUCE_ONLY, "gross"),
        ({"directive_mode": "halt"}, Mode.KILL, "halt"),
        ({"directive_mode": "of a later version"}, Mode.KILL, "of a later version"),
        ({"reconciled": False}, Mode.BLIND, "reconciling"),
        ({"reconciled": False, "recovering": True}, Mode.NO_NEW_RISK, "reconciling"),
        ({"ready": False}, Mode.REDUCE_ONLY, "warming up"),
        ({"paused": True}, Mode.BLIND, "paused"),
        ({"drain": "draining"}, Mode.REDUCE_ONLY, "draining"),
        ({"leaving": "drained"}, Mode.BLIND, "drained"),
        ({"exposure_usd": 960.0}, Mode.WARN, "960 USD near 1000"),
        ({"exposure_usd": 1_021.0}, Mode.REDUCE_ONLY, "1021 USD above 1000"),
        ({"exposure_usd": 2_001.0}, Mode.KILL, "2001 USD above 1000"),
        ({"exposure_usd": 2_001.0, "inherited": True}, Mode.REDUCE_ONLY, "2001 USD above 1000"),
        ({"exposure_usd": None}, Mode.NORMAL, ""),
        ({"open_usd": 2_001.0, "over_s": 3.0}, Mode.KILL, "open orders 2001 USD"),
        ({"open_usd": 2_001.0, "over_s": 2.9}, Mode.NORMAL, ""),
        ({"growth_hold_s": 59.0, "exposure_usd": 900.0}, Mode.PULL, "within a minute"),
        ({"growth_hold_s": 60.0, "exposure_usd": 900.0}, Mode.NORMAL, ""),
        ({"growth_hold_s": 9.0, "exposure_usd": 510.0}, Mode.PULL, "within a minute"),
        ({"growth_hold_s": 9.0, "exposure_usd": 500.0}, Mode.NORMAL, ""),
        ({"stuck_s": 59.0}, Mode.NORMAL, ""),
        ({"stuck_s": 60.0}, Mode.WARN, "for 60 s"),
        ({"stuck_s": 120.0}, Mode.KILL, "for 120 s"),
        ({"unrealized_usd": -50.0}, Mode.REDUCE_ONLY, "50.00 USD under water"),
        ({"drift_s": 2.9}, Mode.NORMAL, ""),
        ({"drift_s": 3.0}, Mode.REDUCE_ONLY, "drift"),
        ({"drift_s": 30.0}, Mode.KILL, "drift"),
        ({"drift_s": 5.0, "drift_share": 0.2}, Mode.KILL, "leapt by 20%"),
        ({"drift_s": 4.9, "drift_share": 0.2}, Mode.REDUCE_ONLY, "drift"),
        ({"foreign_share": 0.25}, Mode.KILL, "leapt by 25%"),
        ({"liquidated": "liquidatedCanceled"}, Mode.KILL, "liquidatedCanceled"),
        ({"liquidation_bps": 7.9 * SIGMA_H}, Mode.WARN, "7.9 sigmas"),
        ({"liquidation_bps": 4.9 * SIGMA_H}, Mode.REDUCE_ONLY, "4.9 sigmas"),
        ({"liquidation_bps": 2.9 * SIGMA_H}, Mode.KILL, "2.9 sigmas"),
        ({"liquidation_bps": None}, Mode.NORMAL, ""),
        ({"pnl_day_usd": -40.0}, Mode.WARN, "40.00 USD nears 50.00"),
        ({"pnl_day_usd": -50.0}, Mode.KILL, "50.00 USD"),
        ({"pnl_day_usd": math.nan}, Mode.KILL, "nan"),
        ({"pnl_day_usd": None}, Mode.NORMAL, ""),
        ({"pnl_usd": -22.0}, Mode.WARN, "drawdown 7.2% nears 10.0%"),
        ({"pnl_usd": -37.0}, Mode.KILL, "drawdown 10.1% reached"),
        ({"pnl_usd": math.nan}, Mode.KILL, "drawdown"),
        ({"killed": KILL}, Mode.KILL, "killed by loss: day loss (a person lifts it)"),
        ({"reduced": "taker fill 5"}, Mode.REDUCE_ONLY, "taker fill"),
        ({"move_share": 0.011}, Mode.PULL, "1.1%"),
        ({"move_share": 0.051}, Mode.KILL, "5.1%"),
        ({"severity_share": 0.5, "move_share": 0.002}, Mode.WIDEN, "severity 0.50"),
        ({"severity_share": 0.9, "move_share": 0.002}, Mode.PULL, "severity 0.90"),
        ({"severity_share": 0.96, "move_share": 0.0101}, Mode.KILL, "severity 0.96"),
        ({"severity_share": 1.0, "move_share": 0.0001}, Mode.NORMAL, ""),
        ({"mark_away_bps": 101.0}, Mode.REDUCE_ONLY, "101 bps away"),
        ({"mark_away_bps": 101.0, "deployed": False}, Mode.NORMAL, ""),
        ({"oracle_age_s": 61.0, "oracle_behind_bps": 30.0}, Mode.REDUCE_ONLY, "stood still"),
        ({"oracle_age_s": 61.0, "oracle_behind_bps": 20.0}, Mode.NORMAL, ""),
        ({"oracle_age_s": 9_000.0, "oracle_behind_bps": 5.0}, Mode.NORMAL, ""),
        ({"answer_s": 1.6}, Mode.WIDEN, "after 1.6 s"),
        ({"answer_s": 3.1}, Mode.PULL, "after 3.1 s"),
        ({"rate_limited": 1}, Mode.WARN, "1 requests refused"),
        ({"rate_limited": 3}, Mode.PULL, "3 requests refused"),
        ({"rate_limited": 4}, Mode.KILL, "4 requests refused"),
    ],
)
def test_each_condition(changed: dict[str, Any], mode: Mode, reason: str) -> None:
    found, said = _judge(**changed)
    assert found is mode, said
    assert reason in said


def test_together_the_worst_counts() -> None:
    mode, reason = _judge(paused=True, directive_mode="halt", directive_reason="drawdown")
    assert mode is Mode.KILL
    assert reason == "directive: drawdown"


def test_every_finding_names_its_monitor_and_numbers_come_with_it() -> None:
    facts = msgspec.structs.replace(FINE, pnl_day_usd=-60.0, move_share=0.02, answer_s=2.0)
    found = findings(facts, SETTINGS)
    assert [finding.monitor for finding in found] == ["loss", "venue", "price"]
    assert dict(found[0].evidence) == {"pnl_day_usd": -60.0, "daily_loss_max_usd": 50.0}


LATCHING = (
    "loss", "drawdown", "position", "runaway", "stuck", "price", "cascade", "rate", "data",
    "liquidation", "liquidated",
)  # fmt: skip


@pytest.mark.parametrize("monitor", LATCHING)
def test_what_throws_the_switch_latches(monitor: str) -> None:
    worst: dict[str, dict[str, Any]] = {
        "loss": {"pnl_day_usd": -50.0},
        "drawdown": {"pnl_usd": -90.0},
        "position": {"exposure_usd": 3_000.0},
        "runaway": {"open_usd": 3_000.0, "over_s": 9.0},
        "stuck": {"stuck_s": 200.0},
        "price": {"move_share": 0.2},
        "cascade": {"severity_share": 1.0, "move_share": 0.02},
        "rate": {"rate_limited": 9},
        "data": {"data_age_s": 99.0},
        "liquidation": {"liquidation_bps": 1.0},
        "liquidated": {"liquidated": "told"},
    }
    facts = msgspec.structs.replace(FINE, **worst[monitor])
    assert monitor in {f.monitor for f in findings(facts, SETTINGS) if f.latches}


def test_incident_33_little_gained_is_no_drawdown_of_a_thousand_percent() -> None:
    """Of margin and peak, never of the peak P&L alone."""
    facts = msgspec.structs.replace(FINE, pnl_peak_usd=0.01, pnl_usd=-5.0, margin_usd=1_000.0)
    assert judge(facts, SETTINGS).mode is Mode.NORMAL


def test_incident_34_a_market_that_only_ever_loses_has_a_drawdown_too() -> None:
    facts = msgspec.structs.replace(FINE, pnl_peak_usd=0.0, pnl_usd=-51.0, pnl_day_usd=-1.0)
    verdict = judge(facts, SETTINGS)
    assert (verdict.mode, verdict.found[0].monitor) == (Mode.KILL, "drawdown")


def test_slow_answers_widen_by_what_the_price_does_meanwhile() -> None:
    facts = msgspec.structs.replace(FINE, answer_s=2.25, answer_usual_s=0.25, sigma_bps=4.0)
    assert judge(facts, SETTINGS).widen_bps == pytest.approx(4.0 * (1.5 - 0.5))
