"""One cell of the kill matrix: end or stop processes of a running fleet, and watch the venue.

The watcher asks the venue itself, past all of our processes, and the gateway for its owners.
"""

import json
import os
import signal
import sqlite3
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from fleet.folder import Folder
from fleet.gateway.api import GatewayStatus
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.gateway.core.cloids import parse
from fleet.gateway.framing import read_records
from fleet.gateway.records import Sent
from fleet.processes import alive, live, start_ticks
from tests.e2e.under_test import Fleet

SUBJECTS: Final = (
    "agent", "supervisor", "risk", "gateway", "ledger", "guard", "raylet", "gcs_server",
)  # fmt: skip
DEXES: Final = ("", "hyna", "xyz")
LEASE_S: Final = 5.0
GRACE_S: Final = 2.0
STOPPED_S: Final = 7.0
_LOOK_S: Final = 0.2


@dataclass
class Cell:
    """What was done, and what was seen. ``faults``: what must not have been."""

    name: str
    faults: list[str] = field(default_factory=list)
    last_orphan_s: float | None = None
    back_s: float | None = None
    applied: bool = False

    def __str__(self) -> str:
        gone = "-" if self.last_orphan_s is None else f"{self.last_orphan_s:.1f}"
        back = "never" if self.back_s is None else f"{self.back_s:.1f}"
        how = "one apply" if self.applied else "by itself"
        verdict = "; ".join(self.faults) or "ok"
        return f"{self.name:<28} orders gone {gone:>5} s  back {back:>5} s {how:<9}  {verdict}"


class Rig:
    """A fleet with its venue's address, its market's names and its processes."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.folder = fleet, Folder(fleet.folder)
        status = fleet.status()
        self.url, self.address = str(status["url"]), str(status["address"])
        self.markets = [str(row["market"]) for row in status["markets"]]
        self._client = GatewayClient(self.folder, 2.0)

    # ── what one can ask ─────────────────────────────────────────────────────────────────────

    def info(self, request: dict[str, Any]) -> Any:
        body = json.dumps(request).encode()
        headers = {"Content-Type": "application/json"}
        call = urllib.request.Request(self.url + "/info", body, headers)
        with urllib.request.urlopen(call, timeout=5) as answer:
            return json.load(answer)

    def faults(self, **plan: Any) -> None:
        """Tell the venue what to do wrong; nothing: all is well again."""
        body = json.dumps(plan).encode()
        headers = {"Content-Type": "application/json"}
        call = urllib.request.Request(self.url + "/admin/faults", body, headers)
        with urllib.request.urlopen(call, timeout=5):
            pass

    def resting(self) -> list[Any]:
        ask = {"type": "openOrders", "user": self.address}
        return [row for dex in DEXES for row in self.info({**ask, "dex": dex})]

    def ours(self) -> set[tuple[str, int]]:
        """(market, generation) of each resting order of ours."""
        found = set()
        for row in self.resting():
            origin = parse(row.get("cloid"))
            if origin is not None:
                found.add((str(row["coin"]), origin.generation))
        return found

    def status(self) -> GatewayStatus | None:
        try:
            return self._client.status()
        except (Unreachable, ApiFailure, OSError):
            return None

    def quoting(self) -> bool:
        """All quote; a FAILED market that says why counts as answered."""
        try:
            rows = self.fleet.status()["markets"]
        except (AssertionError, ValueError):
            return False
        return all(
            row["phase"] == "QUOTING" or (row["phase"] == "FAILED" and row["reason"])
            for row in rows
        )

    def pid(self, subject: str) -> int:
        """``agent`` is the one of the first market, ``agent:hyna:BTC`` that market's."""
        if subject.startswith("agent"):
            market = subject.partition(":")[2] or self.markets[0]
            view = self.status()
            assert view is not None, "no gateway answers"
            found = next(m.lease.pid for m in view.markets if m.market == market)
            assert found is not None, f"no agent holds {market}"
            return found
        if subject in {"gateway", "ledger", "guard", "venue", "supervisor", "risk"}:
            pid = alive(self.folder, subject)
            if pid is not None:
                return pid
        named = [process.pid for process in live(self.folder) if process.name == subject]
        assert named, f"no {subject} lives"
        return named[0]

    # ── books ────────────────────────────────────────────────────────────────────────────────

    def book_faults(self) -> list[str]:
        """Ledger against venue: fills by id, positions; and the nonces of the action log."""
        faults = self._until_none(self._fill_faults) + self._until_none(self._position_faults)
        nonces = [n for n, noop in self.sent() if not noop]
        if nonces != sorted(set(nonces)):
            faults.append("nonces do not rise")
        return faults

    def _until_none(self, look: Callable[[], list[str]], within_s: float = 15.0) -> list[str]:
        deadline_s = time.monotonic() + within_s
        while (found := look()) and time.monotonic() < deadline_s:
            time.sleep(0.3)
        return found

    def sent(self) -> list[tuple[int, bool]]:
        """(nonce, whether it voids) of all that ever left, in the log's order."""
        paths = sorted(self.folder.actions.glob("*.log"), key=lambda path: int(path.stem))
        bodies = [record.body for path in paths for _, record in read_records(path)]
        return [(b.nonce, '"noop"' in b.action) for b in bodies if isinstance(b, Sent)]

    def _query(self, sql: str) -> list[Any]:
        database = sqlite3.connect(f"file:{self.folder.ledger_db}?mode=ro", uri=True, timeout=5)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def _fill_faults(self) -> list[str]:
        booked = self._query("SELECT market, tid, oid FROM fill")
        since_ms, told = 0, set()
        while True:
            ask = {"type": "userFillsByTime", "user": self.address, "startTime": since_ms}
            rows = self.info(ask)
            told |= {(r["coin"], r["tid"], r["oid"]) for r in rows}
            last_ms = max((r["time"] for r in rows), default=since_ms)
            if len(rows) < 2_000 or last_ms <= since_ms:
                break
            since_ms = last_ms
        lost, twice = told - set(booked), len(booked) - len(set(booked))
        stray = set(booked) - told
        found = [f"{len(lost)} fills lost"] if lost else []
        found += [f"{twice} fills booked twice"] if twice else []
        return found + ([f"{len(stray)} fills the venue does not know"] if stray else [])

    def _position_faults(self) -> list[str]:
        held = dict(self._query("SELECT market, position_sz FROM book"))
        faults = []
        for dex in DEXES:
            state = self.info({"type": "clearinghouseState", "user": self.address, "dex": dex})
            for row in state["assetPositions"]:
                coin, size = row["position"]["coin"], Decimal(row["position"]["szi"])
                if Decimal(held.get(coin, "0")) != size:
                    faults.append(f"{coin}: ledger {held.get(coin)}, venue {size}")
        return faults


