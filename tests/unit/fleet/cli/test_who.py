"""``fleet who CLOID``: from an order id to the fleet, market and generation that sent it."""

import json
from pathlib import Path

import pytest

from fleet.cli.main import main
from fleet.gateway.core.cloids import lease_prefix

CLOID = "0x" + lease_prefix("abcdef", 3, 17) + f"{42:012x}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fleet ``t``, instance abcdef, whose third market is hyna:BTC."""
    monkeypatch.setenv("FLEET_HOME", str(tmp_path))
    folder = tmp_path / "t"
    (folder / "gateway").mkdir(parents=True)
    identity = {
        "schema": "fleet/1", "fleet": "t", "network": "paper", "address": "0x" + "ab" * 20,
        "instance": "abcdef", "created_ms": 1,
    }  # fmt: skip
    (folder / "fleet.json").write_text(json.dumps(identity))
    leases = {"BTC": {"number": 1}, "hyna:BTC": {"number": 3, "generation": 17}}
    (folder / "gateway" / "leases.json").write_text(json.dumps(leases))
    return folder


@pytest.mark.usefixtures("folder")
def test_an_order_of_a_fleet_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["who", CLOID]) == 0
    assert capsys.readouterr().out.strip() == "fleet t: hyna:BTC, generation 17, order 42"


@pytest.mark.usefixtures("folder")
def test_as_json_and_in_capitals(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["who", " " + CLOID.upper().replace("0X", "0x"), "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["fleet"], told["market"]) == ("t", "hyna:BTC")
    assert (told["generation"], told["sequence"]) == (17, 42)


@pytest.mark.usefixtures("folder")
def test_an_order_of_another_instance_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["who", CLOID.replace("abcdef", "123456")]) == 0
    assert "instance 123456, not of" in capsys.readouterr().out


def test_a_market_that_is_not_known_keeps_its_number(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "gateway" / "leases.json").unlink()
    assert main(["who", CLOID]) == 0
    assert "market number 3" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("cloid", ["0x" + "0" * 32, "0xf1ee", "hello"])
def test_a_strangers_order_is_no_fleets(cloid: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["who", cloid]) == 3
    assert "no fleet sent this order" in capsys.readouterr().err


def test_leases_of_another_build_are_told_in_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "gateway" / "leases.json").write_text("[]")
    assert main(["who", CLOID]) == 1
    said = capsys.readouterr().err
    assert "leases.json" in said
    assert len(said.splitlines()) == 1
