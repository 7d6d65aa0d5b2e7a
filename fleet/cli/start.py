"""Starting what is missing: guard (with gateway, ledger, venue), Ray's head, supervisor."""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from fleet import guards, processes
from fleet.cli.console import say
from fleet.cli.control import Control
from fleet.cli.failure import ExitCode, Failure
from fleet.folder import Folder

GATEWAY_WAIT_S: Final = 15.0
SUPERVISOR_WAIT_S: Final = 60.0
GUARD_END_S: Final = 20.0
RAY: Final = "Ray"
BLIND_S: Final = 10.0
HANGS_S: Final = 3.0
REVIVAL_S: Final = 20.0


class Running(msgspec.Struct, frozen=True):
    """Which parts of a fleet answer now.

    ``guard``: one that turns and has the key; ``head``: Ray's, one that the supervisor can see.
    """

    guard: bool
    head: bool
    supervisor: bool

    @property
    def whole(self) -> bool:
        return self.guard and self.head and self.supervisor


def running(folder: Folder) -> Running:
    """Look at the processes; imports no Ray."""
    from fleet.cluster.session import head_alive

    guard = (
        processes.alive(folder, "guard") is not None
        and not guards.key_missing(folder)
        and guards.hung(folder) is None
    )
    head, supervisor = head_alive(folder), Control(folder).health()
    if supervisor.turns and supervisor.blind == RAY and supervisor.blind_s >= BLIND_S:
        head = False
    return Running(guard=guard, head=head, supervisor=head and supervisor.turns)


def start_guard(folder: Folder, key: str) -> None:
    """Guard, gateway, ledger and, on paper, the venue; on failure none of them is left."""
    began_s = time.monotonic()
    try:
        guards.spawn_guard(folder, key)
    except guards.AccountLocked as error:
        raise Failure(ExitCode.LOCKED, str(error)) from None
    except guards.GuardFailed as error:
        processes.stop(folder, "guard", GUARD_END_S)
        mend = f"read {folder.log('guard')} and {folder.log('gateway')}; nothing is left running"
        raise Failure(ExitCode.OUT_OF_REACH, str(error), mend) from None
    _started("gateway, ledger", began_s)


def start_cluster(folder: Folder, found: Running) -> None:
    """Ray's head and the supervisor; returns once the control socket answers."""
    from fleet.cluster.session import ClusterFailed

    try:
        if not found.head:
            _start_ray(folder)
        elif not found.supervisor and not _revived(folder):
            try:
                _start_supervisor(folder)
            except ClusterFailed as error:
                say(f"Ray is replaced: {error.text}")
                _start_ray(folder)
    except ClusterFailed as error:
        raise Failure(ExitCode.UNEXPECTED, error.text, error.mend) from None
    control = Control(folder)
    if not until(control.healthy, SUPERVISOR_WAIT_S):
        text = f"the supervisor did not answer within {SUPERVISOR_WAIT_S:.0f} s"
        mend = "see: fleet logs supervisor; then fleet apply again"
        raise Failure(ExitCode.NOT_CONVERGED, text, mend)


def _start_ray(folder: Folder) -> None:
    """A new head, whatever is left of an old one, and its supervisor."""
    from fleet.cluster.session import start_head, stop_head

    stop_head(folder)
    _timed("Ray", lambda: start_head(folder))
    _start_supervisor(folder)


def _start_supervisor(folder: Folder) -> None:
    from fleet.cluster.bootstrap import start_supervisor

    _timed("supervisor", lambda: start_supervisor(folder))


def _revived(folder: Folder) -> bool:
    """Whether the supervisor answers after all: Ray starts again one that is gone, or is ended."""
    if not folder.pid("supervisor").exists():
        return False
    control = Control(folder)
    if processes.alive(folder, "supervisor") is not None:
        if until(control.healthy, HANGS_S):
            return True
        say("the supervisor hangs: ended, and started again by Ray")
        processes.stop(folder, "supervisor", 1.0)
    return until(control.healthy, REVIVAL_S)


def until(fact: Callable[[], bool], patience_s: float, every_s: float = 0.1) -> bool:
    """Whether ``fact`` came true in time; it is asked at least once."""
    deadline_s = time.monotonic() + patience_s
    while not fact():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(every_s)
    return True


def _timed(what: str, start: Callable[[], None]) -> None:
    began_s = time.monotonic()
    start()
    _started(what, began_s)


def _started(what: str, began_s: float) -> None:
    say(f"started  {what}  ({time.monotonic() - began_s:.1f} s)")
