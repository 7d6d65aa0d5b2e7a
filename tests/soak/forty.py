"""A fleet of forty markets under measure: what its processes take, what the venue says of it."""

import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fleet.processes import live
from tests.e2e.under_test import Cli, Fleet
from tests.soak.rig import Rig

MANIFEST: Final = "tests/soak/forty.yaml"
MARKETS: Final = 40
START_S: Final = 600.0
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE_KB: Final = os.sysconf("SC_PAGE_SIZE") // 1024


@contextmanager
def forty(home: Path) -> Iterator[Rig]:
    """The fleet, applied and quoting; ended after."""
    cli = Cli(home)
    began_s = time.monotonic()
    done = cli.run("apply", MANIFEST, "--yes", "--wait", str(int(START_S)), timeout_s=START_S + 60)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        say(f"forty markets quote {time.monotonic() - began_s:.0f} s after the apply began")
        yield Rig(Fleet(cli, "forty"), MANIFEST)
    finally:
        cli.run("--fleet", "forty", "down", timeout_s=300.0)


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the table is what this is run for


# ── processes ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Taken:
    """What a process has taken so far. ``pss_kb``: its own share of memory, None if hidden."""

    cpu_s: float
    queued_s: float
    rss_kb: int
    pss_kb: int | None


def processes(rig: Rig) -> dict[str, int]:
    """Every process of the fleet by name; agents as ``agent:<market>``."""
    agents = {row["pid"]: f"agent:{row['market']}" for row in rig.look()["markets"] if row["pid"]}
    others = {p.name: p.pid for p in live(rig.folder) if p.pid not in agents}
    return others | {name: pid for pid, name in agents.items()}


def taken(pid: int) -> Taken | None:
    """None if it is gone."""
    folder = Path(f"/proc/{pid}")
    try:
        stat = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        queued_ns = sum(
            int((task / "schedstat").read_text().split()[1]) for task in folder.glob("task/*")
        )
    except (OSError, IndexError):
        return None
    cpu_s = (int(stat[11]) + int(stat[12])) / _TICKS_PER_S
    return Taken(cpu_s, queued_ns / 1e9, int(stat[21]) * _PAGE_KB, _pss_kb(folder))


def _pss_kb(folder: Path) -> int | None:
    with suppress(OSError):
        for line in (folder / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return None


# ── the venue ────────────────────────────────────────────────────────────────────────────────


def stats(rig: Rig) -> dict[str, int]:
    """The venue's own counts: connections, subscriptions, what it turned away."""
    with urllib.request.urlopen(rig.url + "/admin/stats", timeout=5) as answer:
        counted: dict[str, int] = json.load(answer)
        return counted


def requests_used(rig: Rig) -> int:
    limit = rig.info({"type": "userRateLimit", "user": rig.address})
    return int(limit["nRequestsUsed"])


def burn_per_h(rig: Rig) -> float:
    """Requests used less those earned since the link came up, by the venue's own count."""
    limit = rig.info({"type": "userRateLimit", "user": rig.address})
    status = rig.status()
    assert status is not None
    hours = (status.as_of_ms - status.link_since_ms) / 3_600_000
    return (int(limit["nRequestsUsed"]) - float(limit["cumVlm"])) / hours


@dataclass
class Watch:
    """Looks at the fleet once a second and keeps the worst of what it saw."""

    rig: Rig
    connections: int = 0
    weight_share: float = 0.0
    quoting_least: int = MARKETS
    looks: int = 0
    warnings: set[str] = field(default_factory=set)

    def look(self) -> None:
        seen = self.rig.look()
        self.looks += 1
        self.connections = max(self.connections, stats(self.rig)["connections"])
        self.weight_share = max(self.weight_share, seen["account"]["ip_weight_used_share"] or 0.0)
        quoting = sum(row["phase"] in {"QUOTING", "REDUCING"} for row in seen["markets"])
        self.quoting_least = min(self.quoting_least, quoting)
        self.warnings |= set(seen["warnings"])

    def run(self, seconds: float, beside: Callable[[], object] = lambda: None) -> None:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            beside()
            self.look()
            time.sleep(1.0)


# ── tables ───────────────────────────────────────────────────────────────────────────────────


def groups(names: dict[str, int]) -> dict[str, list[int]]:
    """Pids by what they are: the agents together, each other process by itself."""
    found: dict[str, list[int]] = {}
    for name, pid in names.items():
        found.setdefault("agents" if name.startswith("agent:") else name, []).append(pid)
    return found


def usage_lines(
    names: dict[str, int], before: dict[int, Taken], after: dict[int, Taken], seconds: float
) -> list[str]:
    """A line a kind of process: cores, of them waited for, memory."""
    lines = [
        f"{'process':<12} {'n':>3} {'% of a core':>11} {'waited %':>9} {'PSS MB':>8} {'RSS MB':>8}"
    ]
    for name, pids in sorted(groups(names).items()):
        both = [(before[pid], after[pid]) for pid in pids if pid in before and pid in after]
        if not both:
            continue
        cpu = 100 * sum(b.cpu_s - a.cpu_s for a, b in both) / seconds
        queued = 100 * sum(b.queued_s - a.queued_s for a, b in both) / seconds
        shares = [b.pss_kb for _, b in both if b.pss_kb is not None]
        pss = f"{sum(shares) / 1024:8.1f}" if len(shares) == len(both) else f"{'hidden':>8}"
        rss = sum(b.rss_kb for _, b in both) / 1024
        lines.append(f"{name:<12} {len(both):>3} {cpu:>11.1f} {queued:>9.1f} {pss} {rss:>8.1f}")
    return lines


def stall_lines(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    """Of each loop: the worst gap, and how many of over 100 ms were its own doing."""
    was = {(row["process"], row["pid"]): row for row in before}
    lines = [f"{'loop':<12} {'worst ms':>9} {'own ms':>8} {'stalls':>7} {'own':>5}"]
    agents: list[tuple[float, float, int, int]] = []
    for row in after:
        old = was.get((row["process"], row["pid"]), {"stalls": 0, "own_stalls": 0})
        told = (
            row["worst_ms"], row["worst_own_ms"], row["stalls"] - old["stalls"],
            row["own_stalls"] - old["own_stalls"],
        )  # fmt: skip
        if row["process"] in {"gateway", "venue", "supervisor", "risk"}:
            lines.append(
                f"{row['process']:<12} {told[0]:>9.1f} {told[1]:>8.1f} {told[2]:>7} {told[3]:>5}"
            )
        else:
            agents.append(told)
    if agents:
        worst, own = max(a[0] for a in agents), max(a[1] for a in agents)
        stalls, owns = sum(a[2] for a in agents), sum(a[3] for a in agents)
        lines.append(_stall_line("agents", (worst, own, stalls, owns)))
    return lines


def _stall_line(process: str, told: tuple[float, float, int, int]) -> str:
    return f"{process:<12} {told[0]:>9.1f} {told[1]:>8.1f} {told[2]:>7} {told[3]:>5}"
