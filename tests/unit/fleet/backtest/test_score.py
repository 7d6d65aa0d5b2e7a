"""The score: parts that add up, markouts signed, minutes that skip outages."""

import pytest

from fleet.backtest.desk import Filled, Mark
from fleet.backtest.score import Row, markout_bps, minute_sd_usd, pooled

S = 1_000_000_000


def _marks(count: int, usd_a_s: float = 0.0, start_s: int = 0) -> list[Mark]:
    return [Mark((start_s + at) * S, 100.0 + at * 0.01, 0.0, at * usd_a_s) for at in range(count)]


def _row(maker: str, pnl: float, volume: float, sd: float) -> Row:
    return Row(
        recording="r", market="m", maker=maker, fills=3, volume_usd=volume, pnl_usd=pnl,
        pnl_bps=1e4 * pnl / volume, se_bps=2.0, spread_usd=1.0, inventory_usd=pnl, fees_usd=1.0,
        sd_minute_usd=sd, inventory_rms_usd=4.0, inventory_max_usd=9.0,
        markout_bps={"1s": 1.0, "10s": None, "60s": -1.0}, uptime_share=0.9, requests=5, refused=0,
        seen_s=60.0,
    )  # fmt: skip


def test_a_markout_is_signed_by_the_side_and_waits_for_its_time() -> None:
    marks = _marks(40)
    bought, sold = Filled(5 * S, 1, 100.0, 2.0, 100.0), Filled(5 * S, -1, 100.0, 2.0, 100.0)
    assert markout_bps([bought], marks, 10) == pytest.approx(15.0)
    assert markout_bps([sold], marks, 10) == pytest.approx(-15.0)
    assert markout_bps([bought], marks, 60) is None


def test_a_steady_loss_is_no_calm_and_an_outage_no_minute() -> None:
    assert minute_sd_usd(_marks(200, usd_a_s=-1.0)) == pytest.approx(60.0)
    assert minute_sd_usd(_marks(50) + _marks(50, start_s=500)) == 0.0


def test_markets_add_up_side_by_side() -> None:
    both = pooled([_row("fleet", 3.0, 1_000.0, 3.0), _row("fleet", -1.0, 3_000.0, 4.0)])
    assert both.pnl_bps == pytest.approx(5.0)
    assert both.sd_minute_usd == pytest.approx(5.0)
    assert both.se_bps == pytest.approx(2.0 * (1_000**2 + 3_000**2) ** 0.5 / 4_000)
    assert both.markout_bps["10s"] is None
    assert both.uptime_share == 0.9
