"""The guard over its real children: the key's path, restarts, adoption, locks, and a clean end."""

import json
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.exchange.signing import address_of
from fleet.folder import Folder
from fleet.guards import AccountLocked, GuardFailed, dismiss_guard, key_missing, spawn_guard
from fleet.ledger import query
from fleet.processes import (
    alive,
    end,
    live,
    start_ticks,
)
from fleet.processes import stop as stop_process

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
CHILDREN = ("gateway", "ledger", "venue")
RAY_WORKER = 1_000
"""Ray's own choice for its workers, and so for agents: the first to go."""


def made(root: Path) -> Folder:
    """A fleet's folder as ``fleet apply`` writes it for paper."""
    folder = Folder(root)
    folder.create()
    address = address_of(bytes.fromhex(KEY))
    identity = {
        "schema": "fleet/1", "fleet": root.name, "network": "paper", "address": address,
        "instance": "0a1b2c", "created_ms": time.time_ns() // 1_000_000,
    }  # fmt: skip
    venue = {"seed": 7, "block_ms": 70, "flow": "lively", "fund": {address: 10_000},
             "end": "silent"}  # fmt: skip
    folder.fleet_json.write_text(json.dumps(identity))
    folder.token.write_text("ab" * 32)
    (folder.root / "guard.json").write_text('{"network": "paper", "url": null, "venue": true}')
    (folder.venue / "config.json").write_text(json.dumps(venue))
    folder.account_key.write_text(KEY)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("FLEET_API_KEY", KEY)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fleet = made(tmp_path / "paper")
    yield fleet
    stop_process(fleet, "guard", 20.0)
    left = live(fleet)
    for process in left:
        end(process.pid, start_ticks(process.pid), 1.0)
    assert left == (), "the guard left something behind"


def pids(folder: Folder) -> dict[str, int]:
    found = {name: alive(folder, name) for name in CHILDREN}
    return {name: pid for name, pid in found.items() if pid is not None}


