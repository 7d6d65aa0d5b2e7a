"""What guard and ledger say of themselves reaches the operator."""

import json
import os
from pathlib import Path

from fleet.cli.observe import unwell
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
