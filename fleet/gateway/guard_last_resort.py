"""When no gateway will come up: cancel everything without one, and say so. Standard library only.

Three starts of the gateway that fail within 30 s make it due. What then runs is the program of
``fleet halt --direct``: the latch stands afterwards, until a person lifts it. It is run again, with
longer and longer waits, until it has proven the account free of our orders.
"""

import os
from collections import deque
from collections.abc import Callable
from typing import Final

from fleet.folder import Folder
from fleet.gateway.guard_child import Child

FAILED_STARTS: Final = 3
WITHIN_S: Final = 30.0
_REASON: Final = f"the gateway failed to start {FAILED_STARTS} times in {WITHIN_S:.0f} s"


class LastResort:
    """Counts failed starts, and knows when ``child`` is to run."""

    def __init__(self, folder: Folder, say: Callable[..., None]) -> None:
        self.child = Child(folder, "direct", prompt=False, say=say, module="fleet.gateway.direct")
        self.runs = 0
        self._folder, self._say = folder, say
        self._failed_s: deque[float] = deque(maxlen=FAILED_STARTS)
        self._due = False

    def failed(self, now_s: float) -> None:
        """One more start of the gateway came to nothing."""
        self._failed_s.append(now_s)
        full = len(self._failed_s) == FAILED_STARTS
        if full and now_s - self._failed_s[0] <= WITHIN_S and not self._due:
            self._due = self._has_traded()
            self._say(
                "alert.gateway_fails", starts=FAILED_STARTS, last_resort=self._due,
                mend=f"see {self._folder.log('gateway')}; the gateway is tried again and again",
            )  # fmt: skip

    def came_up(self) -> None:
        """A gateway is there: it does all this, and better."""
        self._due = False
        self._failed_s.clear()

    def due(self, now_s: float) -> bool:
        return self._due and not self.child.up and now_s >= self.child.due_s

    def start(self, key: bytes) -> None:
        """Raises OSError. The key goes by a pipe, as to a gateway."""
        reader, writer = os.pipe2(os.O_CLOEXEC)
        try:
            os.write(writer, key + b"\n")
            os.close(writer)
            arguments = ["--folder", str(self._folder.root), "--reason", _REASON, "--by", "guard"]
            self.child.start(arguments, stdin=reader)
        finally:
            os.close(reader)
        self.runs += 1
        self._say("alert.last_resort", mend="once the gateway is back: fleet resume --reason TEXT")

    def ended(self) -> None:
        """Its child has gone, and ``child.exit`` says how."""
        proven = self.child.exit == 0
        if proven:
            self._due = False
        self._say(
            "alert.last_resort_ended", proven=proven, exit=self.child.exit,
            mend="none needed" if proven else f"it runs again; see {self._folder.log('direct')}",
        )  # fmt: skip

    def _has_traded(self) -> bool:
        """A fleet that never sent anything has nothing to be cancelled, and needs no latch."""
        try:
            return any(path.stat().st_size for path in self._folder.actions.glob("*.log"))
        except OSError:
            return True
