"""The guard: parent of venue, gateway and ledger, and keeper of the key's bytes.

    python -m fleet.gateway.guard --folder PATH     the key as hex on stdin, one line; empty: none

It takes the locks of folder and account (else exit 6), leaves the terminal, and from then on starts
and restarts its children: the venue on paper, the gateway, the ledger. The key goes to each gateway
on a pipe as fd 3 and nowhere else; the guard itself is not dumpable. Its death ends nothing: the
children live on, and the next guard adopts them. SIGTERM ends ledger, gateway and venue, in this
order, and then the guard with 0. Where no gateway comes up it cancels everything without one
(``guard_last_resort``). Without the key it can do neither, and says so in ``guard_state.json``.
Standard library only: it must not fail for what others import.
"""

import argparse
import contextlib
import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fleet.build import BUILD
from fleet.folder import Folder
from fleet.gateway.guard_child import Child
from fleet.gateway.guard_last_resort import LastResort
from fleet.gateway.guard_locks import Identity, Locks, Taken, read_identity
from fleet.gateway.guard_pulse import Pulse
from fleet.gateway.guard_still import Stillness
from fleet.gateway.guard_venue import VenuePlace
from fleet.gateway.hardening import die_later, harden
from fleet.guards import EXIT_LOCKED, beat, write_guard_state
from fleet.processes import clear_stale, write_pid

EXIT_INVALID: Final = 3
_KEY_FD: Final = 3
_KEY_CHARS: Final = 64
_TERM_WAIT_S: Final = 5.0
_UNSTARTED_WAIT_S: Final = 1.0
_TICK_S: Final = 0.05
_CALM_S: Final = 0.5
_LOG_BYTES_MAX: Final = 32 << 20
_LOG_CHECK_S: Final = 60.0
_BEAT_S: Final = 1.0
_PROCESSES: Final = ("guard", "venue", "gateway", "ledger", "direct")
_OOM_SCORES: Final = {"ledger": 100, "venue": 200}
"""When memory runs out: agents first (Ray gives them 1000), then these, guard and gateway last."""
_OOM_LAST: Final = -500


