"""``fleet plan`` without a supervisor: by what was written down, or of a fleet that never ran."""

import json
from pathlib import Path
from typing import Any

import pytest

from fleet.cli import network
from fleet.cli.main import main
from fleet.cli.plan import planned
from fleet.cli.start import Running
from fleet.folder import Folder
from fleet.manifests.load import load
from fleet.manifests.spec import encode
from fleet.supervisor.store import Store

TEXT = """fleet: t
network: paper
defaults: {leverage: 3, strategy: {half_spread_floor_bps: 4.0}}
markets:
  - {asset: BTC, margin_usd: 1000}
  - {asset: BTC, dex: hyna, margin_usd: 500}
"""
GUARD_ALONE = Running(guard=True, head=False, supervisor=False)
NOTHING = Running(guard=False, head=False, supervisor=False)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLEET_HOME", str(tmp_path / "fleets"))
    return tmp_path / "fleets"


def manifest(tmp_path: Path, text: str = TEXT) -> Path:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    return path


def document(capsys: pytest.CaptureFixture[str], path: Path, *args: str) -> Any:
    assert main(["plan", str(path), "-o", "json", *args]) == 2
    return json.loads(capsys.readouterr().out)


def applied(tmp_path: Path) -> Folder:
    """A fleet whose supervisor wrote the manifest down, and is away."""
    folder = Folder.of("t")
    folder.root.mkdir(parents=True)
    spec = load(manifest(tmp_path))
    store = Store(folder.store_db)
    store.revise(encode(spec).decode(), dict.fromkeys(spec.markets, True), "ann", 1)
    store.close()
    return folder


def test_of_a_fleet_that_never_ran(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = document(capsys, manifest(tmp_path))
    assert [(s["market"], s["class"]) for s in told["steps"]] == [
        ("BTC", "start"), ("hyna:BTC", "start"),
    ]  # fmt: skip
    assert (told["revision"], told["needs"]) == (0, [])
    assert told["to_start"] == ["gateway", "Ray", "supervisor"]
    assert told["manifest"]["markets"]["BTC"]["strategy"]["levels"] == 5, "the whole is shown"
    assert not home.exists(), "a plan writes nothing"


def test_viability_of_paper_knows_what_the_exchange_lists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    viability = document(capsys, manifest(tmp_path))["viability"]
    btc, hyna = viability["markets"]
    assert (btc["fee_bps"], btc["half_spread_bps"]) == (1.5, 5.0)
    assert hyna["fee_bps"] == pytest.approx(1.5 * 1.1111)
    assert "open interest" in btc["unknown"]
    assert [(d["dex"], d["token"], d["needed"]) for d in viability["dexes"]] == [
        ("", "USDC", 1000), ("hyna", "USDE", 500),
    ]  # fmt: skip
    assert viability["hours_to_empty"] is None


def test_as_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = TEXT.replace("margin_usd: 500", "margin_usd: 10")
    assert main(["plan", str(manifest(tmp_path, text))]) == 2
    said = capsys.readouterr().out
    assert "  start    BTC          margin 1,000 USD x 3" in said
    assert "warning: hyna:BTC: one side may add 15 USD, fewer than two" in said


def test_only_one_market(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = document(capsys, manifest(tmp_path), "--only", "hyna:BTC")
    assert [s["market"] for s in told["steps"]] == ["hyna:BTC"]
    assert main(["plan", str(manifest(tmp_path)), "--only", "ETH"]) == 3


def test_while_the_supervisor_is_away_by_what_it_wrote_down(tmp_path: Path) -> None:
    folder = applied(tmp_path)
    same = planned(folder, load(manifest(tmp_path)), GUARD_ALONE, None)
    assert (same.revision, same.steps) == (1, ())
    text = TEXT.replace("leverage: 3", "leverage: 5").replace("BTC, dex: hyna", "ETH")
    changed = planned(folder, load(manifest(tmp_path, text)), GUARD_ALONE, None)
    assert [(s.market, s.kind, s.raises_risk) for s in changed.steps] == [
        ("*", "hot", True), ("BTC", "restart", True), ("ETH", "start", False),
        ("hyna:BTC", "remove", False),
    ]  # fmt: skip
    only = planned(folder, load(manifest(tmp_path, text)), GUARD_ALONE, "BTC")
    assert [s.market for s in only.steps] == ["BTC"]


def test_where_nothing_runs_all_is_started_and_a_raise_is_still_told(tmp_path: Path) -> None:
    folder = applied(tmp_path)
    text = TEXT.replace("leverage: 3", "leverage: 5")
    plan = planned(folder, load(manifest(tmp_path, text)), NOTHING, None)
    assert [(s.market, s.kind, s.raises_risk) for s in plan.steps] == [
        ("*", "hot", True), ("BTC", "start", True), ("hyna:BTC", "start", True),
    ]  # fmt: skip


def test_a_store_that_cannot_be_read(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = home / "t"
    folder.mkdir(parents=True)
    (folder / "store.db").write_text("no database, and longer than a header would be" * 9)
    assert main(["plan", str(manifest(tmp_path))]) == 1
    assert "store.db cannot be read: file is not a database; try again" in capsys.readouterr().err


def test_an_apply_that_raises_a_limit_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = applied(tmp_path)
    path = manifest(tmp_path, TEXT.replace("leverage: 3", "leverage: 5"))
    assert main(["apply", str(path), "--yes"]) == 3
    words = "limits would rise: the fleet, BTC, hyna:BTC; apply with --allow risk-increase"
    assert capsys.readouterr().err.splitlines() == [words]
    assert {p.name.partition("-")[0] for p in folder.root.iterdir()} == {"store.db"}


@pytest.mark.parametrize("name", ["testnet", "prod"])
def test_a_network_out_of_reach_is_exit_7_and_one_line(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for each in list(network.URLS):
        monkeypatch.setitem(network.URLS, each, "http://127.0.0.1:1")
    manifest = Path(__file__).parents[4] / "manifests" / f"{name}.yaml"
    assert main(["plan", str(manifest)]) == 7
    told = capsys.readouterr()
    assert told.out == ""
    assert "is out of reach: http://127.0.0.1:1" in told.err
    assert told.err.count("\n") == 1
    assert not home.exists() or list(home.iterdir()) == [], "nothing was touched"
