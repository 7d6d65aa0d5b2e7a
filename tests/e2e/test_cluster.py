"""Ray as we run it: one head a fleet, on loopback, its supervisor restarted, its end complete."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.cluster import members
from fleet.cluster.session import head_alive, start_head, stop_head, temp_dir
from fleet.folder import Folder
from fleet.processes import start_ticks
from tests.e2e.test_first_light import listening
from tests.e2e.under_test import wait_for

START_SUPERVISOR = (
    "import pathlib, sys; from fleet.cluster.bootstrap import start_supervisor;"
    " from fleet.folder import Folder; start_supervisor(Folder(pathlib.Path(sys.argv[1])))"
)
LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    made = Folder(tmp_path_factory.mktemp("cluster") / "alone")
    made.create()
    made.fleet_json.write_text(json.dumps({"fleet": "alone", "instance": "a1b2c3"}))
    made.token.write_text("t" * 64)
    start_head(made)
    try:
        yield made
    finally:
        stop_head(made)


def start_supervisor(folder: Folder) -> None:
    """From a process of its own: Ray reads its variables once, as it is imported."""
    command = [sys.executable, "-c", START_SUPERVISOR, str(folder.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def supervisor_pid(folder: Folder) -> int:
    return int(json.loads(folder.pid("supervisor").read_text())["pid"])


def test_a_head_that_runs_is_left_alone(folder: Folder) -> None:
    before = members.of_head(folder, temp_dir(folder))
    start_head(folder)
    assert head_alive(folder)
    assert set(before) <= set(members.of_head(folder, temp_dir(folder)))
    assert folder.ray_token.stat().st_mode & 0o077 == 0


def test_the_supervisor_outlives_its_starter_and_its_own_death(folder: Folder) -> None:
    start_supervisor(folder)
    wait_for("the control socket", folder.control_sock.is_socket, within_s=30)
    first = supervisor_pid(folder)
    start_supervisor(folder)
    assert supervisor_pid(folder) == first
    os.kill(first, signal.SIGKILL)
    wait_for("a new supervisor", lambda: supervisor_pid(folder) != first, within_s=60)


def test_nothing_of_ray_listens_beyond_loopback(folder: Folder) -> None:
    inodes = set()
    for pid in members.of_head(folder, temp_dir(folder)):
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                target = str(descriptor.readlink())
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    addresses = listening(inodes)
    assert addresses
    assert set(addresses) <= LOOPBACK


def test_stopping_leaves_no_process_even_after_a_kill(folder: Folder) -> None:
    ours = members.of_head(folder, temp_dir(folder))
    assert supervisor_pid(folder) in ours
    head = json.loads(folder.pid("ray").read_text())["pid"]
    os.kill(head, signal.SIGKILL)
    wait_for("the head's end to be seen", lambda: not head_alive(folder), within_s=5)
    stop_head(folder)
    assert members.of_head(folder, temp_dir(folder)) == []
    assert not [pid for pid in ours if start_ticks(pid) is not None]
    assert not temp_dir(folder).exists()
