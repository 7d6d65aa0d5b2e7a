"""The one connection to the venue: kept alive, opened again, its frames handed on."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

from agents.exchange.codec import PING
from agents.exchange.errors import ExchangeError, Unreachable
from agents.exchange.websocket import Connection, connect

PING_EVERY_S: Final = 2.0
DEAD_AFTER_S: Final = 5.0
BACKOFF_MAX_S: Final = 10.0
STABLE_S: Final = 30.0
SEND_MAX: Final = 4_096
HeldBack = Callable[[], bool]


class Upstream:
    """Frames out by ``send``, frames in by callback, on one event loop.

    ``on_open`` runs when a connection stands and may use ``send``; until it has returned the link
    is not up. ``on_lost`` gets the reason.
    """

    def __init__(
        self,
        url: str,
        *,
        on_frame: Callable[[bytes], None],
        on_open: Callable[[], Awaitable[None]],
        on_lost: Callable[[str], None],
    ) -> None:
        self._url = url
        self._on_frame = on_frame
        self._on_open = on_open
        self._on_lost = on_lost
        self._queue: asyncio.Queue[tuple[bytes, HeldBack | None]] | None = None
        self._heard_s = 0.0

    @property
    def connected(self) -> bool:
        return self._queue is not None

    def send(self, data: bytes, held_back: HeldBack | None = None) -> bool:
        """Queue a frame; False if there is no connection: nothing leaves.

        ``held_back`` is asked at the last moment, when the frame's turn has come: True, and it does
        not leave.
        """
        if self._queue is None or self._queue.qsize() >= SEND_MAX:
            return False
        self._queue.put_nowait((data, held_back))
        return True

    async def run(self) -> None:
        """Connect, again and again, until cancelled."""
        attempt = 0
        while True:
            began_s = time.monotonic()
            reason = await self._once()
            self._queue = None
            self._on_lost(reason)
            attempt = 0 if time.monotonic() - began_s > STABLE_S else attempt + 1
            ceiling_s = min(BACKOFF_MAX_S, 0.25 * 2 ** min(attempt, 8))
            await asyncio.sleep(random.uniform(0.5, 1.0) * ceiling_s)

    async def _once(self) -> str:
        """One connection from opening to its end; why it ended."""
        try:
            connection = await connect(self._url, ping_interval_s=None)
        except Unreachable as error:
            return str(error)
        self._queue = asyncio.Queue()
        self._heard_s = time.monotonic()
        tasks = [
            asyncio.create_task(step)
            for step in (self._read(connection), self._write(connection, self._queue),
                         self._watch(), self._open())
        ]  # fmt: skip
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            self._queue = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(ExchangeError, OSError):
                await connection.close()

    async def _open(self) -> str:
        try:
            await self._on_open()
        except ExchangeError as error:
            return f"the account can't be read: {error}"
        return await asyncio.Future()

    async def _read(self, connection: Connection) -> str:
        async for raw in connection:
            self._heard_s = time.monotonic()
            self._on_frame(raw)
        return connection.close_reason or "closed by the venue"

    @staticmethod
    async def _write(
        connection: Connection, queue: asyncio.Queue[tuple[bytes, HeldBack | None]]
    ) -> str:
        try:
            while True:
                data, held_back = await queue.get()
                if held_back is None or not held_back():
                    await connection.send(data)
        except Unreachable as error:
            return str(error)

    async def _watch(self) -> str:
        """Pings, and the end of a connection that has gone silent."""
        while True:
            self.send(PING)
            await asyncio.sleep(PING_EVERY_S)
            if time.monotonic() - self._heard_s > DEAD_AFTER_S:
                return f"silent for {DEAD_AFTER_S:g} s"
