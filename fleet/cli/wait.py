"""Waiting until a rolled-out fleet quotes: a line a change of phase, an honest end."""

import time
from collections.abc import Collection
from typing import Any, Final

from fleet.cli.console import say
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.observe import observe
from fleet.cli.status_json import status_json
from fleet.folder import Folder

POLL_S: Final = 0.25
GATEWAY_GONE_S: Final = 15.0


class Arrivals:
    """Which markets have quoted by the desired revision since the rollout began.

    One that fell back (a gap in its data) has arrived all the same; one that is REDUCING quotes
    the side that its limits leave, if it has an order at all.
    """

    def __init__(self, markets: Collection[str]) -> None:
        self.phases: dict[str, str] = {}
        self._markets = markets
        self._reasons: dict[str, str | None] = {}
        self._arrived: set[str] = set()

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
            if quotes and row["sync"] == "synced":
                self._arrived.add(name)
        return changed

    @property
    def missing(self) -> list[str]:
        return [name for name in self._markets if name not in self._arrived]

    def told(self) -> str:
        """The missing ones with phase and reason, on one line."""
        words = []
        for name in self.missing:
            reason = self._reasons.get(name)
            phase = self.phases.get(name, "not started")
            words.append(f"{name} {phase}{f' ({reason})' if reason else ''}")
        return ", ".join(words)


def wait_quoting(folder: Folder, markets: Collection[str], wait_s: float) -> dict[str, str]:
    """Each market's phase once all of them have quoted.

    Exit 4 with those that are not there in time, 5 on a halt, 7 if the gateway stays away.
    """
    began_s = seen_s = time.monotonic()
    arrivals = Arrivals(markets)
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
        for name in arrivals.update(document["markets"]):
            say(f"{now_s - began_s:6.1f} s  {name:<12} {arrivals.phases[name]}")
        if not arrivals.missing:
            return arrivals.phases
        if now_s - began_s > wait_s:
            text = f"not quoting after {wait_s:g} s: {arrivals.told()}"
            mend = "it goes on trying: fleet status, fleet logs MARKET"
            raise Failure(ExitCode.NOT_CONVERGED, text, mend)
        time.sleep(POLL_S)
