"""A whole backtest on a made recording: a row for each maker; equal runs are equal."""

from pathlib import Path

from fleet.backtest.run import ABLATIONS, Bout, makers, run
from tests.unit.fleet.backtest.tapes import quiet, write


def test_each_maker_has_its_row_and_ours_quotes(tmp_path: Path) -> None:
    recording = write(tmp_path / "still.jsonl.zst", quiet(60))
    rows = list(run([recording], Bout(), makers(ablate=False)))
    assert [(row.market, row.maker) for row in rows] == [
        ("SOL", "fleet"), ("SOL", "fixed"), ("SOL", "ancestor"),
        ("all", "fleet"), ("all", "fixed"), ("all", "ancestor"),
    ]  # fmt: skip
    ours = rows[0]
    assert ours.fills == 0
    assert ours.pnl_bps is None
    assert ours.uptime_share is not None
    assert ours.uptime_share > 0.95
    assert rows == list(run([recording], Bout(), makers(ablate=False)))


def test_ablations_change_one_thing_each() -> None:
    assert set(makers(ablate=True)) == {"fleet", "fixed", "ancestor", *ABLATIONS}
    assert len(set(ABLATIONS.values())) == len(ABLATIONS)
