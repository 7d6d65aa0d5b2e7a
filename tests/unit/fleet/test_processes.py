"""Processes seen from outside: alive by pid *and* start, found by what they run, ended by pidfd."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from fleet.folder import Folder
from fleet.processes import (
    alive,
    clean_environment,
    clear_stale,
    end,
    find,
    is_stopped,
    live,
    python,
    start_ticks,
    stop,
    write_pid,
)

Sleeper: TypeAlias = "subprocess.Popen[bytes]"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    made = Folder(tmp_path / "paper")
    made.create()
    return made


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def record(folder: Folder, process: str, **facts: object) -> None:
    folder.pid(process).write_text(json.dumps({"build": "x", **facts}))


def test_a_recorded_process_is_alive_until_it_ends(folder: Folder, sleeper: Sleeper) -> None:
    write_pid(folder, "gateway", sleeper.pid, "0.1.0")
    assert alive(folder, "gateway") == sleeper.pid
    assert json.loads(folder.pid("gateway").read_text())["build"] == "0.1.0"
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert start_ticks(sleeper.pid) is None, "a zombie is not alive"
    assert alive(folder, "gateway") is None


def test_a_pid_given_out_again_is_not_our_process(folder: Folder, sleeper: Sleeper) -> None:
    ticks = start_ticks(sleeper.pid)
    assert ticks is not None
    record(folder, "gateway", pid=sleeper.pid, start_ticks=ticks - 1)
    assert alive(folder, "gateway") is None
    assert stop(folder, "gateway", 1.0)
    assert sleeper.poll() is None, "the stranger under our old pid lives on"
    assert not folder.pid("gateway").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x", "start_ticks": 1}', '{"pid": 1}'])
def test_a_damaged_pid_file_means_not_running(folder: Folder, text: str) -> None:
    folder.pid("ledger").write_text(text)
    assert alive(folder, "ledger") is None
    assert clear_stale(folder) == ("ledger.json is not readable; removed",)


def test_stale_pid_files_are_removed_and_said(folder: Folder, sleeper: Sleeper) -> None:
    write_pid(folder, "guard", sleeper.pid, "x")
    record(folder, "ledger", pid=2**22 + 1, start_ticks=5)
    record(folder, "venue", pid=sleeper.pid, start_ticks=5)
    record(folder, "ray", pid=2**22 + 1, start_ticks=5)
    assert clear_stale(folder, ("guard", "ledger", "venue")) == (
        f"ledger.json names pid {2**22 + 1}, which is gone; removed",
        f"venue.json names pid {sleeper.pid}, which is another process by now; removed",
    )
    assert alive(folder, "guard") == sleeper.pid
    assert folder.pid("ray").exists()


def test_a_process_that_ignores_sigterm_is_killed() -> None:
    code = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    assert end(process.pid, start_ticks(process.pid), 0.1)
    assert process.wait() == -9
    process.stdout.close()


def test_ending_what_is_gone_is_no_error(folder: Folder) -> None:
    assert stop(folder, "gateway", 0.1)
    assert end(2**22 + 1, 5, 0.1)


@pytest.fixture
def mention(tmp_path: Path) -> Iterator[Sleeper]:
    """A process that runs one of our modules on the folder; here the ledger, waiting for a log."""
    Folder(tmp_path / "paper").create()
    process = subprocess.Popen(
        python("fleet.ledger.main", "--folder", str(tmp_path / "paper")),
        env=clean_environment(os.environ),
        stderr=subprocess.DEVNULL,
    )
    yield process
    process.kill()
    process.wait()


def test_live_finds_by_command_line_what_no_pid_file_names(
    folder: Folder, mention: Sleeper, tmp_path: Path
) -> None:
    assert [(found.name, found.pid) for found in live(folder)] == [
        ("fleet.ledger.main", mention.pid)
    ]
    assert find(folder, "fleet.ledger.main") == (mention.pid,)
    assert find(folder, "fleet.gateway.main") == ()
    write_pid(folder, "ledger", mention.pid, "x")
    assert [found.name for found in live(folder)] == ["ledger"]
    assert live(Folder(tmp_path / "pape")) == ()
    assert live(Folder(tmp_path / "paper2")) == ()


def test_live_finds_rays_children_by_the_fleets_token(folder: Folder) -> None:
    environment = {**clean_environment(os.environ), "RAY_AUTH_TOKEN_PATH": str(folder.ray_token)}
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env=environment
    )
    try:
        assert [found.pid for found in live(folder)] == [process.pid]
    finally:
        process.kill()
        process.wait()
    assert live(folder) == ()


def test_the_users_own_pager_on_a_log_is_not_ours(folder: Folder) -> None:
    folder.log("gateway").touch()
    process = subprocess.Popen(["tail", "-f", str(folder.log("gateway"))])
    try:
        time.sleep(0.05)
        assert live(folder) == ()
    finally:
        process.kill()
        process.wait()


def test_children_get_an_allow_list_and_never_the_key() -> None:
    secret = "5e" * 32
    environ = {
        "PATH": "/bin", "HOME": "/h", "FLEET_API_KEY": secret, "AWS_TOKEN": "x", "LANG": "C",
        "TZ": f"odd-{secret}",
    }  # fmt: skip
    clean = clean_environment(environ, secret)
    assert clean.keys() == {"PATH", "HOME", "LANG", "PYTHONPATH"}


def test_a_stopped_process_is_alive_and_known_to_be_stopped(sleeper: Sleeper) -> None:
    assert not is_stopped(sleeper.pid)
    sleeper.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED)
    assert is_stopped(sleeper.pid)
    assert start_ticks(sleeper.pid) is not None
    sleeper.send_signal(signal.SIGCONT)
    os.waitid(os.P_PID, sleeper.pid, os.WCONTINUED)
    assert not is_stopped(sleeper.pid)
