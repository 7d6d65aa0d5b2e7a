"""Each of the fleet's limits, at its edge."""

import pytest

from fleet.risk.exposure import Exposure
from fleet.risk.limits import Verdict, judge
from tests.unit.fleet.views import fleet_risk

LIMITS = fleet_risk()
FLAT = Exposure(0.0, 0.0, {})


def verdict(
    held: Exposure = FLAT, day_usd: float | None = 0.0, lost: float | None = 0.0
) -> Verdict:
    return judge(held, day_pnl_usd=day_usd, drawdown_share=lost, limits=LIMITS)


@pytest.mark.parametrize(
    ("held", "mode"),
    [
        (Exposure(10_000.0, 5_000.0, {"BTC": 4_000.0}), "normal"),
        (Exposure(10_000.1, 0.0, {}), "reduce_only"),
        (Exposure(6_000.0, 5_000.1, {}), "reduce_only"),
        (Exposure(6_000.0, -5_000.1, {}), "reduce_only"),
        (Exposure(0.0, 0.0, {}, unknown=("BTC",)), "reduce_only"),
    ],
)
def test_exposure_beyond_a_limit_reduces(held: Exposure, mode: str) -> None:
    assert verdict(held).mode == mode


def test_an_underlying_over_its_limit_binds_only_its_own_markets() -> None:
    over = verdict(Exposure(5_000.0, 0.0, {"BTC": 4_000.1, "ETH": 900.0}))
    assert over.mode == "normal"
    assert over.underlyings == {"BTC"}
    assert over.reasons


@pytest.mark.parametrize(
    ("day_usd", "lost", "mode"),
    [
        (-499.9, 0.0, "normal"),
        (-500.0, 0.0, "halt"),
        (0.0, 0.0999, "normal"),
        (0.0, 0.1, "halt"),
        (None, 0.0, "reduce_only"),
        (0.0, None, "reduce_only"),
        (-500.0, None, "halt"),
    ],
)
def test_losses_halt(day_usd: float | None, lost: float | None, mode: str) -> None:
    assert verdict(day_usd=day_usd, lost=lost).mode == mode
