"""What guard and ledger say of themselves reaches the operator."""

import json
import os
import time
from pathlib import Path

import msgspec

from agents.runtime.loops import LoopView, Stall
from fleet.cli.observe import observe, unwell
from fleet.cli.status_json import status_json
from fleet.folder import Folder
from fleet.ledger.health import Health, LedgerState, state_path
from fleet.processes import write_pid


def test_a_well_fleet_says_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert unwell(folder) == []
    Health(state_path(folder)).tell(LedgerState())
    assert unwell(folder) == []


def test_a_waiting_ledger_and_what_it_passed_over_are_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    Health(state_path(folder)).tell(LedgerState("waiting", "no space left", 1, undecodable=2))
    waits, passed_over = unwell(folder)
    assert "no space left" in waits
    assert "2 records" in passed_over


def test_a_guard_without_its_key_is_told_with_the_mend(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.pids.mkdir()
    write_pid(folder, "guard", os.getpid(), "test")
    state = {"pid": os.getpid(), "key": "missing"}
    (tmp_path / "guard_state.json").write_text(json.dumps(state))
    (told,) = unwell(folder)
    assert "fleet apply" in told


def test_a_loop_is_shown_while_its_process_tells_of_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "paper")
    folder.loops.mkdir(parents=True)
    now_ms = time.time_ns() // 1_000_000
    fresh = LoopView(1, now_ms, 60.0, 140.0, 20.0, 21.0, 1, 0, (Stall(now_ms, 140.0, 120.0),))
    folder.loop("hyna:BTC").write_bytes(msgspec.json.encode(fresh))
    gone = msgspec.structs.replace(fresh, as_of_ms=now_ms - 60_000)
    folder.loop("ETH").write_bytes(msgspec.json.encode(gone))
    (shown,) = status_json(observe(folder))["loops"]
    assert (shown["process"], shown["worst_ms"], shown["own_stalls"]) == ("hyna:BTC", 140.0, 0)
