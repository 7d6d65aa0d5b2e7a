"""What ``fleet replay`` prints of a recording: its JSON, and what agents believed at the end."""

import json
from pathlib import Path

import pytest

from fleet.cli.main import main
from tests.unit.fleet.backtest.tapes import book, trade, write

MANIFEST = """
fleet: short
network: paper
paper:
  recording: {env: FLEET_RECORDING}
  flow: real
defaults:
  leverage: 3
markets:
  - asset: SOL
    margin_usd: 3000
  - asset: ETH
    margin_usd: 3000
"""
SECONDS = 30


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Half a minute in which the mid goes a basis point to and fro, with a seller a second."""
    lines = []
    for step in range(2 * SECONDS):
        mid = 200.0 + 0.02 * (step % 2)
        lines.append(book(step / 2, mid - 0.01, mid + 0.01))
        if step % 2:
            lines.append(trade(step / 2 + 0.1, "A", mid - 0.03, 1.0, step))
    return write(tmp_path / "short.jsonl.zst", lines)


def test_its_estimates_tell_what_each_market_believed_at_the_end(
    tmp_path: Path,
    recording: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FLEET_RECORDING", str(recording))
    (tmp_path / "short.yaml").write_text(MANIFEST)
    args = ["replay", str(tmp_path / "short.yaml"), "--recording", str(recording), "-o", "json"]
    assert main(args) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert "ETH: not in the recording" in told.err
    assert found["left_out"] == ["ETH"]
    assert list(found["estimates"]) == ["SOL"]
    believed = found["estimates"]["SOL"]
    assert believed["ready"]
    assert believed["warm_share"] == 1.0
    assert believed["sigma_known"]
    assert 0.5 < believed["sigma_bps"] < 1.0, "a basis point or none between books looked at"
    assert abs(believed["fair_px"] - believed["mid_px"]) <= 0.01 + 1e-9
    beliefs = believed["beliefs"]
    assert beliefs["bid"]["bursts"] > 10
    assert beliefs["ask"]["bursts"] < 1
    assert beliefs["bid"]["fills_per_s"] > beliefs["ask"]["fills_per_s"]
    assert beliefs["depth_usd"] == pytest.approx([1_000.0, 1_000.0], rel=0.01)
    assert beliefs["depth_ratio"] == pytest.approx(1.0, rel=0.01)
    assert beliefs["regime"] is None
    assert beliefs["own_bid"] is None or beliefs["own_bid"]["s60"] is None
