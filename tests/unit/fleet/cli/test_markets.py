"""``fleet dexs`` and ``fleet markets`` over the embedded exchange's listing."""

import json
from pathlib import Path

import pytest

from fleet.cli.main import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_HOME", str(tmp_path))


def asked(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert main(args) == 0
    return capsys.readouterr().out


def test_dexs(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(asked(capsys, "dexs", "--url", "paper", "-o", "json"))["dexs"]
    assert [(row["dex"], row["collateral"], row["index"]) for row in rows] == [
        ("", "USDC", 0), ("xyz", "USDC", 1), ("flx", "USDH", 2), ("hyna", "USDE", 3),
        ("km", "USDH", 4),
    ]  # fmt: skip
    main_dex, xyz, *_ = rows
    assert (main_dex["deployer"], main_dex["oi_cap_usd"]) == (None, None)
    assert (xyz["full_name"], xyz["oi_cap_usd"]) == ("XYZ", 600_000_000)
    table = asked(capsys, "dexs", "--url", "paper").splitlines()
    assert table[1].split() == ["(main)", "Hyperliquid", "USDC", "30"]


def test_markets_of_one_dex(capsys: pytest.CaptureFixture[str]) -> None:
    args = ("markets", "--url", "paper", "--dex", "km")
    rows = {row["market"]: row for row in json.loads(asked(capsys, *args, "-o", "json"))["markets"]}
    assert set(rows) == {"km:US500", "km:USBOND", "km:TENCENT"}
    tencent, bond = rows["km:TENCENT"], rows["km:USBOND"]
    assert (tencent["asset"], tencent["asset_id"], tencent["dex"]) == ("TENCENT", 140_002, "km")
    assert (tencent["isolated_only"], tencent["leverage_max"]) == (True, 10)
    assert (tencent["maker_fee_bps"], tencent["collateral"]) == (2.25, "USDH")
    assert (bond["tradable"], tencent["tradable"]) == (False, True)
    assert tencent["mark_px"] is None, "it does not run"
    assert "USBOND" in asked(capsys, *args)


def test_markets_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(asked(capsys, "markets", "--url", "paper", "-o", "json"))["markets"]
    assert len(rows) == 43
    assert len(asked(capsys, "markets", "--url", "paper", "--dex", "").splitlines()) == 32


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["markets", "--url", "paper", "--dex", "hyn"], 3, "--dex hyn: no such DEX there; name"),
        (["markets", "--url", "devnet"], 3, "--url devnet: no network; name paper, mainnet"),
        (["dexs", "--url", "http://127.0.0.1:1"], 7, "out of reach: http://127.0.0.1:1: Conn"),
        (["dexs"], 3, "no fleet in"),
    ],
)
def test_what_cannot_be_asked(
    args: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(args) == code
    said = capsys.readouterr()
    assert said.err.startswith(words)
    assert len(said.err.splitlines()) == 1
