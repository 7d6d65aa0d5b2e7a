"""The ledger's process: killed and restarted it books each fill once; damage is built again."""

import os
import resource
import signal
import sqlite3
import struct
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from agents.market.types import Coin, Fill, Oid, Side, Tid
from fleet.folder import Folder
from fleet.gateway.framing import Record, frame
from fleet.gateway.records import Filled
from fleet.ledger import query
from fleet.ledger.health import LedgerState, read_state, state_path
from fleet.ledger.main import open_ledger
from fleet.ledger.writer import Ledger
from fleet.processes import clean_environment, python


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    made = Folder(tmp_path / "fleet")
    made.create()
    return made


def fills(first: int, last: int) -> bytes:
    """A buy of 1 coin at 100 under each sequence number, the position rising by one each time."""
    framed = []
    for n in range(first, last + 1):
        fill = Fill(
            coin=Coin("BTC"), side=Side.BID, px=Decimal(100), sz=Decimal(1), time_ms=1_000 + n,
            tid=Tid(n), oid=Oid(n), cloid=None, fee=Decimal("0.01"), fee_token="USDC",
            crossed=False, start_position_sz=Decimal(n - 1), closed_pnl=Decimal(0),
        )  # fmt: skip
        framed.append(frame(Record.of(n, n * 1_000, Filled(fill=fill, ours=True, mid_px=None))))
    return b"".join(framed)


def append(folder: Folder, first: int, last: int, segment: int = 1) -> None:
    with (folder.actions / f"{segment}.log").open("ab") as file:
        file.write(fills(first, last))


@contextmanager
def running(folder: Folder) -> Iterator["subprocess.Popen[bytes]"]:
    with folder.log("ledger").open("ab") as log:
        process = subprocess.Popen(
            python("fleet.ledger.main", "--folder", str(folder.root)),
            env=clean_environment(os.environ),
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def eventually(check: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not check():
        assert time.monotonic() < deadline_s, "it did not come about"
        time.sleep(0.01)


def booked(folder: Folder) -> int:
    try:
        markets = query.markets(folder.ledger_db)
    except query.LedgerUnreadable:
        return 0  # a reader that meets the very making of the file
    return markets["BTC"].fills if markets else 0


def test_a_ledger_killed_in_the_middle_books_each_fill_once(folder: Folder) -> None:
    append(folder, 1, 3_000)
    for last in (4_000, 5_000):
        with running(folder) as process:
            eventually(lambda: booked(folder) >= 1)
            append(folder, last - 999, last)
            process.send_signal(signal.SIGKILL)
            process.wait()
    with running(folder) as process:
        eventually(lambda: booked(folder) == 5_000)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    pnl = query.markets(folder.ledger_db)["BTC"]
    assert (pnl.position_sz, pnl.fees_usd, pnl.gaps) == (Decimal(5_000), Decimal(50), 0)
    state = query.state(folder.ledger_db)
    assert state is not None
    assert (state.seq, state.duplicates) == (5_000, 0)


def dump(path: Path) -> list[str]:
    db = sqlite3.connect(path)
    try:
        return list(db.iterdump())
    finally:
        db.close()


def test_a_ledger_built_again_from_the_log_is_the_same(folder: Folder) -> None:
    append(folder, 1, 500)
    append(folder, 501, 700, segment=501)
    with running(folder) as process:
        eventually(lambda: booked(folder) == 700)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    before = dump(folder.ledger_db)
    for path in folder.root.glob("ledger.db*"):
        path.unlink()
    with running(folder) as process:
        eventually(lambda: booked(folder) == 700)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert dump(folder.ledger_db) == before


def test_a_damaged_ledger_is_moved_aside_built_again_and_said(folder: Folder) -> None:
    append(folder, 1, 20)
    folder.ledger_db.write_bytes(b"\0garbage" * 2_000)
    with running(folder):
        eventually(lambda: booked(folder) == 20)
    assert (folder.root / "ledger.db.aside").read_bytes().startswith(b"\0garbage")
    assert '"ledger.rebuilt"' in folder.log("ledger").read_text()


def test_a_ledger_of_another_version_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 77")
    db.close()
    open_ledger(path).close()
    assert (tmp_path / "ledger.db.aside").exists()
    assert query.state(path) is not None


def test_a_lock_held_by_another_program_is_waited_out(folder: Folder) -> None:
    append(folder, 1, 5)
    Ledger(folder.ledger_db).close()
    other = sqlite3.connect(folder.ledger_db, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with running(folder) as process:
        eventually(lambda: "ledger.open" in folder.log("ledger").read_text())
        other.execute("ROLLBACK")
        other.close()
        eventually(lambda: booked(folder) == 5)
        assert process.poll() is None


def test_a_second_ledger_of_the_folder_is_turned_away(folder: Folder) -> None:
    append(folder, 1, 5)
    with running(folder):
        eventually(lambda: booked(folder) == 5)
        with running(folder) as second:
            assert second.wait(10) == 6


def test_a_full_disk_is_waited_out_said_and_loses_nothing(folder: Folder) -> None:
    append(folder, 1, 10)
    with running(folder) as process:
        eventually(lambda: booked(folder) == 10)
        full = folder.ledger_db.stat().st_size  # no file may grow beyond: as on a full disk
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (full, hard))
        append(folder, 11, 3_000)
        told = state_path(folder)
        eventually(lambda: (read_state(told) or LedgerState()).state == "waiting")
        assert booked(folder) == 10
        assert process.poll() is None
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        eventually(lambda: booked(folder) == 3_000)
        eventually(lambda: read_state(told) == LedgerState())
    pnl = query.markets(folder.ledger_db)["BTC"]
    assert (pnl.position_sz, pnl.gaps) == (Decimal(3_000), 0)


def test_an_intact_record_that_is_none_of_ours_is_passed_over_loudly(folder: Folder) -> None:
    append(folder, 1, 5)
    packed = msgspec.msgpack.encode([6, 6_000, "filled", {"kind": "filled", "fill": None}])
    with (folder.actions / "1.log").open("ab") as file:
        file.write(struct.pack("<II", len(packed), zlib.crc32(packed)) + packed)
    append(folder, 7, 9)
    with running(folder):
        eventually(lambda: booked(folder) == 8)
        eventually(lambda: (read_state(state_path(folder)) or LedgerState()).undecodable == 1)
    said = folder.log("ledger").read_text()
    assert "alert.undecodable" in said
    assert "1.log: the record before byte" in said
