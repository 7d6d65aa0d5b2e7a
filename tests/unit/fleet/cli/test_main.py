"""The command line: exit codes, one line a failure, and what the reading verbs may import."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleet.cli.main import main

ROOT = Path(__file__).parents[4]
HEAVY = ("ray", "aiohttp", "pydantic", "numpy", "yaml", "coincurve", "websockets")
GOOD = "fleet: t\nnetwork: paper\nmarkets:\n  - asset: BTC\n    margin_usd: 1000\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "fleets"
    monkeypatch.setenv("FLEET_HOME", str(home))
    return home


def make_fleet(home: Path, name: str, network: str = "paper") -> Path:
    folder = home / name
    folder.mkdir(parents=True)
    identity = {
        "schema": "fleet/1", "fleet": name, "network": network, "address": "0x" + "ab" * 20,
        "instance": "abcdef", "created_ms": 1,
    }  # fmt: skip
    (folder / "fleet.json").write_text(json.dumps(identity))
    (folder / "logs").mkdir()
    return folder


def manifest(tmp_path: Path, text: str = GOOD) -> str:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["frobnicate"], "No such command"),
        (["status", "--frob"], "No such option: --frob"),
        (["validate"], "Missing argument 'PATH'"),
        (["status", "-o", "xml"], "'xml' is not one of"),
        (["resume"], "Missing option '--reason'"),
        (["apply", "m.yaml", "--wait", "soon"], "'soon' is not a valid float"),
        (["status"], "no fleet in"),
        (["--fleet", "x", "status"], "no fleet 'x' in"),
        (["validate", "gone.yaml"], "gone.yaml: no such file"),
        (["apply", "gone.yaml", "--yes"], "gone.yaml: no such file"),
        (["venue", "--port", "many"], "--port"),
        (["venue", "--frob"], "--frob"),
    ],
)
def test_usage_errors_exit_3_with_one_line(
    args: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(args) == 3
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


@pytest.mark.parametrize("args", [["--help"], ["status", "--help"], ["venue", "--help"]])
def test_help_exits_0(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(args) == 0
    assert "usage" in capsys.readouterr().out.lower()


def test_validate_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", manifest(tmp_path)]) == 0
    assert "valid: fleet t on paper, 1 markets: BTC" in capsys.readouterr().out


def test_validate_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = manifest(tmp_path, GOOD.replace("1000", "-1"))
    assert main(["validate", path, "-o", "json"]) == 3
    said = capsys.readouterr()
    (problem,) = json.loads(said.out)["problems"]
    assert (problem["line"], problem["key"]) == (5, "markets[0].margin_usd")
    assert said.err.startswith(f"{path}:5: markets[0].margin_usd: -1 is not above 0; ")


def test_a_broken_manifest_starts_nothing(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", manifest(tmp_path, GOOD + "x: 1\n"), "--yes"]) == 3
    assert "m.yaml:6: x: unknown key 'x'" in capsys.readouterr().err
    assert not home.exists()


def test_apply_without_a_terminal_needs_yes(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "empty").open("w+") as no_terminal:
        monkeypatch.setattr(sys, "stdin", no_terminal)
        assert main(["apply", manifest(tmp_path)]) == 3
    said = capsys.readouterr()
    assert "add --yes" in said.err
    assert "start    BTC" in said.out
    assert not home.exists()


def test_apply_refuses_an_unknown_market(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", manifest(tmp_path), "--yes", "--only", "ETH"]) == 3
    assert "--only ETH: no such market in the manifest; name one of BTC" in capsys.readouterr().err


def test_apply_of_a_halted_fleet_exits_5(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_fleet(home, "t")
    (folder / "HALT").write_text('{"reason":"too fast","by":"me","at_ms":1}')
    assert main(["apply", manifest(tmp_path), "--yes"]) == 5
    assert "halted: too fast (by me); lift it first: fleet resume" in capsys.readouterr().err


def test_a_latch_that_cannot_be_read_halts_all_the_same(home: Path, tmp_path: Path) -> None:
    (make_fleet(home, "t") / "HALT").write_bytes(b"\xff\x00")
    assert main(["apply", manifest(tmp_path), "--yes"]) == 5


def test_apply_of_another_account_under_the_same_name(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_fleet(home, "t", network="testnet")
    assert main(["apply", manifest(tmp_path), "--yes"]) == 3
    assert "fleet t exists with network testnet, the manifest says paper" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["testnet", "prod"])
def test_live_manifests_without_a_key_exit_3(
    name: str, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLEET_API_KEY", raising=False)
    assert main(["apply", str(ROOT / "manifests" / f"{name}.yaml"), "--yes"]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("api_wallet: environment variable FLEET_API_KEY is not set; export")
    assert not home.exists()


def test_several_fleets_need_a_name(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_fleet(home, "a")
    make_fleet(home, "b")
    assert main(["status"]) == 3
    assert "several fleets are known: a, b; name one: --fleet NAME" in capsys.readouterr().err


def test_status_of_a_fleet_at_rest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_fleet(home, "a")
    assert main(["-o", "json", "--fleet", "a", "status"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["gateway"], document["supervisor"], document["markets"]) == (
        "down",
        "down",
        [],
    )
    assert main(["status"]) == 0
    assert "gateway: down" in capsys.readouterr().out


def test_status_of_an_unknown_market(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_fleet(home, "a")
    assert main(["status", "BTC"]) == 3
    assert "no market 'BTC' in fleet a" in capsys.readouterr().err


def test_halt_without_a_gateway_exits_7(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_fleet(home, "a")
    assert main(["halt"]) == 7
    assert "the gateway of fleet a is out of reach" in capsys.readouterr().err


def test_resume_at_rest_lifts_the_latch(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    latch = make_fleet(home, "a") / "HALT"
    latch.write_text("{}")
    assert main(["resume", "--reason", "mended"]) == 0
    assert not latch.exists()
    assert main(["resume", "--reason", "again"]) == 0
    assert "not halted" in capsys.readouterr().out


def test_down_of_a_fleet_that_does_not_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_fleet(home, "a")
    assert main(["down"]) == 0
    assert "fleet a is not running" in capsys.readouterr().out


def test_logs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = make_fleet(home, "a") / "logs"
    (logs / "hyna%3ABTC.jsonl").write_text('{"at_ms":2000,"event":"b.two","px":1}\nnot json\n')
    (logs / "gateway.jsonl").write_text('{"at_ms":1000,"event":"a.one"}\n')
    assert main(["logs", "hyna:BTC"]) == 0
    assert capsys.readouterr().out == "1970-01-01T00:00:02.000Z  b.two  px=1\nnot json\n"
    assert main(["logs", "hyna:BTC", "-n", "1"]) == 0
    assert capsys.readouterr().out == "not json\n"
    assert main(["logs"]) == 0
    assert "1970-01-01T00:00:01.000Z  gateway  a.one" in capsys.readouterr().out
    assert main(["logs", "ETH"]) == 3
    assert "no log of 'ETH' in fleet a; there are: gateway, hyna:BTC" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "exit_code"),
    [
        (["status", "-o", "json"], 0),
        (["halt", "-o", "json"], 7),
        (["resume", "--reason", "x"], 0),
        (["logs"], 0),
        (["history"], 0),
        (["pnl", "--since", "24h"], 0),
        (["dexs", "--url", "paper"], 0),
        (["markets", "--url", "paper"], 0),
    ],
)
def test_reading_verbs_import_nothing_heavy(home: Path, args: list[str], exit_code: int) -> None:
    (make_fleet(home, "a") / "HALT").write_text("{}")
    code = (
        "import sys; from fleet.cli.main import main; code = main(sys.argv[1:]);"
        f"loaded = {set(HEAVY)!r} & {{m.partition('.')[0] for m in sys.modules}};"
        "sys.exit(f'imported {loaded}' if loaded else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == exit_code, done.stderr


def test_an_unexpected_failure_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (make_fleet(home, "a") / "fleet.json").write_text("{")
    assert main(["status"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "fleet.json is broken" in line


def test_a_reader_that_leaves_early_is_no_error(home: Path) -> None:
    logs = make_fleet(home, "a") / "logs"
    (logs / "gateway.jsonl").write_text("x" * 80 + "\n" + "y\n" * 5000)
    code = "import sys; from fleet.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -c '{code}' logs -n 5000 | head -1"],
        cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