def eventually(check: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline_s, "it did not come about"
        time.sleep(0.02)


def restarted(folder: Folder, name: str, pid: int) -> Callable[[], bool]:
    return lambda: alive(folder, name) not in {None, pid}


def endpoint(folder: Folder) -> int:
    return int(json.loads((folder.venue / "endpoint.json").read_text())["port"])


def holding(secret: bytes, folder: Folder) -> list[str]:
    """Where the key can be read: process lists, environments, and every file of the fleet."""
    found = []
    for process in Path("/proc").iterdir():
        for name in ("environ", "cmdline"):
            try:
                if process.name.isdecimal() and secret in (process / name).read_bytes():
                    found.append(f"{process}/{name}")
            except OSError:
                continue  # gone, or another user's
    above = folder.root.parent
    files = [path for path in above.rglob("*") if path.is_file() and not path.is_symlink()]
    found += [str(path.relative_to(above)) for path in files if secret in path.read_bytes()]
    return found


def oom_score(folder: Folder, name: str) -> int:
    return int(Path(f"/proc/{alive(folder, name)}/oom_score_adj").read_text())


def test_the_key_is_in_no_environment_no_command_line_and_no_other_file(folder: Folder) -> None:
    spawn_guard(folder, KEY)
    assert pids(folder).keys() == set(CHILDREN)
    assert holding(KEY.encode(), folder) == ["paper/venue/account.key"]
    assert holding(bytes.fromhex(KEY), folder) == []
    for name in CHILDREN:
        environ = Path(f"/proc/{alive(folder, name)}/environ").read_text()
        assert "FLEET_API_KEY" not in environ
    eventually(lambda: query.dexes(folder.ledger_db, 0).keys() >= {"", "hyna", "xyz"})
    # When memory runs out: venue, then ledger, and guard and gateway at the very end.
    score = {name: oom_score(folder, name) for name in ("guard", *CHILDREN)}
    assert score["guard"] <= score["gateway"] < score["ledger"] < score["venue"] < RAY_WORKER


def test_each_child_that_is_killed_comes_back_and_the_venue_at_its_port(folder: Folder) -> None:
    spawn_guard(folder, KEY)
    before, port = pids(folder), endpoint(folder)
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    for name, pid in before.items():
        eventually(restarted(folder, name, pid))
    assert endpoint(folder) == port
    guard = alive(folder, "guard")
    assert guard is not None
    os.kill(guard, signal.SIGTERM)
    eventually(lambda: live(folder) == ())
    assert list(folder.pids.glob("*.json")) == []


def test_children_outlive_a_killed_guard_and_the_next_one_adopts_them(folder: Folder) -> None:
    spawn_guard(folder, KEY)
    before = pids(folder)
    guard = alive(folder, "guard")
    assert guard is not None
    os.kill(guard, signal.SIGKILL)
    eventually(lambda: alive(folder, "guard") is None)
    assert pids(folder) == before
    folder.pid("ledger").unlink()
    spawn_guard(folder, KEY)
    eventually(lambda: pids(folder) == before)
    os.kill(before["gateway"], signal.SIGKILL)
    eventually(restarted(folder, "gateway", before["gateway"]))
    assert stop_process(folder, "guard", 20.0)
    assert live(folder) == ()


def test_a_port_that_was_taken_meanwhile_is_given_up_for_another(folder: Folder) -> None:
    spawn_guard(folder, KEY)
    port = endpoint(folder)
    assert stop_process(folder, "guard", 20.0)
    with socket.create_server(("127.0.0.1", port)):
        spawn_guard(folder, KEY)
        assert endpoint(folder) != port
    assert "venue.port_taken" in folder.log("guard").read_text()


def test_a_second_fleet_on_the_account_is_turned_away_and_starts_nothing(
    folder: Folder, tmp_path: Path
) -> None:
    spawn_guard(folder, KEY)
    second = made(tmp_path / "second")
    with pytest.raises(AccountLocked, match="held by fleet 'paper'"):
        spawn_guard(second, KEY)
    with pytest.raises(AccountLocked, match="runs already"):
        spawn_guard(folder, KEY)
    assert live(second) == ()
    assert pids(folder).keys() == set(CHILDREN)


def test_a_gateway_that_never_comes_up_is_told_with_its_own_words(folder: Folder) -> None:
    (folder.root / "guard.json").write_text(
        '{"network": "paper", "url": "http://127.0.0.1:9", "venue": false}'
    )
    with pytest.raises(GuardFailed, match="out of reach") as failed:
        spawn_guard(folder, KEY, timeout_s=3.0)
    assert KEY not in str(failed.value)


def crash_every_gateway(folder: Folder) -> None:
    """Settings that no gateway can read: each start ends before it serves."""
    (folder.gateway / "settings" / "BTC.json").write_text("{")


def told(folder: Folder, event: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in folder.log("guard").read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


def test_where_no_gateway_comes_up_everything_is_cancelled_without_one(folder: Folder) -> None:
    spawn_guard(folder, KEY)
    eventually(lambda: any(path.stat().st_size for path in folder.actions.glob("*.log")))
    crash_every_gateway(folder)
    gateway = alive(folder, "gateway")
    assert gateway is not None
    os.kill(gateway, signal.SIGKILL)
    eventually(lambda: bool(told(folder, "alert.last_resort_ended")))
    assert told(folder, "alert.last_resort_ended")[0]["proven"]
    assert json.loads(folder.halt.read_text())["by"] == "guard"
    report = json.loads(folder.log("direct").read_text().splitlines()[-1])
    assert report["flat_of_orders"]
    assert holding(KEY.encode(), folder) == ["paper/venue/account.key"]
    (folder.gateway / "settings" / "BTC.json").unlink()
    eventually(lambda: alive(folder, "gateway") is not None)


def test_a_guard_without_key_says_so_and_one_with_the_key_takes_its_place(folder: Folder) -> None:
    spawn_guard(folder, KEY)
    before = pids(folder)
    dismiss_guard(folder)
    spawn_guard(folder, "")
    assert key_missing(folder)
    assert told(folder, "key.missing")
    os.kill(before["gateway"], signal.SIGKILL)
    eventually(lambda: alive(folder, "gateway") is None)
    spawn_guard(folder, KEY)
    assert not key_missing(folder)
    after = pids(folder)
    assert after["gateway"] != before["gateway"]
    assert (after["venue"], after["ledger"]) == (before["venue"], before["ledger"])


def test_a_gateway_and_a_ledger_that_hang_are_replaced(folder: Folder) -> None:
    spawn_guard(folder, KEY)
    for name in ("gateway", "ledger"):
        pid = alive(folder, name)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        eventually(restarted(folder, name, pid))
        assert [line["pid"] for line in told(folder, f"alert.{name}_hung")] == [pid]
