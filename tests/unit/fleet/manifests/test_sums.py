"""One underlying counts together on every DEX."""

from fleet.manifests.sums import underlying_sums
from tests.unit.fleet.views import settings


def test_by_underlying_over_dexs() -> None:
    markets = [
        settings("BTC", underlying="BTC"),
        settings("hyna:BTC", underlying="BTC"),
        settings("ETH", underlying="ETH"),
    ]
    assert underlying_sums(markets) == {"BTC": 6_000.0, "ETH": 3_000.0}
