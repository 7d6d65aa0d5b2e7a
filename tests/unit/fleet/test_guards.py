"""The guard from outside: refused in one line, seen when it hangs, and what it told of its key."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from fleet.folder import Folder
from fleet.guards import SILENT_S, GuardFailed, beat, dismiss_guard, hung, key_missing, spawn_guard
from fleet.processes import alive, live, write_pid

Sleeper: TypeAlias = "subprocess.Popen[bytes]"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    made = Folder(tmp_path / "paper")
    made.create()
    return made


@pytest.fixture
def guard(folder: Folder) -> Iterator[Sleeper]:
    """A process in a guard's place: it told of itself, and turns no more."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    write_pid(folder, "guard", process.pid, "0.1.0")
    state = folder.root / "guard_state.json"
    state.write_text(f'{{"pid": {process.pid}, "key": "missing"}}')
    yield process
    process.kill()
    process.wait()


def test_a_guard_that_refuses_is_one_line(folder: Folder) -> None:
    with pytest.raises(GuardFailed, match=r"guard\.json") as refused:
        spawn_guard(folder, "")
    assert "\n" not in str(refused.value)
    assert live(folder) == ()


@pytest.mark.usefixtures("guard")
def test_a_guard_that_beats_does_not_hang_and_one_that_grew_silent_does(folder: Folder) -> None:
    state = folder.root / "guard_state.json"
    os.utime(state, (0, state.stat().st_mtime - SILENT_S - 1))
    told = hung(folder)
    assert told is not None
    assert "has not turned" in told
    beat(folder)
    assert hung(folder) is None
    assert key_missing(folder)


def test_a_stopped_guard_hangs_at_once_and_is_dismissed_all_the_same(
    folder: Folder, guard: Sleeper
) -> None:
    guard.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, guard.pid, os.WSTOPPED)
    assert hung(folder) == "it was stopped"
    dismiss_guard(folder)
    assert alive(folder, "guard") is None
    assert hung(folder) is None, "one that is gone does not hang"
