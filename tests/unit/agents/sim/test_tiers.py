"""Margin tiers against the formula of the reference."""

from decimal import Decimal

import msgspec
import pytest

from agents.sim.tiers import leverage_allowed, maintenance_usd, table_id
from agents.sim.universe import default_universe

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
