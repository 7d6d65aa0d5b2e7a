"""One agent's WebSocket: what waits to be sent, conflated where a newer frame replaces an older."""

import asyncio
from collections import deque
from typing import Final

from aiohttp import WSMsgType, web

FRAMES_MAX: Final = 4_000
BYTES_MAX: Final = 16 << 20


class AgentSocket:
    """A bounded queue in front of one connection. Books and touches are conflated to the latest;
    everything else is kept, and who can't keep up is cut off.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._frames: deque[list[bytes]] = deque()
        self._slots: dict[str, list[bytes]] = {}
        self._slot_of: dict[int, str] = {}
        self._bytes = 0
        self._wake = asyncio.Event()
        self._ending = False
        self.overrun = False

    def push(self, data: bytes, slot: str | None) -> None:
        """Queue a frame; a waiting one of the same slot is replaced in its place."""
        if self._ending:
            return
        waiting = self._slots.get(slot) if slot is not None else None
        if waiting is not None:
            self._bytes += len(data) - len(waiting[0])
            waiting[0] = data
            return
        cell = [data]
        self._frames.append(cell)
        self._bytes += len(data)
        if slot is not None:
            self._slots[slot] = cell
            self._slot_of[id(cell)] = slot
        if len(self._frames) > FRAMES_MAX or self._bytes > BYTES_MAX:
            self.overrun = True
            self._frames.clear()
            self.cut()
        self._wake.set()

    def cut(self) -> None:
        """Close once what is queued is out."""
        self._ending = True
        self._wake.set()

    async def write(self) -> None:
        """Send until cut; then close."""
        try:
            while True:
                while self._frames:
                    cell = self._frames.popleft()
                    slot = self._slot_of.pop(id(cell), None)
                    if slot is not None:
                        del self._slots[slot]
                    self._bytes -= len(cell[0])
                    await self._socket.send_frame(cell[0], WSMsgType.TEXT)
                if self._ending:
                    break
                self._wake.clear()
                await self._wake.wait()
        except ConnectionError:
            return
        await self._socket.close()
