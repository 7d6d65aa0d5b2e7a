"""Whether the ledger turns: one that lives and books nothing is as good as none. Standard library.

It is stopped (a signal, a debugger), or the file that it touches each second has grown old.
"""

import time
from pathlib import Path
from typing import Final

from fleet.gateway.guard_child import Child
from fleet.processes import is_stopped

STOPPED_S: Final = 3.0
SILENT_S: Final = 60.0
"""A batch is booked in milliseconds; finding the place in the log again takes some seconds."""


class Stillness:
    """``pulse``: the file that ``child`` touches."""

    def __init__(self, child: Child, pulse: Path) -> None:
        self._child, self._pulse = child, pulse
        self._stopped_s: float | None = None

    def look(self, now_s: float) -> str | None:
        """Why it is to be replaced; None while it turns, or is not there."""
        pid = self._child.pid
        if pid is None or not is_stopped(pid):
            self._stopped_s = None
        elif self._stopped_s is None:
            self._stopped_s = now_s
        elif now_s - self._stopped_s >= STOPPED_S:
            return "it was stopped"
        if pid is None or self._child.age_s(now_s) < SILENT_S:
            return None
        try:
            silent_s = time.time() - self._pulse.stat().st_mtime
        except OSError:
            return None
        return f"it has not turned for {silent_s:.0f} s" if silent_s >= SILENT_S else None
