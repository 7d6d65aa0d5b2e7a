"""The ledger's process: follows the action log into ``ledger.db`` until SIGTERM.

    python -m fleet.ledger.main --folder PATH

It may be killed at any instruction: rows and place move in one transaction. A damaged ledger, or
one of another version, is moved aside (``ledger.db.aside``) and built again from the log. A lock
or a full disk is waited out: the place stays, and what waits in the log is booked afterwards. How
it fares stands in ``ledger.state``; what it does is told in JSON lines on stderr.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

from agents.market.units import NS_PER_MS
from fleet.alerts.conditions import Books
from fleet.alerts.look import look
from fleet.alerts.watch import Watch
from fleet.folder import Folder
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.gateway.framing import Record
from fleet.gateway.records import Alerted
from fleet.ledger.health import Health, LedgerState, state_path
from fleet.ledger.reckon import Reckoner
from fleet.ledger.schema import ForeignSchema
from fleet.ledger.tail import Tail
from fleet.ledger.writer import Ledger

POLL_S: Final = 0.1
_RETRY_S: Final = 1.0
_STUCK_S: Final = 5.0
GATEWAY_S: Final = 2.0
FRESH_NS: Final = 60_000_000_000
_SUFFIXES: Final = ("", "-wal", "-shm")
EXIT_LOCKED: Final = 6


def say(event: str, **facts: object) -> None:
    """One JSON line on stderr, which the guard leads into the ledger's log."""
    now_ms = time.time_ns() // NS_PER_MS
    line = {"at_ms": now_ms, "process": "ledger", **facts, "event": event}
    with contextlib.suppress(OSError):  # a full disk silences it and ends nothing
        os.write(2, (json.dumps(line) + "\n").encode())


def open_ledger(path: Path) -> Ledger:
    """Open it; damaged or of another version: move it aside and begin a new one.

    Raises sqlite3.OperationalError if it is locked or the disk fails.
    """
    try:
        return Ledger(path)
    except sqlite3.OperationalError:
        raise
    except (sqlite3.DatabaseError, ForeignSchema) as error:
        aside = path.with_name(path.name + ".aside")
        for suffix in _SUFFIXES:
            held = path.with_name(path.name + suffix)
            if held.exists():
                held.replace(aside.with_name(aside.name + suffix))
        say("ledger.rebuilt", why=str(error), kept=aside.name, mend="none needed")
        return Ledger(path)


def new_of(folder: Folder) -> Path:
    """Where a ledger that was built anew waits; it is whole once ``.ready`` lies beside it."""
    return folder.ledger_db.with_name("ledger.new")


def take_new(folder: Folder) -> None:
    """Put a ledger that was built anew in the place of the one in use, which is kept aside."""
    new, db = new_of(folder), folder.ledger_db
    ready = new.with_suffix(".ready")
    if not ready.exists():
        return
    for suffix in _SUFFIXES:
        held = db.with_name(db.name + suffix)
        if held.exists():
            held.replace(db.with_name(f"{db.name}.aside{suffix}"))
    new.replace(db)
    ready.unlink()
    say("ledger.replaced", kept=f"{db.name}.aside")


def watch_of(folder: Folder, health: Health) -> Watch:
    """What looks at the fleet beside the booking, and alerts."""
    gateway = GatewayClient(folder, GATEWAY_S)
    reckoner = Reckoner(folder.ledger_db, lambda put: gateway.put("/v1/books", put))

    def books() -> Books:
        now_ms = time.time_ns() // NS_PER_MS
        with contextlib.suppress(Unreachable, ApiFailure):
            return reckoner.books(now_ms, health.undecodable)
        return Books(undecodable=health.undecodable)

    return Watch(folder, lambda: look(folder, books()), say)


def follow(folder: Folder, health: Health, watch: Watch, stopped: Callable[[], bool]) -> None:
    """Book the log's records until ``stopped``. Raises sqlite3.Error; nothing is lost by that."""
    ledger = open_ledger(folder.ledger_db)
    tail = Tail(folder.actions, ledger.place)
    stuck_since_s: float | None = None
    passed_over = 0
    say("ledger.open", seq=ledger.place.seq)
    try:
        while not stopped():
            if new_of(folder).with_suffix(".ready").exists():
                return
            health.beat()
            records = tail.read()
            while tail.notes:
                say("ledger.log", note=tail.notes.pop(0))
            if tail.undecodable > passed_over:
                passed_over = tail.undecodable
                say("alert.undecodable", count=passed_over, mend="keep the log; see the notes here")
            if records:
                _book(ledger, records, health, tail.undecodable, stopped)
                watch.heard(_fresh_alerts(records))
                stuck_since_s = None
                continue
            health.tell(LedgerState(undecodable=tail.undecodable))
            stuck_since_s = _told_if_stuck(tail, stuck_since_s)
            time.sleep(POLL_S)
    finally:
        ledger.close()


def _fresh_alerts(records: list[Record]) -> list[Alerted]:
    """Alerts of now; those of a log that is read again were told when they were news."""
    since_ns = time.time_ns() - FRESH_NS
    bodies = (record.body for record in records if record.wall_ns >= since_ns)
    return [body for body in bodies if isinstance(body, Alerted)]


def _book(
    ledger: Ledger,
    records: list[Record],
    health: Health,
    undecodable: int,
    stopped: Callable[[], bool],
) -> None:
    """The same records again until they are booked: a lock or a full disk costs time alone."""
    while not stopped():
        try:
            ledger.apply(records)
        except sqlite3.OperationalError as error:
            _waits(health, str(error), undecodable)
        else:
            if health.tell(LedgerState(undecodable=undecodable)):
                say("ledger.booking", seq=ledger.place.seq, undecodable=undecodable)
            return


def _waits(health: Health, why: str, undecodable: int = 0) -> None:
    health.beat()
    since_ms = time.time_ns() // NS_PER_MS
    if health.tell(LedgerState("waiting", why, since_ms, undecodable)):
        mend = "make room on the disk; the log keeps what is not booked"
        say("alert.ledger_waits", why=why, mend=mend)
    time.sleep(_RETRY_S)


def _told_if_stuck(tail: Tail, since_s: float | None) -> float | None:
    """Say once that bytes behind the last record are no record; a writer's next start cuts them."""
    if not tail.unread_bytes():
        return None
    now_s = time.monotonic()
    if since_s is None:
        return now_s
    if since_s < now_s - _STUCK_S:
        say("ledger.stuck", bytes=tail.unread_bytes(), mend="restart the gateway: it cuts the log")
        return float("inf")
    return since_s


def run(folder: Folder) -> int:
    """Until SIGTERM or SIGINT. 6: another ledger writes this folder."""
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    health = Health(state_path(folder))
    lock = os.open(folder.ledger_db.with_name("ledger.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("ledger.locked", mend="another ledger writes this folder; end it first")
        return EXIT_LOCKED
    watch = watch_of(folder, health)
    watch.start()
    while not stopping:
        take_new(folder)
        try:
            follow(folder, health, watch, lambda: stopping)
        except sqlite3.OperationalError as error:
            _waits(health, str(error))
        except sqlite3.DatabaseError as error:
            say("ledger.damaged", why=str(error))
            time.sleep(_RETRY_S)
    watch.stop()
    say("ledger.closed")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="fleet.ledger.main", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    folder = Folder(parser.parse_args().folder)
    if not folder.root.is_dir():
        say("ledger.refused", why=f"{folder.root} is no folder", mend="run `fleet apply`")
        return 3
    os.umask(0o077)
    return run(folder)


if __name__ == "__main__":
    sys.exit(main())
