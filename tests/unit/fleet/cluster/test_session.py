"""What a head is started with, and what it is refused for; the head itself is in tests/e2e."""

import os
from pathlib import Path

import pytest

from fleet.cluster import session
from fleet.cluster.session import ClusterFailed, head_alive, ray_environment, start_head, stop_head
from fleet.folder import Folder
from fleet.processes import write_pid


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    made = Folder(tmp_path / "paper")
    made.create()
    return made


def test_another_cluster_is_refused_in_one_line(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with pytest.raises(ClusterFailed, match="RAY_ADDRESS") as refused:
        start_head(folder)
    assert refused.value.mend == "unset RAY_ADDRESS"
    assert not folder.ray_token.exists()


def test_a_run_folder_that_is_too_long_is_refused(folder: Folder) -> None:
    folder.run = folder.run / ("x" * 40)
    with pytest.raises(ClusterFailed, match="TMPDIR"):
        start_head(folder)


def test_the_environment_is_an_allow_list(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_API_KEY", "4f" * 32)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    environment = session.head_environment(folder)
    assert "4f" * 32 not in environment.values()
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert environment["PATH"] == os.environ["PATH"]
    assert environment.items() >= ray_environment(folder.ray_token).items()


def test_a_dead_pid_file_is_no_head_and_is_cleared(folder: Folder) -> None:
    write_pid(folder, "ray", 2**22 - 1, "2")
    assert not head_alive(folder)
    stop_head(folder)
    assert not folder.pid("ray").exists()


def test_a_process_that_got_the_heads_pid_is_left_alone(folder: Folder) -> None:
    folder.pid("ray").write_text(f'{{"pid": {os.getpid()}, "start_ticks": 1, "build": "2"}}')
    assert not head_alive(folder)
    stop_head(folder)
    assert not folder.pid("ray").exists()
