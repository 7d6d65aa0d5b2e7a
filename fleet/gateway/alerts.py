"""Alerts: what a person has to know, as a log line and on the stdin of a command of theirs."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from fleet.gateway.core.effects import Alert

COMMAND_S: Final = 10.0
WAITING_MAX: Final = 20
_log = structlog.get_logger()


class Alerts:
    """``tell`` never waits and never fails: whoever alerts has something better to do."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._running: set[asyncio.Task[None]] = set()

    def tell(self, alert: Alert) -> None:
        """One line; the command too, at most ``WAITING_MAX`` at a time."""
        told = msgspec.structs.asdict(alert)
        del told["event"]
        _log.warning("alert", about=alert.event, **told)
        if self._command and len(self._running) < WAITING_MAX:
            line = {"at_ms": time.time_ns() // 1_000_000, "about": alert.event, **told}
            task = asyncio.get_running_loop().create_task(self._run(msgspec.json.encode(line)))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, line: bytes) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            _log.error("alert.command_failed", error=str(error))
            return
        try:
            async with asyncio.timeout(COMMAND_S):
                await process.communicate(line + b"\n")
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            _log.error("alert.command_slow", command=self._command[0])
