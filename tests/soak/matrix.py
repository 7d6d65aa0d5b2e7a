"""One cell of the kill matrix: end or stop processes of a running fleet, and watch the venue.

What is stopped stays stopped until the fleet is whole again without it; only then it goes on, and
must do no harm. Outages of the venue and of the link to it end by themselves.
"""

import os
import signal
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, Literal

from fleet.processes import start_ticks
from tests.soak.rig import Rig

How = Literal["KILL", "STOP"]

SUBJECTS: Final = (
    "agent", "supervisor", "risk", "gateway", "ledger", "guard", "raylet", "gcs_server", "venue",
    "link",
)  # fmt: skip
LEASE_S: Final = 5.0
GRACE_S: Final = 2.0
OUTAGE_S: Final = 7.0
PATIENCE_S: Final = 45.0
"""So long the fleet may take by itself before a person applies: the supervisor gives an agent
without a lease half a minute."""
APPLY_S: Final = 90
_LOOK_S: Final = 0.2
_NOTICE_S: Final = 2.0
_LEAVE_S: Final = 10.0
_APPLIED: Final = frozenset({"guard", "raylet", "gcs_server"})
"""Nothing of ours starts these: a person's apply does."""


def alone() -> list[tuple[How, tuple[str, ...]]]:
    """Each subject by itself, both ways."""
    hows: tuple[How, How] = ("KILL", "STOP")
    return [(how, (subject,)) for how in hows for subject in SUBJECTS]


def pairs(how: How) -> list[tuple[How, tuple[str, ...]]]:
    """Every pair but guard and gateway, which leave nobody who could cancel."""
    both = combinations(SUBJECTS, 2)
    return [(how, pair) for pair in both if set(pair) != {"gateway", "guard"}]


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


def limit_s(subjects: tuple[str, ...], how: How) -> float:
    """How long an order of the agents concerned may rest: its lease and 2 s, from its owner's end.

    A dead agent's socket is closed, so that nothing of the lease is left to wait for; where Ray
    has to find out first, or the gateway to come back, it is. While the venue is away nothing can
    be cancelled: the count begins when it is back.
    """
    quick = how == "KILL" and all(s.startswith("agent") or s == "raylet" for s in subjects)
    slow = {"gateway", "guard"} & set(subjects)
    away = {"venue", "link"} & set(subjects)
    return (
        GRACE_S
        + (0.0 if quick else LEASE_S)
        + (LEASE_S if slow and how == "STOP" else 0.0)
        + (OUTAGE_S if away else 0.0)
    )


def run(rig: Rig, subjects: tuple[str, ...], how: How, *, patience_s: float = PATIENCE_S) -> Cell:
    """The fleet is whole before; what is left to a person is one apply."""
    cell = Cell(f"{how:<4} {' + '.join(subjects)}")
    orphaned = _orphaned(rig, subjects, how)
    pids = {subject: rig.pid(subject) for subject in subjects if subject != "link"}
    # A gateway that comes back holds a lease open for whoever may continue it.
    watch = Watch(rig, orphaned, GRACE_S + (LEASE_S if "gateway" in subjects else 0.0))
    watch.start()
    began_s = time.monotonic()
    _strike(rig, pids, how, link="link" in subjects)
    try:
        _come_back(rig, cell, pids, how, began_s, patience_s)
    finally:
        _go_on(pids.values())
    if how == "STOP":
        _after(rig, cell, pids)
    watch.end()
    cell.last_orphan_s = watch.last_orphan_s
    if orphaned and (watch.last_orphan_s or 0.0) > limit_s(subjects, how) + _LOOK_S:
        cell.faults.append(f"orders outlived {limit_s(subjects, how):.0f} s")
    cell.faults += [f"{m}: dead pid as owner" for m in watch.false_owner_s]
    cell.faults += rig.book_faults()
    return cell


def _strike(rig: Rig, pids: dict[str, int], how: How, *, link: bool) -> None:
    if link and how == "STOP":
        rig.faults(freeze_connections_s=OUTAGE_S)
    elif link:
        rig.faults(cut_connections=True)
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL if how == "KILL" else signal.SIGSTOP)
    if how == "STOP" and ("venue" in pids or link):
        time.sleep(OUTAGE_S)
        _go_on([pids["venue"]] if "venue" in pids else [])
    time.sleep(_NOTICE_S)


def _go_on(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _come_back(
    rig: Rig, cell: Cell, pids: dict[str, int], how: How, began_s: float, patience_s: float
) -> None:
    """By itself, else by one apply; a guard or a Ray that is gone is a person's to bring back."""
    # A venue that was stopped has gone on by now: it is the outside world, and nobody's to replace.
    struck = {s: pid for s, pid in pids.items() if s != "venue" or how == "KILL"}
    for_a_person = bool(pids.keys() & _APPLIED) or (how == "STOP" and "supervisor" in pids)
    if for_a_person or not rig.whole_within(patience_s, struck):
        if for_a_person:
            time.sleep(LEASE_S + GRACE_S)
        cell.applied = True
        done = rig.fleet.cli.run("apply", rig.manifest, "--yes", "--wait", str(APPLY_S))
        if done.returncode:
            cell.faults.append(f"apply: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    if rig.whole_within(30.0, struck):
        cell.back_s = time.monotonic() - began_s
    else:
        cell.faults.append(f"not whole: {', '.join(rig.missing(struck))}")


def _after(rig: Rig, cell: Cell, pids: dict[str, int]) -> None:
    """What was stopped goes on: an agent whose lease is gone exits, and nothing else suffers."""
    agents = {pid for subject, pid in pids.items() if subject.startswith("agent")}
    deadline_s = time.monotonic() + _LEAVE_S
    while any(start_ticks(pid) is not None for pid in agents) and time.monotonic() < deadline_s:
        time.sleep(_LOOK_S)
    cell.faults += [f"agent {pid} goes on" for pid in agents if start_ticks(pid) is not None]
    if not rig.whole_within(30.0):
        cell.faults.append(f"not whole once they went on: {', '.join(rig.missing())}")


def _orphaned(rig: Rig, subjects: tuple[str, ...], how: How) -> set[tuple[str, int]]:
    """The leases whose holder goes: one market's, all with a killed Ray, none with the others."""
    if how == "KILL" and "raylet" in subjects:
        return rig.ours()
    markets = {s.partition(":")[2] or rig.markets[0] for s in subjects if s.startswith("agent")}
    return {(market, generation) for market, generation in rig.ours() if market in markets}
