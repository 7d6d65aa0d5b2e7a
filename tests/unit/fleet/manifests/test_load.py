"""Manifests end to end: sixty broken ones, each with its line, key and mend; and the good ones."""

import re
from pathlib import Path

import msgspec
import pytest

from agents.settings import MarketSettings
from fleet.manifests.checks import Listed
from fleet.manifests.errors import ManifestError
from fleet.manifests.load import load
from fleet.manifests.spec import decode, encode
from tests.unit.fleet.manifests.broken import ACCOUNT, BROKEN, BTC, HEAD, LIVE, SECRET

MANIFESTS = Path(__file__).parents[4] / "manifests"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "m.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(ManifestError) as caught:
        load(written(tmp_path, text))
    return str(caught.value).replace(str(tmp_path) + "/", "")


@pytest.mark.parametrize(("text", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_manifest_names_line_key_and_mend(
    tmp_path: Path, text: str | bytes, expected: str
) -> None:
    first, *others = refusal(tmp_path, text).splitlines()
    assert first.startswith(expected)
    assert not others
    assert re.search(r"; \S+", first), "no mend"
    assert SECRET not in first
    assert "hunter2" not in first


def test_several_mistakes_are_told_at_once_in_order(tmp_path: Path) -> None:
    text = "fleet: T\nnetwork: x\nmarkets:\n  - {asset: BTC, margin_usd: -1}\n"
    lines = refusal(tmp_path, text).splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "2", "4"]


def test_no_file_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"gone\.yaml: no such file; give the path"):
        load(tmp_path / "gone.yaml")
    with pytest.raises(ManifestError, match=r": is a folder without a manifest; name a folder"):
        load(tmp_path)


def market(tmp_path: Path, text: str, name: str = "BTC") -> MarketSettings:
    return load(written(tmp_path, text)).markets[name]


def test_defaults_lie_under_each_market(tmp_path: Path) -> None:
    text = (
        HEAD
        + "defaults: {leverage: 2, strategy: {levels: 7, risk_aversion: 0.9}}\n"
        + BTC
        + "    strategy: {levels: 3}\n"
    )
    btc = market(tmp_path, text)
    assert (btc.leverage, btc.strategy.levels, btc.strategy.risk_aversion) == (2, 3, 0.9)
    assert btc.strategy.half_spread_floor_bps == 8.0


def test_an_isolated_market_has_a_margin_of_its_own(tmp_path: Path) -> None:
    text = HEAD + "markets:\n  - {asset: BTC, dex: hyna, isolated: true}\n"
    assert load(written(tmp_path, text)).markets["hyna:BTC"].margin_usd == 1_000


def test_hours_are_the_markets_or_everybodys(tmp_path: Path) -> None:
    hours = 'schedule: {hours: 09:30-16:00, holidays: [2026-12-25, "2027-01-01"]}'
    spec = load(
        written(tmp_path, HEAD + BTC + f"    {hours}\n  - {{asset: ETH, margin_usd: 1000}}\n")
    )
    assert spec.schedules.keys() == {"BTC"}
    assert spec.schedules["BTC"].holidays == ("2026-12-25", "2027-01-01")
    spec = load(written(tmp_path, HEAD + f"defaults: {{{hours}}}\n" + BTC))
    assert spec.schedules["BTC"].timezone == "America/New_York"
    assert decode(encode(spec)) == spec


def test_limits_are_derived_where_omitted(tmp_path: Path) -> None:
    text = HEAD + BTC + "    leverage: 3\n  - {asset: BTC, dex: hyna, margin_usd: 500}\n"
    spec = load(written(tmp_path, text))
    assert spec.markets["BTC"].risk.position_max_usd == 3000
    assert spec.markets["BTC"].risk.daily_loss_max_usd == 50
    assert spec.risk.gross_notional_max_usd == 3500
    assert spec.risk.underlying_gross_max_usd == 3500
    assert spec.risk.daily_loss_max_usd == 75


def test_position_never_exceeds_what_the_margin_carries(tmp_path: Path) -> None:
    text = HEAD + BTC + "    risk: {position_max_usd: 5000}\n"
    assert market(tmp_path, text).risk.position_max_usd == 1000


@pytest.mark.parametrize("asset", ["BTC", "hyna:BTC"])
def test_dex_names_the_market(tmp_path: Path, asset: str) -> None:
    text = HEAD + f"markets:\n  - {{asset: '{asset}', dex: hyna, margin_usd: 100}}\n"
    assert market(tmp_path, text, "hyna:BTC").underlying == "BTC"


def test_floor_of_fee_and_edge_is_enough(tmp_path: Path) -> None:
    text = HEAD + BTC + "    strategy: {half_spread_floor_bps: 2.0}\n"
    assert market(tmp_path, text).strategy.half_spread_floor_bps == 2.0


def test_paper_takes_values_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.zst").touch()
    monkeypatch.setenv("T_SEED", "11")
    monkeypatch.setenv("T_FILE", str(tmp_path / "a.zst"))
    monkeypatch.setenv("T_ACK", "12.5")
    text = "paper: {seed: {env: T_SEED}, recording: {env: T_FILE}, latency_ms: {ack: {env: T_ACK}}}"
    paper = load(written(tmp_path, f"{HEAD}{text}\n{BTC}")).paper
    assert paper is not None
    assert (paper.seed, paper.recording, paper.latency_ms.ack) == (
        11,
        str(tmp_path / "a.zst"),
        12.5,
    )


def test_recording_is_looked_for_beside_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "a.zst").touch()
    paper = load(written(tmp_path, HEAD + "paper: {recording: a.zst}\n" + BTC)).paper
    assert paper is not None
    assert paper.recording == str(tmp_path / "a.zst")


def test_a_live_network_is_checked_against_what_it_lists(tmp_path: Path) -> None:
    path = written(tmp_path, LIVE + ACCOUNT + BTC)
    assert load(path).account is not None
    listing = {"": {"BTC": Listed(40, isolated_only=False, delisted=True)}}
    with pytest.raises(ManifestError, match="BTC is delisted on mainnet"):
        load(path, listing)


@pytest.mark.parametrize("name", ["paper", "testnet", "prod", "replay"])
def test_shipped_manifests_load_and_round_trip(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r.zst").touch()
    monkeypatch.setenv("FLEET_RECORDING", str(tmp_path / "r.zst"))
    spec = load(MANIFESTS / f"{name}.yaml")
    assert spec.fleet == name
    assert decode(encode(spec)) == spec
    assert encode(decode(encode(spec))) == encode(spec)
    assert msgspec.json.decode(encode(spec))["network"] == spec.network


def test_demo_is_five_markets_on_three_dexs() -> None:
    spec = load(MANIFESTS / "paper.yaml")
    assert list(spec.markets) == ["BTC", "ETH", "SOL", "hyna:BTC", "xyz:NVDA"]
    assert {m.strategy.half_spread_floor_bps for m in spec.markets.values()} == {2.0}
    assert spec.paper is not None
    assert (spec.paper.seed, spec.paper.flow) == (7, "lively")
