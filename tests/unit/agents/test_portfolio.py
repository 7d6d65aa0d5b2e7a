"""A row times the holdings: what it is worth in clips, and when it counts for nothing."""

import math
from typing import Any

import msgspec
import pytest

from agents.portfolio import (
    HOLDINGS_MAX_MS,
    ROW_MAX_MS,
    CrossSkew,
    GammaRow,
    Holdings,
    cross_skew,
)

NOW_MS = 1_750_000_000_000
ROW = GammaRow(NOW_MS, 0.01, {"SOL": 0.008, "BTC": 0.004, "ETH": 0.002})
HELD = Holdings(NOW_MS, {"SOL": 10_000.0, "BTC": 500.0, "ETH": -1_000.0})


def asked(row: GammaRow | None = ROW, held: Holdings | None = HELD) -> CrossSkew | None:
    return cross_skew(row, held, market="SOL", clip_usd=100.0, now_ms=NOW_MS)


def test_positions_elsewhere_count_as_clips_here() -> None:
    found = asked()
    assert found is not None
    # 500 * 0.4 - 1000 * 0.2 USD of SOL are nothing; its own position is the agent's own matter.
    assert found.clips == pytest.approx(0.0)
    assert found.own_share == pytest.approx(0.8)
    more = asked(held=Holdings(NOW_MS, {"BTC": 500.0}))
    assert more is not None
    assert more.clips == pytest.approx(2.0)


def test_a_market_that_the_row_does_not_know_weighs_nothing() -> None:
    found = asked(held=Holdings(NOW_MS, {"DOGE": 1e6}))
    assert found is not None
    assert found.clips == 0.0


@pytest.mark.parametrize(
    "changed",
    [
        {"as_of_ms": NOW_MS - ROW_MAX_MS - 1},
        {"as_of_ms": NOW_MS + ROW_MAX_MS + 1},
        {"own_bps_per_usd": 0.0},
        {"own_bps_per_usd": math.nan},
        {"bps_per_usd": {}},
        {"bps_per_usd": {"BTC": 0.004}},
        {"bps_per_usd": {"SOL": 0.008, "BTC": math.inf}},
        {"bps_per_usd": {"SOL": -0.008, "BTC": 0.004}},
        {"bps_per_usd": {"SOL": 0.008, "BTC": 1e9}},
    ],
)
def test_a_row_that_is_old_or_no_row_counts_for_nothing(changed: dict[str, Any]) -> None:
    assert asked(msgspec.structs.replace(ROW, **changed)) is None


@pytest.mark.parametrize(
    "held",
    [
        None,
        Holdings(NOW_MS - HOLDINGS_MAX_MS - 1, {"BTC": 1.0}),
        Holdings(NOW_MS, {"BTC": math.nan}),
        Holdings(NOW_MS, {"BTC": 1e30}),
    ],
)
def test_holdings_that_are_old_or_no_numbers_count_for_nothing(held: Holdings | None) -> None:
    assert asked(held=held) is None


def test_without_a_row_or_a_clip_there_is_nothing_to_say() -> None:
    assert asked(None) is None
    assert cross_skew(ROW, HELD, market="SOL", clip_usd=0.0, now_ms=NOW_MS) is None
