"""Whoever does not say that it is halted is ended; who says so, or belongs elsewhere, is left."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleet.folder import Folder
from fleet.gateway.direct_beside import Beside

_LISTEN = """
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[-1])
listener.listen()
print("ready", flush=True)
while True:
    asked, _ = listener.accept()
    asked.recv(4096)
    halted = sys.argv[1]
    asked.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\n{"link": "up", "halted": ' + halted.encode() + b"}")
    asked.close()
"""
_SLEEP = "print('ready', flush=True); import time; time.sleep(60)"
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "f")
    made.create()
    made.token.write_text("a-token")
    return made


@pytest.fixture
def start() -> Iterator[Start]:
    """Processes that look like a gateway of the folder's."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(folder: Folder, code: str, halted: str = "") -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-c", code, halted, "-m", "fleet.gateway.main", "--folder",
             str(folder.root), str(folder.gateway_sock)],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def settle(folder: Folder, silent_s: float = 0.3) -> tuple[bool, list[str]]:
    said: list[str] = []
    return asyncio.run(Beside(folder, said.append, silent_s).settle()), said


def test_nobody_beside_is_settled_at_once(folder: Folder) -> None:
    assert settle(folder) == (True, [])


def test_one_that_says_that_it_is_halted_lives_on(folder: Folder, start: Start) -> None:
    gateway = start(folder, _LISTEN, "true")
    assert settle(folder, 30.0) == (True, [])
    assert gateway.poll() is None


def test_one_that_does_not_know_of_the_latch_or_says_nothing_is_killed(
    folder: Folder, start: Start
) -> None:
    knows_not = start(folder, _LISTEN, "false")
    silent = start(folder, _SLEEP)
    settled, said = settle(folder)
    assert settled
    assert len(said) == 2
    assert all("does not say that it is halted" in text for text in said)
    assert knows_not.wait() == silent.wait() == -signal.SIGKILL


def test_only_the_one_that_answers_is_believed(folder: Folder, start: Start) -> None:
    knows, silent = start(folder, _LISTEN, "true"), start(folder, _SLEEP)
    assert settle(folder)[0]
    assert (knows.poll(), silent.wait()) == (None, -signal.SIGKILL)


def test_a_stopped_one_is_killed_without_waiting_for_its_answer(
    folder: Folder, start: Start
) -> None:
    gateway = start(folder, _LISTEN, "true")
    os.kill(gateway.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, gateway.pid, os.WSTOPPED)
    settled, said = settle(folder, silent_s=600.0)
    assert settled
    assert "is stopped" in said[0]
    assert gateway.wait() == -signal.SIGKILL


def test_another_fleets_gateway_is_none_of_its_business(
    folder: Folder, start: Start, tmp_path: Path
) -> None:
    other = Folder(tmp_path / "other")
    other.create()
    theirs = start(other, _SLEEP)
    assert settle(folder) == (True, [])
    assert theirs.poll() is None