class Watch(threading.Thread):
    """From now on: when did orders of the given leases last rest, and who was said to own them."""

    def __init__(self, rig: Rig, orphaned: set[tuple[str, int]], owner_s: float) -> None:
        super().__init__(daemon=True)
        self._owner_s = owner_s
        self._rig, self._orphaned = rig, orphaned
        self._began_s = time.monotonic()
        self._ended = threading.Event()
        self.last_orphan_s: float | None = None
        self.false_owner_s: dict[str, float] = {}
        self._dead_since_s: dict[int, float] = {}

    def run(self) -> None:
        while not self._ended.wait(_LOOK_S):
            now_s = time.monotonic() - self._began_s
            with suppress(OSError, ValueError, KeyError):
                if self._rig.ours() & self._orphaned:
                    self.last_orphan_s = now_s
            view = self._rig.status()
            for market in view.markets if view is not None else ():
                pid = market.lease.pid
                if market.lease.owner != "agent" or pid is None:
                    continue
                if start_ticks(pid) is None:
                    since_s = self._dead_since_s.setdefault(pid, now_s)
                    if now_s - since_s > self._owner_s:
                        self.false_owner_s[market.market] = now_s

    def end(self) -> None:
        self._ended.set()
        self.join()


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """Halt them where they stand, and let them go on afterwards, if they still are."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def limit_s(subjects: tuple[str, ...], how: str) -> float:
    """How long an order of the agents concerned may rest: its lease and 2 s, from its owner's end.

    A dead agent's socket is closed, so that nothing of the lease is left to wait for; where Ray
    has to find out first, or the gateway to come back, it is.
    """
    quick = how == "KILL" and all(s.startswith("agent") or s == "raylet" for s in subjects)
    slow = {"gateway", "guard"} & set(subjects)
    return GRACE_S + (0.0 if quick else LEASE_S) + (LEASE_S if slow and how == "STOP" else 0.0)


def run(
    rig: Rig,
    subjects: tuple[str, ...],
    how: str,
    *,
    settle_s: float = 60.0,
    pause_s: float = LEASE_S,
) -> Cell:
    """``how``: KILL or STOP. The fleet quotes before; what is left to a person is one apply."""
    cell = Cell(f"{how:<4} {' + '.join(subjects)}")
    orphaned = _orphaned(rig, subjects)
    pids = [rig.pid(subject) for subject in subjects]
    # A gateway that comes back holds a lease open for whoever may continue it.
    watch = Watch(rig, orphaned, GRACE_S + (LEASE_S if "gateway" in subjects else 0.0))
    watch.start()
    began_s = time.monotonic()
    if how == "STOP":
        with stopped(pids):
            time.sleep(STOPPED_S)
    else:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    patience_s = settle_s / 2 if {"guard", "raylet", "gcs_server"} & set(subjects) else settle_s
    time.sleep(pause_s)
    if not _quotes_within(rig, patience_s) or alive(rig.folder, "guard") is None:
        cell.applied = True
        done = rig.fleet.cli.run("apply", "manifests/paper.yaml", "--yes", "--wait", "90")
        if done.returncode:
            cell.faults.append(f"apply: {done.stderr.strip().splitlines()[-1]}")
    if _quotes_within(rig, 30.0):
        cell.back_s = time.monotonic() - began_s
    else:
        cell.faults.append("not back to QUOTING")
    watch.end()
    cell.last_orphan_s = watch.last_orphan_s
    if orphaned and (watch.last_orphan_s or 0.0) > limit_s(subjects, how) + _LOOK_S:
        cell.faults.append(f"orders outlived {limit_s(subjects, how):.0f} s")
    cell.faults += [f"{m}: dead pid as owner" for m in watch.false_owner_s]
    cell.faults += rig.book_faults()
    return cell


def _orphaned(rig: Rig, subjects: tuple[str, ...]) -> set[tuple[str, int]]:
    """The leases whose holder goes: one market's, all with Ray, none with the others."""
    if {"raylet"} & set(subjects):
        return rig.ours()
    markets = {s.partition(":")[2] or rig.markets[0] for s in subjects if s.startswith("agent")}
    return {(market, generation) for market, generation in rig.ours() if market in markets}


def _quotes_within(rig: Rig, within_s: float) -> bool:
    deadline_s = time.monotonic() + within_s
    while not rig.quoting():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.5)
    return True
