"""A spec's canonical JSON: equal specs, equal bytes, and nothing unknown gets in."""

import msgspec
import pytest

from agents.market.types import Coin
from agents.settings import MarketSettings, RiskSettings
from fleet.manifests.spec import FleetRisk, FleetSpec, decode, digest, encode


def make_spec(*names: str) -> FleetSpec:
    risk = RiskSettings(position_max_usd=100.0, daily_loss_max_usd=5.0)
    return FleetSpec(
        fleet="t",
        network="paper",
        risk=FleetRisk(
            gross_notional_max_usd=1.0,
            net_notional_max_usd=1.0,
            underlying_gross_max_usd=1.0,
            daily_loss_max_usd=1.0,
        ),
        markets={
            name: MarketSettings(market=Coin(name), margin_usd=100.0, leverage=1, risk=risk)
            for name in names
        },
    )


def test_order_of_markets_does_not_matter() -> None:
    assert encode(make_spec("BTC", "ETH")) == encode(make_spec("ETH", "BTC"))
    assert digest(make_spec("BTC", "ETH")) == digest(make_spec("ETH", "BTC"))
    assert digest(make_spec("BTC")) != digest(make_spec("ETH"))


def test_unknown_keys_are_refused() -> None:
    body = msgspec.json.decode(encode(make_spec("BTC")))
    body["surprise"] = 1
    with pytest.raises(msgspec.ValidationError, match="surprise"):
        decode(msgspec.json.encode(body))
