"""One child of the guard: started or adopted, watched by pidfd, restarted with back-off.

Standard library only. A child writes to ``logs/<name>.jsonl``; its environment is an allow-list.
Children outlive the guard on purpose: whatever dies, the process that can cancel must not.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from fleet.build import BUILD
from fleet.folder import Folder
from fleet.processes import alive, clean_environment, find, python, write_pid

_SETTLED_S: Final = 30.0
_PROMPT_S: Final = (0.0, 0.25, 0.5, 1.0, 1.0, 1.0, 2.0, 4.0, 8.0)
_PATIENT_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


def back_off_s(failures: int, *, prompt: bool) -> float:
    """Seconds to wait before restart number ``failures`` (from 1) of a row of early deaths."""
    steps = _PROMPT_S if prompt else _PATIENT_S
    return steps[min(failures, len(steps)) - 1]


class Child:
    """``prompt``: back within a second, the first six times in a row (the gateway).

    ``exit``: how the last life ended; None where it was not our own child. ``started_ns``: unix
    time of the last start, 0 for one that was adopted.
    """

    def __init__(
        self,
        folder: Folder,
        name: str,
        *,
        prompt: bool,
        say: Callable[..., None],
        module: str | None = None,
    ) -> None:
        self.name, self.module = name, module or f"fleet.{name}.main"
        self.pid: int | None = None
        self.pidfd: int | None = None
        self.due_s = 0.0
        self.exit: int | None = None
        self.started_ns = 0
        self._folder, self._prompt, self._say = folder, prompt, say
        self._own = False
        self._failures = 0
        self._started_s = 0.0

    @property
    def up(self) -> bool:
        return self.pid is not None

    def age_s(self, now_s: float) -> float:
        """How long ago it was started, or adopted."""
        return now_s - self._started_s

    def adopt(self) -> bool:
        """Take over a living process of an earlier guard; a second one beside it is ended."""
        recorded = alive(self._folder, self.name)
        strays = [pid for pid in find(self._folder, self.module) if pid != recorded]
        pid = recorded or (strays.pop(0) if strays else None)
        for stray in strays:
            self._say("child.stray", child=self.name, pid=stray)
            os.kill(stray, signal.SIGTERM)
        if pid is None:
            return False
        try:
            self.pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        self.pid, self._own, self._started_s = pid, False, time.monotonic()
        self.started_ns = 0
        if recorded is None:
            with contextlib.suppress(OSError):
                write_pid(self._folder, self.name, pid, "unknown")
        self._say("child.adopted", child=self.name, pid=pid)
        return True

    def start(
        self,
        arguments: Sequence[str],
        *,
        stdout: Path | None = None,
        fd3: bool = False,
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        """Start it; ``stdout``: a fresh file instead of its log; ``fd3``: let it inherit fd 3.

        Raises OSError if it could not be started.
        """
        if stdout is not None:
            stdout.parent.mkdir(mode=0o700, exist_ok=True)  # temp folders are tidied by others
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        log = os.open(self._folder.log(self.name), flags, 0o600)
        out = os.open(stdout, flags | os.O_TRUNC, 0o600) if stdout else log
        try:
            process = subprocess.Popen(  # noqa: S603 - our own module
                python(self.module, *arguments),
                stdin=stdin,
                stdout=out,
                stderr=log,
                env=clean_environment(os.environ),
                pass_fds=(3,) if fd3 else (),
                start_new_session=True,
            )
        finally:
            os.close(log)
            if out != log:
                os.close(out)
        # Reaped by ``ended``; the object must not do so behind our back.
        process.returncode = 0
        self.pid, self.pidfd, self._own = process.pid, os.pidfd_open(process.pid), True
        self._started_s, self.started_ns = time.monotonic(), time.time_ns()
        with contextlib.suppress(OSError):  # on a full disk the next guard finds it by its command
            write_pid(self._folder, self.name, process.pid, BUILD)
        self._say("child.started", child=self.name, pid=process.pid)

    def send(self, number: int) -> None:
        """A signal, if it still lives."""
        if self.pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)

    def ended(self) -> None:
        """Its pidfd says that it is gone: reap it, and say when it is due again."""
        assert self.pid is not None
        assert self.pidfd is not None
        how, self.exit = "adopted, so unknown", None
        if self._own:
            self.exit = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            how = str(self.exit)
        os.close(self.pidfd)
        now_s = time.monotonic()
        if now_s - self._started_s >= _SETTLED_S:
            self._failures = 0
        self._failures += 1
        wait_s = back_off_s(self._failures, prompt=self._prompt)
        self.due_s = now_s + wait_s
        self._folder.pid(self.name).unlink(missing_ok=True)
        self._say("child.ended", child=self.name, pid=self.pid, exit=how, restart_in_s=wait_s)
        self.pid = self.pidfd = None
