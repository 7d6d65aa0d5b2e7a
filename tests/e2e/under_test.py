"""A fleet under test, seen from the outside: the command line, the folder, the venue."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
CLI = Path(sys.executable).parent / "fleet"


@dataclass(frozen=True)
class Cli:
    """The command line, with a home of its own."""

    home: Path

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FLEET_", "RAY_"))}
        return {**kept, "FLEET_HOME": str(self.home / "fleets"), "HOME": str(self.home)}

    def run(self, *args: str, timeout_s: float = 180.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(CLI), *args],
            cwd=ROOT, env=self.env, timeout=timeout_s, check=False, capture_output=True, text=True,
        )  # fmt: skip

    def json(self, *args: str) -> Any:
        done = self.run(*args, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@dataclass(frozen=True)
class Fleet:
    """A running fleet: its name, its folder, and what one asks it and its venue."""

    cli: Cli
    name: str

    @property
    def folder(self) -> Path:
        return self.cli.home / "fleets" / self.name

    def status(self) -> Any:
        return self.cli.json("--fleet", self.name, "status")

    def market(self, market: str) -> Any:
        return next(m for m in self.status()["markets"] if m["market"] == market)

    def info(self, request: dict[str, Any]) -> Any:
        """Ask the venue itself, past all of our own processes."""
        body = json.dumps(request).encode()
        call = urllib.request.Request(
            self.status()["url"] + "/info", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(call, timeout=5) as answer:
            return json.load(answer)

    def open_orders(self, address: str, dexes: tuple[str, ...] = ("", "hyna", "xyz")) -> list[Any]:
        return [
            order
            for dex in dexes
            for order in self.info({"type": "openOrders", "user": address, "dex": dex})
        ]


def wait_for(what: str, fact: Callable[[], bool], within_s: float, every_s: float = 0.2) -> float:
    """Wait until ``fact`` holds and return how long it took; past the limit, fail with ``what``."""
    began = time.monotonic()
    while not fact():
        if time.monotonic() - began > within_s:
            pytest.fail(f"not within {within_s} s: {what}")
        time.sleep(every_s)
    return time.monotonic() - began


def all_quoting(fleet: Fleet) -> bool:
    return {m["phase"] for m in fleet.status()["markets"]} == {"QUOTING"}


def processes_of(fleet: Fleet) -> dict[int, str]:
    """Every live process that names the fleet's folder or run folder on its command line."""
    marks = (str(fleet.folder), os.path.realpath(fleet.folder / "run"))
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if any(mark in command for mark in marks):
            found[int(entry.name)] = command
    return found


def living(pids: set[int]) -> set[int]:
    """Those that still run: a zombie only waits for init to take note of its end."""
    found = set()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if state != "Z":
            found.add(pid)
    return found


def family(pids: set[int]) -> set[int]:
    """These processes and all that descend from them."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int(
                (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
            )
        except OSError:
            continue
    grown = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in grown} - grown:
        grown |= more
    return grown
