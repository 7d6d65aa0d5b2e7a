"""Asset ids count every place, and a universe lists a name once."""

import pytest

from agents.market.types import Coin
from agents.sim.universe import DexSpec, Universe, default_universe


@pytest.mark.parametrize(
    ("coin", "asset_id"),
    [
        ("BTC", 0),
        ("SOL", 2),
        ("MATIC", 3),
        ("WLFI", 4),
        ("xyz:NVDA", 110_002),
        ("hyna:BTC", 130_000),
        ("km:USBOND", 140_001),
        ("km:TENCENT", 140_002),
    ],
)
def test_incident_09_ids_count_empty_dexes_and_delisted_assets(coin: str, asset_id: int) -> None:
    universe = default_universe()
    assert universe.listings[Coin(coin)].asset_id == asset_id
    assert universe.by_asset_id[asset_id].coin == coin


def test_delisted_assets_are_listed_but_not_traded() -> None:
    universe = default_universe()
    assert "MATIC" not in universe.coins()
    assert "MATIC" in universe.listings
    assert universe.coins("hyna") == ("hyna:BTC", "hyna:ETH", "hyna:SOL")


def test_the_venue_lists_what_the_real_one_surprises_with() -> None:
    universe = default_universe()
    assert len(universe.coins("")) == 30
    builders = [dex for dex in universe.dexes[1:] if dex.assets]
    assert {dex.token for dex in builders} == {"USDC", "USDE", "USDH"}
    assert any(not dex.assets for dex in universe.dexes[1:-1])
    specs = [spec for dex in builders for spec in dex.assets]
    assert {spec.margin_mode for spec in specs} == {"normal", "noCross", "strictIsolated"}
    assert len({spec.deployer_fee_scale for spec in specs}) == 3
    assert {spec.growth for spec in specs} == {True, False}
    for dex in universe.dexes[0], universe.dexes[4]:
        places = [place for place, spec in enumerate(dex.assets) if spec.delisted]
        assert places
        assert all(0 < place < len(dex.assets) - 1 for place in places)


def test_a_name_twice_is_refused() -> None:
    main = default_universe().dexes[0]
    twice = DexSpec(name="", full_name="", token="USDC", assets=(main.assets[0], main.assets[0]))
    with pytest.raises(ValueError, match="BTC is listed twice"):
        Universe([twice])


def test_every_start_price_is_on_the_grid() -> None:
    for listing in default_universe().listings.values():
        assert listing.instrument.accepts_px(listing.spec.start_px), listing.coin


def test_leverage_defaults_to_twenty_within_the_cap() -> None:
    listings = default_universe().listings
    assert listings[Coin("BTC")].leverage_default == 20
    assert listings[Coin("WLFI")].leverage_default == 5
    assert listings[Coin("xyz:CRCL")].isolated_only
