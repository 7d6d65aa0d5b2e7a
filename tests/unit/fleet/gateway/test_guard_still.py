"""A ledger that lives and does nothing is seen: stopped, or silent for too long."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.folder import Folder
from fleet.gateway.guard_child import Child
from fleet.gateway.guard_still import SILENT_S, STOPPED_S, Stillness
from fleet.ledger.health import Health, LedgerState, state_path
from fleet.processes import write_pid


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[tuple[Folder, Child]]:
    folder = Folder(tmp_path)
    folder.pids.mkdir()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    write_pid(folder, "ledger", process.pid, "test")
    child = Child(folder, "ledger", prompt=False, say=lambda *_, **__: None)
    assert child.adopt()
    yield folder, child
    process.kill()
    process.wait()
    assert child.pidfd is not None
    os.close(child.pidfd)


def test_one_that_is_stopped_is_given_three_seconds(ledger: tuple[Folder, Child]) -> None:
    folder, child = ledger
    still, now_s = Stillness(child, state_path(folder)), time.monotonic()
    assert still.look(now_s) is None
    child.send(signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid or 0, os.WSTOPPED)
    assert still.look(now_s) is None
    assert still.look(now_s + STOPPED_S) == "it was stopped"
    child.send(signal.SIGCONT)
    os.waitid(os.P_PID, child.pid or 0, os.WCONTINUED)
    assert still.look(now_s + STOPPED_S) is None


def test_one_that_does_not_beat_is_given_a_minute(ledger: tuple[Folder, Child]) -> None:
    folder, child = ledger
    path = state_path(folder)
    health = Health(path)
    health.tell(LedgerState())
    os.utime(path, (0, time.time() - SILENT_S - 1))
    still, now_s = Stillness(child, path), time.monotonic()
    assert still.look(now_s) is None, "it was adopted just now"
    assert "has not turned" in (still.look(now_s + SILENT_S + 1) or "")
    health.beat()
    assert still.look(now_s + SILENT_S + 1) is None
