"""One WebSocket client: frames wait in a bounded outbox, so that a slow reader stalls no one."""

import asyncio
import contextlib
from collections import deque
from typing import Final

from aiohttp import WSMsgType, web

OUTBOX_BYTES_MAX: Final = 16_000_000
CLOSE_S: Final = 1.0


class Connection:
    """Sends in order. A client that leaves more than 16 MB unread is cut off."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.BaseTransport) -> None:
        self.socket = socket
        self._transport = transport
        self._outbox: deque[bytes] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
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
        if isinstance(self._transport, asyncio.Transport):
            self._transport.abort()

    async def write(self) -> None:
        """Send what is queued until the connection ends; run as a task beside the reader."""
        with contextlib.suppress(ConnectionError):
            while not self.closed:
                await self._wake.wait()
                self._wake.clear()
                while self._outbox:
                    frame = self._outbox.popleft()
                    self._bytes -= len(frame)
                    await self.socket.send_frame(frame, WSMsgType.TEXT)
        self.closed = True
