"""Margin tiers and fee tiers against the formulas of the reference."""

from decimal import Decimal

import msgspec
import pytest

from agents.sim.accounts import Account, Daily
from agents.sim.exchange import Exchange
from agents.sim.tiers import leverage_allowed, maintenance_usd, table_id
from agents.sim.universe import default_universe
from agents.sim.volumes import DAY_MS, account_rate

SPEC = msgspec.structs.replace(
    next(iter(default_universe().listings.values())).spec, leverage_max=40, margin_table=56
)


@pytest.mark.parametrize("usd", [1, 150_000_000, 150_000_001, 400_000_000])
def test_maintenance_is_rate_times_notional_minus_deduction(usd: int) -> None:
    notional = Decimal(usd)
    above = usd > 150_000_000
    rate = Decimal(1) / 40 if above else Decimal(1) / 80
    deduction = 150_000_000 * (Decimal(1) / 40 - Decimal(1) / 80) if above else 0
    assert maintenance_usd(SPEC, notional) == notional * rate - deduction
    assert leverage_allowed(SPEC, notional) == (20 if above else 40)
    assert table_id(SPEC) == 56


def test_fee_tiers_follow_fourteen_days_of_volume() -> None:
    floor = Exchange(default_universe()).floor
    floor.now_ms = 100 * DAY_MS
    account = Account("0x" + "1" * 40)
    account.daily = {100: Daily(Decimal(10**9)), 99: Daily(Decimal(3 * 10**6), Decimal(3 * 10**6))}
    assert account_rate(floor, account, crossed=True) == Decimal("0.0004")
    assert account_rate(floor, account, crossed=False) == Decimal("0.00012")
    account.daily[86] = Daily(Decimal(20 * 10**6))
    assert account_rate(floor, account, crossed=True) == Decimal("0.00035")
    floor.now_ms += DAY_MS
    assert account_rate(floor, account, crossed=True) == Decimal("0.00028")
