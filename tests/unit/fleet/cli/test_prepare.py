"""What apply writes into a fleet's folder: once, with the right modes, and checked ever after."""

import json
from pathlib import Path

import msgspec
import pytest

from fleet.cli.failure import Failure
from fleet.cli.find import identity
from fleet.cli.prepare import check_identity, check_venue, prepare
from fleet.folder import Folder
from fleet.manifests.load import load
from fleet.manifests.spec import FleetSpec, PaperSpec

ADDRESS = "0x" + "ab" * 20
TEXT = (
    "fleet: t\nnetwork: paper\npaper: {flow: lively}\nmarkets: [{asset: BTC, margin_usd: 9000}]\n"
)


@pytest.fixture
def spec(tmp_path: Path) -> FleetSpec:
    path = tmp_path / "m.yaml"
    path.write_text(TEXT)
    return load(path)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "t")
    for path in (folder.root, folder.venue):
        path.mkdir()
    return folder


def test_files_are_private_and_complete(folder: Folder, spec: FleetSpec) -> None:
    prepare(folder, spec, ADDRESS)
    for path in (folder.fleet_json, folder.token, folder.venue / "config.json"):
        assert path.stat().st_mode & 0o777 == 0o600
    known = identity(folder)
    assert known is not None
    assert (known.fleet, known.network, known.address) == ("t", "paper", ADDRESS)
    assert len(bytes.fromhex(known.instance)) == 3
    guard = json.loads((folder.root / "guard.json").read_text())
    assert guard == {"network": "paper", "url": None, "venue": True}
    config = json.loads((folder.venue / "config.json").read_text())
    assert config["flow"] == "lively"
    assert config["fund"] == {ADDRESS: 18_000}
    assert "recording" not in config


def test_identity_and_token_are_written_once(folder: Folder, spec: FleetSpec) -> None:
    prepare(folder, spec, ADDRESS)
    before = folder.fleet_json.read_bytes(), folder.token.read_bytes()
    prepare(folder, spec, ADDRESS)
    assert (folder.fleet_json.read_bytes(), folder.token.read_bytes()) == before
    assert check_identity(folder, spec) == identity(folder)


def test_another_network_under_the_same_name_is_refused(folder: Folder, spec: FleetSpec) -> None:
    assert check_identity(folder, spec) is None
    prepare(folder, spec, ADDRESS)
    with pytest.raises(Failure, match="exists with network paper, the manifest says testnet"):
        check_identity(folder, msgspec.structs.replace(spec, network="testnet"))


def test_a_running_venue_is_not_changed_behind_its_back(folder: Folder, spec: FleetSpec) -> None:
    prepare(folder, spec, ADDRESS)
    check_venue(folder, spec)
    other = msgspec.structs.replace(spec, paper=PaperSpec(seed=8, flow="lively"))
    with pytest.raises(Failure, match=r"paper\.seed changed, and the embedded exchange runs"):
        check_venue(folder, other)
