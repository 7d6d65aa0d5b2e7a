"""``fleet record``: where it records from, and how it says no."""

from pathlib import Path

import pytest

from fleet.cli.main import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_HOME", str(tmp_path / "fleets"))


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (["--from", "paper"], 3, "--from paper: no network; name mainnet, testnet, or a URL"),
        (["--from", "http://127.0.0.1:1"], 7, "cannot connect to ws://127.0.0.1:1/ws"),
        ([], 3, "no fleet in"),
    ],
)
def test_a_source_that_is_none_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: list[str], code: int, words: str
) -> None:
    path = tmp_path / "a.jsonl.zst"
    assert main(["record", str(path), "--market", "BTC", *source]) == code
    assert words in capsys.readouterr().err
    assert not path.exists()


def test_no_recording_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jsonl.zst"
    path.write_text("mine")
    assert main(["record", str(path), "--market", "BTC", "--from", "mainnet"]) == 3
    assert "none is overwritten" in capsys.readouterr().err
    assert path.read_text() == "mine"
