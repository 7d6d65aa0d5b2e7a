"""Watches a running fleet for orders whose lease is over: for how long does each still rest?"""

import threading
import time
from contextlib import suppress
from typing import Final

from fleet.gateway.api import GatewayStatus
from fleet.processes import start_ticks
from tests.soak.rig import Rig

_LOOK_S: Final = 0.25


class OrphanWatch(threading.Thread):
    """``longest_s``: the longest that orders of one lease rested after its holder's end, counting
    only what passed while a gateway answered and had its link; ``longest_wall_s``: all of it.
    """

    def __init__(self, rig: Rig) -> None:
        super().__init__(daemon=True)
        self.looks = 0
        self.longest_s = self.longest_wall_s = 0.0
        self.worst = ""
        self._rig = rig
        self._ended = threading.Event()
        self._pids: dict[tuple[str, int], int] = {}
        self._able_s: dict[tuple[str, int], float] = {}
        self._wall_s: dict[tuple[str, int], float] = {}

    def run(self) -> None:
        looked_s = time.monotonic()
        while not self._ended.wait(_LOOK_S):
            with suppress(OSError, ValueError, KeyError):
                resting = self._rig.ours()
                view = self._rig.status()
                now_s = time.monotonic()
                passed_s, looked_s = now_s - looked_s, now_s
                self._learn(view)
                self._look(resting, passed_s, able=view is not None and view.link == "up")
                self.looks += 1

    def end(self) -> None:
        self._ended.set()
        self.join()

    def _learn(self, view: GatewayStatus | None) -> None:
        for market in view.markets if view is not None else ():
            lease = market.lease
            if lease.owner == "agent" and lease.pid is not None and lease.generation is not None:
                self._pids[market.market, lease.generation] = lease.pid

    def _look(self, resting: set[tuple[str, int]], passed_s: float, *, able: bool) -> None:
        for key in resting | set(self._able_s):
            pid = self._pids.get(key)
            if key not in resting or (pid is not None and start_ticks(pid) is not None):
                self._able_s.pop(key, None)
                self._wall_s.pop(key, None)
                continue
            if pid is None:
                continue  # the caretaker's own, or a lease too young to have been seen
            self._wall_s[key] = self._wall_s.get(key, 0.0) + passed_s
            self._able_s[key] = self._able_s.get(key, 0.0) + (passed_s if able else 0.0)
            self.longest_wall_s = max(self.longest_wall_s, self._wall_s[key])
            if self._able_s[key] > self.longest_s:
                self.longest_s = self._able_s[key]
                self.worst = f"{key[0]}, generation {key[1]}: {self.longest_s:.1f} s"