def say(event: str, **facts: object) -> None:
    """One JSON line on stderr: the guard's log. A full disk silences it and ends nothing."""
    line = {"at_ms": time.time_ns() // 1_000_000, "process": "guard", "event": event, **facts}
    with contextlib.suppress(OSError):
        os.write(2, (json.dumps(line) + "\n").encode())


class Guard:
    """The children and what they need. ``url`` None: the venue's, once it is ready."""

    def __init__(self, folder: Folder, *, key: bytes, url: str | None, venue: bool) -> None:
        self._folder, self._key, self._url = folder, key, url
        self._place = VenuePlace(folder) if venue else None
        self._venue = Child(folder, "venue", prompt=False, say=say)
        self._gateway = Child(folder, "gateway", prompt=True, say=say)
        self._ledger = Child(folder, "ledger", prompt=False, say=say)
        self._last_resort = LastResort(folder, say)
        self._pulse = Pulse(folder)
        self._still = Stillness(self._ledger, folder.root / "ledger.state")
        self._gateway_url: str | None = None
        self._came_up = False
        self._stopping = False
        self._logs_due_s = 0.0
        self._beat_due_s = 0.0
        self._woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def run(self) -> None:
        """Until SIGTERM or SIGINT; all children are gone when it returns."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._adopt()
        while not self._stopping:
            self._turn()
            children = (self._venue, self._gateway, self._ledger, self._last_resort.child)
            self._wait(children, _TICK_S if self._busy() else _CALM_S)
        for child in (self._last_resort.child, self._ledger, self._gateway, self._venue):
            self._end(child)

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _adopt(self) -> None:
        if self._place is not None and self._venue.adopt():
            self._url = self._place.adopted_url()
            self._place.awaits(time.monotonic())
        if self._gateway.adopt():
            self._gateway_url = self._place.gateway_url(self._gateway) if self._place else self._url
            self._came_up = True
        self._ledger.adopt()

    def _busy(self) -> bool:
        """Something is awaited that no descriptor announces."""
        gateway = [self._gateway] if self._key else []
        children = [*gateway, self._ledger, *([self._venue] if self._place else [])]
        return self._url is None or not all(child.up for child in children)

    def _turn(self) -> None:
        now_s = time.monotonic()
        if self._place is not None:
            self._turn_venue(self._place, now_s)
        if self._gateway.up and self._url and self._gateway_url != self._url:
            say("gateway.moved", url=self._url)
            self._came_up = True
            self._end(self._gateway)
        if not self._gateway.up and self._url and self._key and now_s >= self._gateway.due_s:
            with _attempt(self._gateway):
                self._start_gateway(self._url)
        elif self._gateway.up and not self._came_up and self._is_connected():
            self._came_up = True
            self._last_resort.came_up()
        elif self._came_up and self._gateway.up and self._key and not self._pulse.look(now_s):
            self._replace_hung()
        if self._key and self._last_resort.due(now_s):
            with _attempt(self._last_resort.child):
                self._last_resort.start(self._key)
        self._turn_ledger(now_s)
        if now_s >= self._beat_due_s:
            self._beat_due_s = now_s + _BEAT_S
            beat(self._folder)
        if now_s >= self._logs_due_s:
            self._logs_due_s = now_s + _LOG_CHECK_S
            self._trim_logs()

    def _turn_ledger(self, now_s: float) -> None:
        if not self._ledger.up and now_s >= self._ledger.due_s:
            with _attempt(self._ledger):
                self._ledger.start(["--folder", str(self._folder.root)])
                die_later(_OOM_SCORES["ledger"], self._ledger.pid or 0)
        elif (why := self._still.look(now_s)) is not None:
            say("alert.ledger_hung", pid=self._ledger.pid, why=why, mend="replaced; its log waits")
            self._ledger.send(signal.SIGKILL)

    def _turn_venue(self, place: VenuePlace, now_s: float) -> None:
        if not self._venue.up and now_s >= self._venue.due_s:
            self._url = None
            with _attempt(self._venue):
                self._venue.start(place.arguments(say), stdout=place.ready_file)
                die_later(_OOM_SCORES["venue"], self._venue.pid or 0)
            place.awaits(now_s)
        elif self._venue.up and self._url is None:
            self._url = place.ready()
            if self._url:
                say("venue.ready", url=self._url)
            elif place.overdue(now_s):
                say("venue.mute", mend=f"see {self._folder.log('venue')}; started again")
                self._venue.send(signal.SIGKILL)
                place.awaits(now_s)

    def _start_gateway(self, url: str) -> None:
        """The key goes into a pipe that only this child inherits, and is read from there once."""
        reader, writer = os.pipe2(os.O_CLOEXEC)
        os.write(writer, self._key + b"\n")
        os.close(writer)
        os.dup2(reader, _KEY_FD, inheritable=True)
        os.close(reader)
        try:
            self._gateway.start(["--folder", str(self._folder.root), "--url", url], fd3=True)
        finally:
            _reserve_key_fd()
        self._gateway_url, self._came_up = url, False

    def _replace_hung(self) -> None:
        """It lives and does not answer: the orders it should watch are watched by nobody."""
        say("alert.gateway_hung", pid=self._gateway.pid, mend="replaced; see its log")
        self._pulse.forget()
        self._gateway.send(signal.SIGKILL)

    def _is_connected(self) -> bool:
        """The gateway that we started has said that it has its venue."""
        path = self._folder.gateway / "state.json"
        try:
            fresh = path.stat().st_mtime_ns >= self._gateway.started_ns
            return fresh and json.loads(path.read_text())["state"] == "up"
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _ended(self, child: Child) -> None:
        came_up = self._came_up or self._is_connected()
        child.ended()
        if child is self._gateway:
            self._pulse.forget()
        if child is self._last_resort.child:
            self._last_resort.ended()
        elif child is self._gateway and not came_up and not self._stopping:
            self._last_resort.failed(time.monotonic())

    def _wait(self, children: tuple[Child, ...], timeout_s: float) -> None:
        """Until a child ends, a signal comes, or the time is over."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        watched = {child.pidfd: child for child in children if child.pidfd is not None}
        for pidfd in watched:
            poll.register(pidfd, select.POLLIN)
        for descriptor, _ in poll.poll(timeout_s * 1_000):
            if descriptor == self._woken:
                os.read(self._woken, 4_096)
            else:
                self._ended(watched[descriptor])

    def _end(self, child: Child) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            child.send(number)
            deadline_s = time.monotonic() + _TERM_WAIT_S
            while child.up and time.monotonic() < deadline_s:
                self._wait((child,), deadline_s - time.monotonic())

    def _trim_logs(self) -> None:
        """A log that has grown too large becomes ``<name>.1``; its writers append to the rest."""
        for name in _PROCESSES:
            log = self._folder.log(name)
            with contextlib.suppress(OSError):
                if log.stat().st_size > _LOG_BYTES_MAX:
                    shutil.copyfile(log, log.with_name(log.name + ".1"))
                    os.truncate(log, 0)


@contextlib.contextmanager
def _attempt(child: Child) -> Iterator[None]:
    """What keeps a child from starting (no memory, a full disk) must not end its guard."""
    try:
        yield
    except OSError as error:
        child.due_s = time.monotonic() + _UNSTARTED_WAIT_S
        say("child.unstarted", child=child.name, why=str(error))


def _reserve_key_fd() -> None:
    """Keep fd 3 taken, so that nothing else of ours is ever opened under that number."""
    null = os.open(os.devnull, os.O_RDONLY)
    if null != _KEY_FD:
        os.dup2(null, _KEY_FD, inheritable=False)
        os.close(null)


def _detach(log: Path) -> int:
    """Into a session of its own, without terminal; what it says goes to its log.

    Returns a descriptor: a byte written to it lets the process that was called exit with 0.
    """
    waiting, ready = os.pipe2(os.O_CLOEXEC)
    if os.fork():
        os.close(ready)
        os._exit(0 if os.read(waiting, 1) else 1)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor, target in ((null, 0), (out, 1), (out, 2)):
        os.dup2(descriptor, target)
    for descriptor in (null, out, waiting):
        os.close(descriptor)
    return ready


def _read_key() -> bytes:
    """Raises ValueError (which never repeats the input)."""
    key = sys.stdin.buffer.readline(256).strip().removeprefix(b"0x")
    if key and (len(key) != _KEY_CHARS or not set(key) <= set(b"0123456789abcdefABCDEF")):
        raise ValueError("the key on stdin is not 64 hex digits")
    return key


def _refuse(text: str, code: int) -> int:
    os.write(2, (text + "\n").encode())
    return code


def main() -> int:
    parser = argparse.ArgumentParser(prog="fleet.gateway.guard", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    folder = Folder(parser.parse_args().folder)
    _reserve_key_fd()
    harden()
    die_later(_OOM_LAST)
    os.umask(0o077)
    try:
        settings = json.loads((folder.root / "guard.json").read_text())
        url, venue = settings["url"], bool(settings["venue"])
        identity: Identity = read_identity(folder)
        key = _read_key()
    except (OSError, ValueError, KeyError, TypeError) as error:
        return _refuse(f"{folder.root}: {error}; `fleet apply` writes it anew", EXIT_INVALID)
    if not venue and not url:
        return _refuse(f"{folder.root}/guard.json: neither url nor venue", EXIT_INVALID)
    try:
        locks = Locks(folder, identity)
    except Taken as taken:
        return _refuse(str(taken), EXIT_LOCKED)
    ready = _detach(folder.log("guard"))
    locks.sign()
    for note in clear_stale(folder, _PROCESSES):
        say("pid_file.stale", note=note)
    write_pid(folder, "guard", os.getpid(), BUILD)
    os.write(ready, b".")
    os.close(ready)
    say("guard.started", pid=os.getpid(), network=identity.network)
    write_guard_state(folder, key="held" if key else "missing")
    if not key:
        say("key.missing", mend="a gateway that dies stays away; fleet apply brings the key")
    Guard(folder, key=key, url=url, venue=venue).run()
    folder.pid("guard").unlink(missing_ok=True)
    say("guard.ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
