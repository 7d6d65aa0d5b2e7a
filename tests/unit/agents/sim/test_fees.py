"""Fee formula and truncation, by the venue's own fills."""

from decimal import Decimal

import msgspec
import pytest

from agents.market.types import Coin
from agents.sim.fees import fee_usd, scale_multiplier, user_rate, volume_weight
from agents.sim.universe import Listing, default_universe

UNIVERSE = default_universe()
MAKER, TAKER = Decimal("0.00015"), Decimal("0.00045")


def listing(coin: str) -> Listing:
    return UNIVERSE.listings[Coin(coin)]


@pytest.mark.parametrize(
    ("coin", "rate"),
    [("BTC", "0.00045"), ("xyz:TSLA", "0.00009"), ("xyz:GOLD", "0.0009"), ("hyna:BTC", "0.0005")],
)
def test_taker_rates_by_scale_and_growth(coin: str, rate: str) -> None:
    assert round(user_rate(TAKER, listing(coin)), 6) == Decimal(rate)


@pytest.mark.parametrize(("scale", "multiplier"), [("0.5", "1.5"), ("1", "2"), ("3", "6")])
def test_scale_multiplier(scale: str, multiplier: str) -> None:
    spec = msgspec.structs.replace(listing("xyz:GOLD").spec, deployer_fee_scale=Decimal(scale))
    assert scale_multiplier(spec) == Decimal(multiplier)


def test_a_rebate_is_not_scaled_but_by_growth() -> None:
    rebate = Decimal("-0.00001")
    assert user_rate(rebate, listing("xyz:GOLD")) == rebate
    assert user_rate(rebate, listing("xyz:TSLA")) == rebate / 10


def test_fees_are_truncated_toward_zero_at_six_decimals() -> None:
    notional_usd = Decimal("0.3") * Decimal("82.739")
    rate = MAKER * Decimal("0.96") * 2 * Decimal("0.1")  # a real fill of a referred account
    assert fee_usd(notional_usd, rate) == Decimal("0.000714")
    assert fee_usd(Decimal("0.0199"), Decimal("-0.0001")) == Decimal("-0.000001")
    assert fee_usd(Decimal("0.0099"), Decimal("-0.0001")) == 0


def test_growth_volume_counts_a_tenth() -> None:
    assert volume_weight(listing("xyz:NVDA")) == Decimal("0.1")
    assert volume_weight(listing("hyna:BTC")) == 1
    assert volume_weight(listing("BTC")) == 1
