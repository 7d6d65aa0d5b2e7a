"""What ``fleet doctor`` finds on a machine without a fleet, and in a fleet that does not run."""

import json
import os
from pathlib import Path

import pytest

from fleet.cli import checkup, doctor
from fleet.cli.find import Identity
from fleet.folder import Folder
from fleet.manifests.spec import KeySource
from tests.unit.fleet.ledger.test_cash import frame
from tests.unit.fleet.ledger.test_query import book


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("FLEET_HOME", str(tmp_path))
    made = Folder.of("test")
    made.root.mkdir(mode=0o700)
    known = Identity("fleet/1", "test", "paper", "0x1", "abc123", 1)
    made.fleet_json.write_text(json.dumps({n: getattr(known, n) for n in known.__struct_fields__}))
    made.fleet_json.chmod(0o600)
    return made


def test_a_machine_without_a_fleet_is_looked_at_and_is_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLEET_HOME", str(tmp_path / "none"))
    doctor.run("json", None)
    told = json.loads(capsys.readouterr().out)
    assert (told["fleet"], told["bad"]) == (None, 0)
    assert {row["about"] for row in told["findings"]} >= {"python", "packages", "disk", "fleet"}


def test_a_token_that_others_may_read_is_bad_and_says_the_mend(folder: Folder) -> None:
    folder.token.write_text("secret")
    folder.token.chmod(0o644)
    (found,) = checkup.permissions(folder)
    assert found.grade == "bad"
    assert found.mend == f"chmod go-rwx {folder.token}"
    folder.token.chmod(0o600)
    (mended,) = checkup.permissions(folder)
    assert mended.grade == "ok"


def test_a_fleet_at_rest_is_fine(folder: Folder) -> None:
    known = Identity("fleet/1", "test", "paper", "0x1", "abc123", 1)
    assert [f.grade for f in checkup.processes_of(folder)] == ["ok"]
    assert [f.grade for f in checkup.key(folder, known)] == ["ok"]
    assert list(checkup.limits(folder)) == []
    assert list(checkup.clock(folder, known)) == []


def test_a_balance_that_nothing_explains_is_bad(folder: Folder) -> None:
    book(folder.ledger_db, frame(0, "1000"), frame(2, "990"))
    (found,) = checkup.books(folder)
    assert found.grade == "bad"
    assert "-10.000000 USDC" in found.text
    assert "fleet ledger check" in found.mend


def test_a_halt_wallet_that_direct_would_not_find_is_told_and_not_read(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(checkup.halt_key(folder)) == []
    monkeypatch.setenv("T_HALT", "secret")
    there = checkup._source("halt wallet", KeySource(env="T_HALT"))
    assert (there.grade, os.environ["T_HALT"]) == ("ok", "secret")
    gone = checkup._source(
        "halt wallet", KeySource(keystore=str(tmp_path / "k"), passphrase_env="T_P")
    )
    assert gone.grade == "warning"
    assert f"{tmp_path / 'k'} is not there, T_P is not set" in gone.text


def test_a_clock_that_is_off_is_graded() -> None:
    grades = [checkup._clock(off_s, "test").grade for off_s in (0.1, 2.0, 9.0)]
    assert grades == ["ok", "warning", "bad"]
