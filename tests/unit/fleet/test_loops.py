"""What is told of the event loops: every process's, the venue's among them; of the dead nothing."""

from pathlib import Path

import msgspec
import pytest

from agents.runtime.loops import LoopView
from fleet import loops
from fleet.folder import Folder

NOW_MS = 1_000_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = Folder(tmp_path / "paper")
    folder.create()
    folder.loops.mkdir()
    return folder


def told(folder: Folder, process: str, as_of_ms: int) -> None:
    view = LoopView(
        pid=1, as_of_ms=as_of_ms, watched_s=1.0, worst_ms=2.0, worst_own_ms=1.0,
        minute_worst_ms=2.0, stalls=0, own_stalls=0, last=(),
    )  # fmt: skip
    folder.loop(process).write_bytes(msgspec.json.encode(view))


def test_each_process_is_seen_by_its_name_and_the_venue_in_its_own_folder(folder: Folder) -> None:
    for process in ("gateway", "hyna:BTC", "venue"):
        told(folder, process, NOW_MS - 1_000)
    assert set(loops.observed(folder, NOW_MS)) == {"gateway", "hyna:BTC", "venue"}


def test_one_that_told_nothing_for_half_a_minute_is_gone(folder: Folder) -> None:
    told(folder, "gateway", NOW_MS - loops.AGE_MAX_MS + 1)
    told(folder, "supervisor", NOW_MS - loops.AGE_MAX_MS)
    assert set(loops.observed(folder, NOW_MS)) == {"gateway"}


def test_a_broken_file_is_no_process(folder: Folder) -> None:
    folder.loop("gateway").write_text("{", encoding="utf-8")
    assert loops.observed(folder, NOW_MS) == {}
