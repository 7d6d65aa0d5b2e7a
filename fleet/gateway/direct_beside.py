"""The gateways that live beside a halt without one: each knows of the latch, or is ended.

One that is stopped, or hangs, may be past its look at the latch with a placement in its hands, and
send it whenever it goes on: after the proof. So whoever does not say over its socket that it is
halted is killed, by pidfd. What starts later reads the latch before anything else.
"""

import asyncio
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Callable
from typing import Final

import msgspec

from fleet.folder import Folder
from fleet.processes import find, is_stopped

_MODULE: Final = "fleet.gateway.main"
_LOOK_S: Final = 0.1
_ANSWER_S: Final = 1.0
_KILL_WAIT_S: Final = 5.0
_STOPPED_LOOKS: Final = 2
SILENT_S: Final = 3.0
"""As long as its guard waits before it takes a silent gateway for a hung one."""


class _Health(msgspec.Struct, frozen=True):
    halted: bool


class Beside:
    """Make it once the latch is on the disk; ``settle`` once."""

    def __init__(
        self, folder: Folder, say: Callable[[str], None], silent_s: float = SILENT_S
    ) -> None:
        self._folder, self._say, self._silent_s = folder, say, silent_s
        self._living: dict[int, int] = {}
        self._looks: dict[int, int] = {}
        for pid in find(folder, _MODULE):
            try:
                self._living[pid] = os.pidfd_open(pid)
            except ProcessLookupError:
                continue

    async def settle(self) -> bool:
        """True once none is left that may not know of the latch; False: one can't be ended."""
        until_s = time.monotonic() + self._silent_s
        try:
            while self._living:
                self._forget(await self._knows())
                for pid, pidfd in list(self._living.items()):
                    if _gone(pidfd, 0.0):
                        self._forget(pid)
                    elif (why := self._why_not(pid, until_s)) and not await self._end(pid, why):
                        return False
                if self._living:
                    await asyncio.sleep(_LOOK_S)
        finally:
            for pid in list(self._living):
                self._forget(pid)
        return True

    def _why_not(self, pid: int, until_s: float) -> str:
        """Why it is not waited for any longer; empty while it may yet answer."""
        self._looks[pid] = self._looks.get(pid, 0) + 1 if is_stopped(pid) else 0
        if self._looks[pid] >= _STOPPED_LOOKS:
            return "is stopped"
        return "does not say that it is halted" if time.monotonic() >= until_s else ""

    async def _knows(self) -> int | None:
        """The pid of the gateway that listens, if it says that it is halted."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                return await self._ask()
        except (OSError, TimeoutError, msgspec.MsgspecError):
            return None

    async def _ask(self) -> int | None:
        token = self._folder.token.read_text().strip()
        reader, writer = await asyncio.open_unix_connection(str(self._folder.gateway_sock))
        try:
            peer = writer.get_extra_info("socket")
            size = struct.calcsize("3i")
            raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
            pid = int(struct.unpack("3i", raw)[0])
            writer.write(
                b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                b"Authorization: Bearer " + token.encode() + b"\r\n\r\n"
            )
            body = (await reader.read()).partition(b"\r\n\r\n")[2]
            return pid if msgspec.json.decode(body, type=_Health).halted else None
        finally:
            writer.close()

    async def _end(self, pid: int, why: str) -> bool:
        self._say(f"the gateway (pid {pid}) {why}, and could send after the proof: it is killed")
        pidfd = self._living[pid]
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass
        except PermissionError as error:
            self._say(f"the gateway (pid {pid}) can't be killed: {error}; nothing is proven")
            return False
        if await asyncio.to_thread(_gone, pidfd, _KILL_WAIT_S):
            self._forget(pid)
            return True
        self._say(f"the gateway (pid {pid}) does not go; nothing is proven")
        return False

    def _forget(self, pid: int | None) -> None:
        pidfd = self._living.pop(pid, None) if pid is not None else None
        if pidfd is not None:
            os.close(pidfd)


def _gone(pidfd: int, wait_s: float) -> bool:
    waiter = select.poll()
    waiter.register(pidfd, select.POLLIN)
    return bool(waiter.poll(wait_s * 1_000))
