"""A backup taken while the fleet writes can be put back; a folder in use is left alone."""

import fcntl
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from fleet.folder import Folder

OPS = Path(__file__).parents[3] / "ops"


def run(script: str, *args: Path | str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(OPS / script), *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHON": sys.executable},
    )


def fleet_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "prod"
    (folder / "gateway" / "actions").mkdir(parents=True)
    (folder / "fleet.json").write_text('{"fleet": "prod"}')
    (folder / "lock").touch()
    Folder(folder).halt.write_text('{"reason": "test"}')
    (folder / "gateway" / "actions" / "000000000001.log").write_bytes(b"\x00\x01")
    return folder


def test_a_backup_of_a_ledger_that_is_written_is_whole_and_goes_back(tmp_path: Path) -> None:
    folder, backups = fleet_folder(tmp_path), tmp_path / "backups"
    writer = sqlite3.connect(folder / "ledger.db")
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("CREATE TABLE fill (tid INTEGER)")
    writer.execute("INSERT INTO fill VALUES (7)")
    writer.commit()
    done = run("backup.sh", folder, backups)
    assert done.returncode == 0, done.stderr
    writer.execute("INSERT INTO fill VALUES (8)")
    writer.commit()
    writer.close()
    backup = Path(done.stdout.strip())
    assert run("restore.sh", backup, folder).returncode == 0
    rows = sqlite3.connect(folder / "ledger.db").execute("SELECT tid FROM fill").fetchall()
    assert rows == [(7,)]
    assert Folder(folder).halt.read_text() == '{"reason": "test"}'
    assert (folder / "gateway" / "actions" / "000000000001.log").read_bytes() == b"\x00\x01"
    (kept,) = folder.parent.glob("prod.before-restore-*")
    later = sqlite3.connect(kept / "ledger.db").execute("SELECT count(*) FROM fill").fetchone()
    assert later == (2,)


def test_old_backups_go(tmp_path: Path) -> None:
    folder, backups = fleet_folder(tmp_path), tmp_path / "backups"
    for day in ("01", "02", "03"):
        (backups / f"prod-202601{day}T000000Z").mkdir(parents=True)
    assert run("backup.sh", folder, backups, "2").returncode == 0
    names = sorted(path.name for path in backups.iterdir())
    assert len(names) == 2
    assert names[0] == "prod-20260103T000000Z"


def test_a_folder_in_use_is_not_overwritten(tmp_path: Path) -> None:
    folder, backups = fleet_folder(tmp_path), tmp_path / "backups"
    backup = run("backup.sh", folder, backups).stdout.strip()
    with (folder / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = run("restore.sh", backup, folder)
    assert (done.returncode, "is in use" in done.stderr) == (6, True)
    assert Folder(folder).halt.exists()


def test_a_halt_later_than_the_backup_is_not_lifted_by_putting_it_back(tmp_path: Path) -> None:
    folder, backups = fleet_folder(tmp_path), tmp_path / "backups"
    latch = Folder(folder).halt
    latch.unlink()
    backup = run("backup.sh", folder, backups).stdout.strip()
    latch.write_text('{"reason": "later"}')
    assert run("restore.sh", backup, folder).returncode == 0
    assert latch.read_text() == '{"reason": "later"}'


def test_what_is_no_fleet_is_refused(tmp_path: Path) -> None:
    assert run("backup.sh", tmp_path, tmp_path / "b").returncode == 3
    assert run("restore.sh", tmp_path, tmp_path / "b").returncode == 3
