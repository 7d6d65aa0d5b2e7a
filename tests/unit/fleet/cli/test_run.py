"""The ancestor's flags, as the manifest that they mean: valid, and what it compiles to."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.settings import MarketSettings
from fleet.cli.failure import Failure
from fleet.cli.run import Flags, Listed, fleet_name, manifest, named
from fleet.manifests.load import load

BTC = Listed(leverage_max=40, isolated_only=False, mark_px=80_000.0)


def flags(**given: Any) -> Flags:
    base = Flags(asset="BTC", dex="", net="paper", margin_usd=1_000.0, isolated=False)
    return msgspec.structs.replace(base, **given)


def compiled(tmp_path: Path, given: Flags, listed: Listed = BTC) -> MarketSettings:
    path = tmp_path / "run.yaml"
    path.write_text(manifest(given, listed))
    (settings,) = load(path).markets.values()
    return settings


def test_an_asset_alone_is_a_fleet(tmp_path: Path) -> None:
    settings = compiled(tmp_path, flags())
    assert (settings.market, settings.margin_usd, settings.leverage) == ("BTC", 1_000.0, 3)
    assert settings.risk.position_max_usd == 3_000.0
    assert not settings.isolated


def test_every_flag_arrives(tmp_path: Path) -> None:
    settings = compiled(
        tmp_path,
        flags(
            dex="hyna", margin_usd=2_000.0, isolated=True, leverage=5, target_liquidity=0.05,
            max_position=0.1, max_bps_diff=2.0, risk_aversion=0.7,
        ),
    )  # fmt: skip
    assert (settings.market, settings.leverage, settings.isolated) == ("hyna:BTC", 5, True)
    assert settings.margin_usd == 2_000.0
    assert settings.risk.position_max_usd == 8_000.0, "0.1 coins at 80000"
    assert settings.strategy.clip_usd == 800.0, "0.05 coins over five levels"
    assert settings.strategy.requote_tolerance_share == 0.25, "2 of the floor's 8 bps"
    assert settings.strategy.risk_aversion == 0.7


def test_a_market_that_is_isolated_only_is_isolated(tmp_path: Path) -> None:
    listed = Listed(leverage_max=2, isolated_only=True, mark_px=100.0)
    settings = compiled(tmp_path, flags(), listed)
    assert settings.isolated
    assert settings.leverage == 2, "no more than the venue's"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_position": 1.0}, "--max-position 1 is 80,000 USD; margin times leverage reaches"),
        ({"target_liquidity": 0.0001}, "the venue takes none below 10"),
        ({"net": "mainnet"}, "needs an account; add --address"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_mend(given: dict[str, Any], said: str) -> None:
    with pytest.raises(Failure, match=said) as caught:
        manifest(flags(**given), BTC)
    assert caught.value.exit_code == 3


def test_a_size_needs_a_price() -> None:
    with pytest.raises(Failure, match="--max-position: the market has no price now"):
        manifest(flags(max_position=0.01), Listed(40, isolated_only=False, mark_px=None))


def test_a_live_manifest_names_its_account_and_where_the_key_is() -> None:
    text = manifest(flags(net="testnet", address="0x" + "ab" * 20), BTC)
    assert "network: testnet" in text
    assert "env: FLEET_API_KEY" in text


def test_each_market_and_network_is_a_fleet_of_its_own() -> None:
    given = (flags(), flags(dex="hyna"), flags(net="testnet"), flags(asset="xyz:kPEPE", dex="xyz"))
    assert [fleet_name(each) for each in given] == ["btc", "hyna-btc", "testnet-btc", "xyz-kpepe"]


def test_no_asset_is_told() -> None:
    with pytest.raises(Failure, match="--asset is missing; name one: fleet run --asset BTC"):
        named(None)
