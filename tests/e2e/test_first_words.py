"""What README and quickstart tell a newcomer to type, typed at the demo: all that only looks, a
pause, and the plan of what the quickstart changes. Other tests here apply, halt, resume and end it.
"""

import re
from pathlib import Path

import pytest
import yaml

from fleet.cli.main import main
from tests.e2e.under_test import ROOT, Fleet
from tests.unit.fleet.cli.test_reference import command_line, commands

ELSEWHERE = {
    "apply", "halt", "resume", "down", "backtest", "replay", "simulate", "plan", "rollback", "run",
}  # fmt: skip
LEFT_OUT = {"--watch", "-f", "--fleet", "paper"}


def typed() -> list[str]:
    lines = [line for where, line in commands() if where in {"README.md", "quickstart.md"}]
    found = [command_line(line) for line in lines]
    return sorted({
        " ".join(word for word in words if word not in LEFT_OUT)
        for words in found
        if not ELSEWHERE & set(words) and "--help" not in words
    })  # fmt: skip


@pytest.fixture
def here(paper: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to type in, where only this fleet is known."""
    for name in ("FLEET_HOME", "HOME"):
        monkeypatch.setenv(name, paper.cli.env[name])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", typed())
def test_it_does_as_it_says(here: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--fleet", "paper", *line.split()]) == 0, capsys.readouterr().err
    said = capsys.readouterr()
    assert said.out + said.err
    assert "report" not in line or (here / "report.html").exists()
    if line.startswith("pause "):
        assert main(["--fleet", "paper", *line.replace("pause", "unpause").split()]) == 0


def test_the_quickstarts_manifest_changes_what_it_says(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "quickstart.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    wider, added = map(yaml.safe_load, blocks)
    manifest = yaml.safe_load((ROOT / "manifests" / "paper.yaml").read_text())
    manifest["markets"][0] = wider["markets"][0]
    manifest["markets"] += added
    (here / "mine.yaml").write_text(yaml.safe_dump(manifest))
    assert main(["plan", "mine.yaml"]) == 2
    steps = capsys.readouterr().out
    assert re.search(r"requote +BTC +strategy.half_spread_floor_bps 2 -> 4", steps)
    assert re.search(r"start +km:US500", steps)
