"""Waiting until a rolled-out fleet quotes, canaries and all; an honest end."""

import sqlite3
import time
from collections.abc import Collection
from typing import Any, Final

from fleet.cli.failure import ExitCode, Failure
from fleet.cli.observe import observe
from fleet.cli.progress import Progress
from fleet.cli.status_json import status_json
from fleet.folder import Folder
from fleet.supervisor.hours import CLOSED
from fleet.supervisor.rollout import Rollout, read_rollout

POLL_S: Final = 0.25
GATEWAY_GONE_S: Final = 15.0


class Arrivals:
    """Which markets have quoted by the desired revision since the rollout began.

    One that fell back (a gap in its data) has arrived all the same; one that is REDUCING quotes
    the side that its limits leave, if it has an order at all; one whose hours are over is where it
    should be.
    """

    def __init__(self, markets: Collection[str]) -> None:
        self.phases: dict[str, str] = {}
        self._markets = markets
        self._reasons: dict[str, str | None] = {}
        self._arrived: set[str] = set()
        self._held: frozenset[str] = frozenset()

    def hold(self, held: Collection[str]) -> None:
        """Markets that wait for a canary: until they are let go, what they quote is the old."""
        self._held = frozenset(held)
        self._arrived -= self._held

    def update(self, rows: list[dict[str, Any]]) -> list[str]:
        """Take the status' rows; the markets whose phase changed."""
        changed = []
        for row in rows:
            name, phase = row["market"], row["phase"]
            if name not in self._markets:
                continue
            self._reasons[name] = row["reason"]
            if self.phases.get(name) != phase:
                self.phases[name] = phase
                changed.append(name)
            quotes = phase == "QUOTING" or (phase == "REDUCING" and bool(row["open_orders"]))
            waits = phase == "STOPPED" and (row["reason"] or "").startswith(CLOSED)
            if (quotes or waits) and row["sync"] == "synced" and name not in self._held:
                self._arrived.add(name)
        return changed

    @property
    def missing(self) -> list[str]:
        return [name for name in self._markets if name not in self._arrived]

    @property
    def count(self) -> int:
        return len(self._arrived)

    def told(self) -> str:
        """The missing ones with phase and reason, on one line."""
        words = []
        for name in self.missing:
            reason = self._reasons.get(name)
            phase = self.phases.get(name, "not started")
            words.append(f"{name} {phase}{f' ({reason})' if reason else ''}")
        return ", ".join(words)


class Watched:
    """The revision's rollout as it goes on; the time that canaries are watched counts extra."""

    def __init__(self, revision: int | None) -> None:
        self._revision = revision
        self._stage = ""
        self._baking_since_s: float | None = None
        self.baked_s = 0.0

    def look(self, folder: Folder, arrivals: Arrivals, now_s: float) -> list[str]:
        """What has changed, as lines; exit 4 where the rollout ended badly."""
        rollout = _rollout(folder)
        if rollout is None or rollout.rev != self._revision:
            return []
        waits = rollout.stage == "canary"
        arrivals.hold(rollout.pending if waits else ())
        self._bake(now_s, baking=waits and bool(rollout.watches))
        if rollout.stage == self._stage:
            return []
        self._stage = rollout.stage
        if rollout.stage in {"rolled_back", "paused"}:
            word = "rolled back" if rollout.stage == "rolled_back" else "paused"
            text = f"revision {rollout.rev} was {word}: {rollout.told}"
            raise Failure(ExitCode.NOT_CONVERGED, text, "fleet history and fleet status show it")
        if waits:
            names = ", ".join(rollout.canaries)
            return [f"canary {names}; {len(rollout.pending)} markets wait for it"]
        return [f"promoted: {rollout.told}"] if rollout.told else []

    @property
    def waits(self) -> bool:
        return self._stage == "canary"

    def _bake(self, now_s: float, *, baking: bool) -> None:
        if self._baking_since_s is not None:
            self.baked_s += now_s - self._baking_since_s
        self._baking_since_s = now_s if baking else None


def _rollout(folder: Folder) -> Rollout | None:
    try:
        return read_rollout(folder.store_db)
    except sqlite3.Error:
        return None  # its writer is at work: the next look tells


def wait_quoting(
    folder: Folder, markets: Collection[str], wait_s: float, revision: int | None = None
) -> dict[str, str]:
    """Each market's phase once all of them have quoted, and no canary of ``revision`` is watched.

    Exit 4 with those that are not there in time, or why it was rolled back; 5 on a halt, 7 if the
    gateway stays away.
    """
    began_s = seen_s = time.monotonic()
    arrivals, watched = Arrivals(markets), Watched(revision)
    progress = Progress(len(markets))
    try:
        while True:
            document = status_json(observe(folder))
            now_s = time.monotonic()
            if document["halted"]:
                text = f"halted: {document['halt']['reason']}"
                raise Failure(ExitCode.HALTED, text, "lift it: fleet resume --reason TEXT")
            if document["gateway"] == "up":
                seen_s = now_s
            elif now_s - seen_s > GATEWAY_GONE_S:
                text = f"the gateway of fleet {folder.root.name} stopped answering"
                raise Failure(ExitCode.OUT_OF_REACH, text, "see: fleet logs gateway")
            for line in watched.look(folder, arrivals, now_s):
                progress.line(f"{now_s - began_s:6.1f} s  {line}")
            for name in arrivals.update(document["markets"]):
                progress.line(f"{now_s - began_s:6.1f} s  {name:<12} {arrivals.phases[name]}")
            if not arrivals.missing and not watched.waits:
                return arrivals.phases
            if now_s - began_s - watched.baked_s > wait_s:
                text = f"not quoting after {wait_s:g} s: {arrivals.told()}"
                mend = "it goes on trying: fleet status, fleet logs MARKET"
                raise Failure(ExitCode.NOT_CONVERGED, text, mend)
            bakes = f"quote; canaries watched for {watched.baked_s:.0f} s"
            progress.at(arrivals.count, bakes if watched.waits else "quote")
            time.sleep(POLL_S)
    finally:
        progress.end()
