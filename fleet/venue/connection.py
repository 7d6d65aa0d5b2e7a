"""One WebSocket client: frames wait in a bounded outbox, so that a slow reader stalls no one."""

import asyncio
import contextlib
from collections import deque
from typing import Final

from aiohttp import WSMsgType, web

OUTBOX_BYTES_MAX: Final = 16_000_000
IDLE_S: Final = 60.0
LOOK_S: Final = 1.0


class Connection:
    """Sends in order. A client that leaves more than 16 MB unread is cut off."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport, ip: str
    ) -> None:
        self.ip = ip
        self.socket = socket
        self._transport = transport
        self._outbox: deque[bytes] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._moving = asyncio.Event()
        self._moving.set()
        self._thaw: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sent_s = 0.0
        self._idle = False
        self.closed = False

    def send(self, frame: bytes) -> None:
        """Queue one frame; never blocks."""
        if self.closed:
            return
        self._outbox.append(frame)
        self._bytes += len(frame)
        if self._bytes > OUTBOX_BYTES_MAX:
            self.drop()
        else:
            self._wake.set()

    def drop(self) -> None:
        """Cut the connection off without a word."""
        self.closed = True
        self._outbox.clear()
        self._wake.set()
        self._moving.set()
        self._transport.abort()

    def freeze(self, frozen_s: float) -> None:
        """Read and write nothing for so long, in place of any earlier freeze; 0 thaws."""
        if self._thaw is not None:
            self._thaw.cancel()
            self._move()
        if frozen_s > 0.0:
            self._moving.clear()
            self._transport.pause_reading()
            self._thaw = asyncio.get_running_loop().call_later(frozen_s, self._move)

    def _move(self) -> None:
        self._thaw = None
        self._moving.set()
        if not self._transport.is_closing():
            self._transport.resume_reading()

    async def write(self) -> None:
        """Send what is queued until the connection ends; run as a task beside the reader.

        A connection to which nothing was sent for 60 s is closed.
        """
        loop = asyncio.get_running_loop()
        self._sent_s = loop.time()
        self._timer = loop.call_later(IDLE_S, self._look)
        try:
            with contextlib.suppress(ConnectionError):
                await self._write(loop)
        finally:
            self._timer.cancel()
            self.closed = True

    async def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self.closed:
            await self._wake.wait()
            self._wake.clear()
            if self._idle and not self._outbox:
                await self.socket.close(message=b"Inactive")
                break
            while self._outbox:
                await self._moving.wait()
                if not self._outbox:
                    break
                frame = self._outbox.popleft()
                self._bytes -= len(frame)
                await self.socket.send_frame(frame, WSMsgType.TEXT)
            self._sent_s = loop.time()

    def _look(self) -> None:
        """Whether it is idle for too long. One timer a connection: one a frame costs more."""
        loop = asyncio.get_running_loop()
        left_s = self._sent_s + IDLE_S - loop.time()
        self._idle = left_s <= 0.0 and not self._outbox
        if self._idle:
            self._wake.set()
        self._timer = loop.call_later(max(left_s, LOOK_S), self._look)
