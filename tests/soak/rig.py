"""A running fleet as the kill matrix sees it: its venue, its gateway, its processes, its books.

The venue is asked itself, past all of our processes; the gateway for its owners; the ledger's file
for what is booked.
"""

import json
import sqlite3
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from fleet.cli.observe import observe
from fleet.cli.status_json import status_json
from fleet.folder import Folder
from fleet.gateway.api import GatewayStatus
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable
from fleet.gateway.core.cloids import parse
from fleet.gateway.framing import read_records
from fleet.gateway.records import Sent
from fleet.processes import alive, live
from tests.e2e.under_test import Fleet

DEXES: Final = ("", "hyna", "xyz")
FILLS_PAGE: Final = 2_000
DIRECTIVE_MAX_MS: Final = 5_000
_NOBODY: Final[Mapping[str, int]] = {}
_NAMED: Final = frozenset({"gateway", "ledger", "guard", "venue", "supervisor", "risk"})


class Rig:
    """A fleet with its manifest, its venue's address, its markets' names and its processes."""

    def __init__(self, fleet: Fleet, manifest: str = "manifests/paper.yaml") -> None:
        self.fleet, self.folder, self.manifest = fleet, Folder(fleet.folder), manifest
        status = self.look()
        self.url, self.address = str(status["url"]), str(status["address"])
        self.markets = [str(row["market"]) for row in status["markets"]]
        self._client = GatewayClient(self.folder, 2.0)

    # ── what one can ask ─────────────────────────────────────────────────────────────────────

    def look(self) -> dict[str, Any]:
        """``fleet status -o json``, without a process for it."""
        return status_json(observe(self.folder))

    def info(self, request: dict[str, Any]) -> Any:
        return json.loads(self.post("/info", request))

    def faults(self, **plan: Any) -> None:
        """Tell the venue what to do wrong; nothing: all is well again."""
        self.post("/admin/faults", plan)

    def post(self, path: str, body: dict[str, Any]) -> bytes:
        headers = {"Content-Type": "application/json"}
        call = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(call, timeout=5) as answer:
            read: bytes = answer.read()
            return read

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

    # ── whether all is well ──────────────────────────────────────────────────────────────────

    def missing(self, struck: Mapping[str, int] = _NOBODY) -> list[str]:
        """What is not as it should be; a FAILED market that says why counts as answered.

        ``struck``: subjects and the pids that they must have no more.
        """
        seen = self.look()
        told = [
            f"{part} down" for part in ("gateway", "supervisor", "ledger") if seen[part] != "up"
        ]
        told += [f"{p} gone" for p in ("guard", "venue") if alive(self.folder, p) is None]
        told += [f"warning: {line}" for line in seen["warnings"]]
        age_ms = seen["risk"]["directive_age_ms"]
        if age_ms is None or age_ms > DIRECTIVE_MAX_MS:
            told.append(f"directive {age_ms} ms old")
        if seen["supervisor_reason"]:
            told.append(f"supervisor: {seen['supervisor_reason']}")
        for row in seen["markets"]:
            answered = row["phase"] == "QUOTING" or (row["phase"] == "FAILED" and row["reason"])
            if not answered:
                told.append(f"{row['market']} {row['phase']}: {row['reason']}")
        if told:
            return told
        for subject, pid in struck.items():
            with suppress(AssertionError, StopIteration):
                if self.pid(subject) != pid:
                    continue
            told.append(f"{subject} not replaced")
        return told

    def whole(self) -> bool:
        return not self.missing()

    def whole_within(self, within_s: float, struck: Mapping[str, int] = _NOBODY) -> bool:
        deadline_s = time.monotonic() + within_s
        while self.missing(struck):
            if time.monotonic() > deadline_s:
                return False
            time.sleep(0.25)
        return True

    def pid(self, subject: str) -> int:
        """``agent`` is the one of the first market, ``agent:hyna:BTC`` that market's."""
        if subject.startswith("agent"):
            market = subject.partition(":")[2] or self.markets[0]
            view = self.status()
            assert view is not None, "no gateway answers"
            found = next(m.lease.pid for m in view.markets if m.market == market)
            assert found is not None, f"no agent holds {market}"
            return found
        named = alive(self.folder, subject) if subject in _NAMED else None
        if named is not None:
            return named
        found_by_name = [p.pid for p in live(self.folder) if p.name == subject]
        assert found_by_name, f"no {subject} lives"
        return found_by_name[0]

    # ── books ────────────────────────────────────────────────────────────────────────────────

    def book_faults(self) -> list[str]:
        """Ledger against venue: fills by id, positions; and the nonces of the action log."""
        faults = _until_none(self._fill_faults) + _until_none(self._position_faults)
        nonces = [n for n, noop in self.sent() if not noop]
        if nonces != sorted(set(nonces)):
            faults.append("nonces do not rise")
        return faults

    def sent(self) -> list[tuple[int, bool]]:
        """(nonce, whether it voids) of all that ever left, in the log's order."""
        paths = sorted(self.folder.actions.glob("*.log"), key=_first_seq)
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
            if len(rows) < FILLS_PAGE or last_ms <= since_ms:
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


def _first_seq(segment: Path) -> int:
    return int(segment.stem)


def _until_none(look: Callable[[], list[str]], within_s: float = 15.0) -> list[str]:
    deadline_s = time.monotonic() + within_s
    while (found := look()) and time.monotonic() < deadline_s:
        time.sleep(0.3)
    return found
