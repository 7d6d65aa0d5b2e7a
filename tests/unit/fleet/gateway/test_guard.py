"""The guard's parts: its imports, refusals, locks and patience, and the venue's address."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fleet.folder import Folder, account_lock
from fleet.gateway.guard_child import back_off_s
from fleet.gateway.guard_last_resort import LastResort
from fleet.gateway.guard_locks import Identity, Locks, Taken, holder
from fleet.gateway.guard_venue import VenuePlace
from fleet.processes import clean_environment, live, python

KEY = "5e" * 32
IDENTITY = Identity("paper", "testnet", "0xABC")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    made = Folder(tmp_path / "paper")
    made.create()
    return made


def test_the_guard_imports_the_standard_library_and_small_modules_of_ours() -> None:
    code = "import sys; import fleet.gateway.guard; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if not name.startswith("_")}
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print('\\n'.join(sys.modules))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    at_start = set(bare.stdout.split())  # what site-packages' own .pth files load, not the guard
    foreign = {
        name
        for name in loaded - at_start
        if name.partition(".")[0] not in sys.stdlib_module_names
        and name.partition(".")[0] != "fleet"
    }
    assert foreign == set()
    assert {name for name in loaded if name.startswith("fleet.")} == {
        "fleet.build", "fleet.folder", "fleet.guards", "fleet.processes", "fleet.gateway",
        "fleet.gateway.guard",
        "fleet.gateway.guard_child", "fleet.gateway.guard_last_resort",
        "fleet.gateway.guard_locks", "fleet.gateway.guard_pulse", "fleet.gateway.guard_still",
        "fleet.gateway.guard_venue",
        "fleet.gateway.hardening",
    }  # fmt: skip


def refused(folder: Folder, key: str, *, guard: Mapping[str, object] | str) -> tuple[int, str]:
    text = guard if isinstance(guard, str) else json.dumps(guard)
    (folder.root / "guard.json").write_text(text)
    facts = {"fleet": "paper", "network": "testnet", "address": "0xABC"}
    folder.fleet_json.write_text(json.dumps(facts))
    done = subprocess.run(
        python("fleet.gateway.guard", "--folder", str(folder.root)),
        input=key + "\n", env=clean_environment(os.environ), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


WHOLE = {"network": "testnet", "url": "http://127.0.0.1:1", "venue": False}


@pytest.mark.parametrize(
    ("key", "guard"),
    [
        (KEY, "{"),
        (KEY, "[]"),
        (KEY, {"network": "testnet"}),
        (KEY, {"network": "testnet", "url": None, "venue": False}),
        (KEY[:-1], WHOLE),
        (KEY[:-1] + "g", WHOLE),
    ],
)
def test_the_guard_refuses_in_one_line_that_never_holds_the_key(
    folder: Folder, key: str, guard: Mapping[str, object] | str
) -> None:
    code, said = refused(folder, key, guard=guard)
    assert code == 3
    assert len(said.splitlines()) == 1
    assert key[:16] not in said
    assert live(folder) == ()


def test_an_account_that_another_fleet_holds_is_exit_6_and_says_who(
    folder: Folder, tmp_path: Path
) -> None:
    other = Folder(tmp_path / "other")
    other.create()
    theirs = Locks(other, Identity("other", "testnet", "0xabc"))
    theirs.sign()
    code, said = refused(folder, KEY, guard=WHOLE)
    assert code == 6
    assert said == (
        f"account 0xABC on testnet is held by fleet 'other' in {other.root} (pid {os.getpid()}); "
        "take that one down first, or trade another account\n"
    )
    assert live(folder) == ()


def test_locks_say_who_holds_them_and_for_whom_alone(folder: Folder) -> None:
    locks = Locks(folder, IDENTITY)
    locks.sign()
    lock = account_lock("testnet", "0xABC")
    assert holder(lock) == {"fleet": "paper", "pid": os.getpid(), "folder": str(folder.root)}
    assert lock.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Taken, match="runs already"):
        Locks(folder, IDENTITY)
    assert locks is not None


def test_a_refused_account_leaves_the_folder_free(folder: Folder, tmp_path: Path) -> None:
    other = Folder(tmp_path / "other")
    other.create()
    theirs = Locks(other, IDENTITY)
    for _ in range(2):
        with pytest.raises(Taken, match="is held by"):
            Locks(folder, IDENTITY)
    assert theirs is not None


def test_an_old_lock_file_without_a_holder_is_no_obstacle(folder: Folder) -> None:
    lock = account_lock("testnet", "0xABC")
    lock.parent.mkdir(parents=True)
    lock.write_text('{"fleet": "dead", "pid": 1}')
    Locks(folder, IDENTITY).sign()
    assert holder(lock)["fleet"] == "paper"


def test_a_gateway_is_back_within_a_second_six_times_and_others_wait_longer_each_time() -> None:
    prompt = [back_off_s(n, prompt=True) for n in range(1, 20)]
    patient = [back_off_s(n, prompt=False) for n in range(1, 9)]
    assert prompt[0] == 0
    assert max(prompt[:6]) <= 1
    assert prompt[-1] == 8
    assert patient == [1, 2, 4, 8, 16, 30, 30, 30]


def port_of(arguments: list[str]) -> int:
    return int(arguments[arguments.index("--port") + 1])


def test_the_venue_keeps_its_port_unless_somebody_else_took_it(folder: Folder) -> None:
    said: list[str] = []

    def say(event: str, **_: object) -> None:
        said.append(event)

    place = VenuePlace(folder)
    assert port_of(place.arguments(say)) == 0
    assert place.ready() is None
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        place.ready_file.write_text(json.dumps({"url": url}))
        assert place.ready() is None, "half a line is no line"
        place.ready_file.write_text(json.dumps({"url": url}) + "\n")
        assert place.ready() == url
        assert port_of(place.arguments(say)) == 0
        assert said == ["venue.port_taken"]
    assert port_of(place.arguments(say)) == port
    assert place.adopted_url() == url


def last_resort(folder: Folder) -> tuple[LastResort, list[str]]:
    said: list[str] = []
    return LastResort(folder, lambda event, **_: said.append(event)), said


def test_three_failed_starts_within_30_s_make_the_last_resort_due(folder: Folder) -> None:
    (folder.actions / "1.log").write_bytes(b".")
    resort, said = last_resort(folder)
    for now_s in (0.0, 10.0, 30.1, 60.2):
        resort.failed(now_s)
        assert not resort.due(now_s)
    resort.failed(60.3)
    assert not resort.due(60.3)
    resort.failed(60.4)
    assert resort.due(60.4)
    assert said == ["alert.gateway_fails"]
    resort.came_up()
    assert not resort.due(61.0)


def test_a_fleet_that_never_sent_anything_is_not_latched_for_a_gateway_that_fails(
    folder: Folder,
) -> None:
    resort, said = last_resort(folder)
    for now_s in (0.0, 1.0, 2.0):
        resort.failed(now_s)
    assert not resort.due(2.0)
    assert said == ["alert.gateway_fails"]
