"""What status tells of a rollout: from the supervisor's own record, also while it is away."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from fleet.cli.rollout_view import read_shown, rollout_json, rollout_line
from fleet.manifests.spec import FleetSpec, RolloutSpec, encode
from fleet.supervisor.gates import Watch
from fleet.supervisor.rollout import Rollout, RolloutBook
from fleet.supervisor.store import Store
from tests.unit.fleet.views import spec

WATCH = Watch(since_ms=10_000, position_sz=0.0, mark_px=1.0, due_s=0.0, up_s=0.0, requests=0)
CANARY = Rollout(
    rev=2, base=1, stage="canary", since_ms=5_000, canaries=("BTC", "ETH"),
    pending={"SOL": True, "XRP": True}, watches={"BTC": WATCH},
)  # fmt: skip
PHASES = {"BTC": (2, "QUOTING"), "ETH": (2, "WARMUP"), "SOL": (1, "QUOTING")}


def told(folder: Path, rollout: Rollout) -> dict[str, Any]:
    """Written by the supervisor, read by status."""
    store = Store(folder / "store.db")
    wanted: FleetSpec = msgspec.structs.replace(spec(), rollout=RolloutSpec(bake_s=60.0))
    for _ in range(2):
        store.revise(encode(wanted).decode(), {}, "test", 0)
    RolloutBook(store.db).put(rollout)
    store.close()
    found = rollout_json(read_shown(folder / "store.db"), PHASES, 25_000)
    assert found is not None
    return found


def test_no_store_and_no_rollout_are_none(tmp_path: Path) -> None:
    assert read_shown(tmp_path / "store.db") is None
    Store(tmp_path / "store.db").close()
    assert rollout_json(read_shown(tmp_path / "store.db"), {}, 0) is None
    assert rollout_line(None, 1) is None


def test_a_canary_says_how_long_it_is_watched_and_who_waits(tmp_path: Path) -> None:
    found = told(tmp_path, CANARY)
    assert (found["revision"], found["base"], found["stage"]) == (2, 1, "canary")
    assert found["canaries"] == [
        {"market": "BTC", "state": "watched", "watched_s": 15.0, "thin": False},
        {"market": "ETH", "state": "waits", "watched_s": None, "thin": False},
    ]
    assert found["waiting"] == ["SOL", "XRP"]
    assert (found["going"], found["settled"]) == (["ETH"], ["BTC"])
    assert rollout_line(found, 2) == (
        "rollout of revision 2: canary BTC watched for 15 of 60 s, ETH starts; 2 markets wait"
    )


def test_a_wave_says_how_many_have_settled_and_why_it_goes_on(tmp_path: Path) -> None:
    wave = msgspec.structs.replace(
        CANARY, stage="wave", told="BTC: stood every gate", pending={}, watches={}
    )
    found = told(tmp_path, wave)
    assert {row["state"] for row in found["canaries"]} == {"judged"}
    line = "rollout of revision 2: 1 of 2 markets have settled (BTC: stood every gate)"
    assert rollout_line(found, 2) == line


@pytest.mark.parametrize(
    ("stage", "revision", "words"),
    [("rolled_back", 3, "rolled back"), ("paused", 2, "paused"), ("paused", 3, None),
     ("rolled_back", 4, None), ("done", 2, None), ("superseded", 3, None)],
)  # fmt: skip
def test_an_end_that_needs_eyes_is_told_until_another_revision(
    tmp_path: Path, stage: Any, revision: int, words: str | None
) -> None:
    ended = msgspec.structs.replace(CANARY, stage=stage, told="BTC: taker fill", pending={})
    shown = told(tmp_path, ended)
    assert shown["going"] == [], "what a market does after it is no part of it"
    found = rollout_line(shown, revision)
    expected = None if words is None else f"rollout of revision 2: {words}: BTC: taker fill"
    assert found == expected
