"""One connection to the venue: kept alive, opened again, its frames handed on."""

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from agents.exchange.codec import PING
from agents.exchange.errors import ExchangeError, Unreachable
from agents.exchange.websocket import Connection, connect

PING_EVERY_S: Final = 2.0
DEAD_AFTER_S: Final = 5.0
LOOK_EVERY_S: Final = 0.25
BACKOFF_MAX_S: Final = 10.0
OPENINGS_MAX: Final = 8
OPENINGS_S: Final = 60.0
"""The venue lets an address open 30 connections a minute; we have three."""
SEND_MAX: Final = 4_096
WATCH: Final = 2
"""Which of a connection's tasks watches over its silence."""
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
        self._opened: deque[float] = deque(maxlen=OPENINGS_MAX)
        self._stood = False

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
            self._stood = False
            reason = await self._once()
            self._queue = None
            self._on_lost(reason)
            attempt = 0 if self._stood else attempt + 1
            await asyncio.sleep(self._wait_s(attempt))

    def _wait_s(self, attempt: int) -> float:
        """With jitter; short after a connection that stood, unless there were many of late."""
        ceiling_s = min(BACKOFF_MAX_S, 0.5 * 2 ** min(attempt, 8))
        wait_s: float = random.uniform(0.5, 1.0) * ceiling_s
        if len(self._opened) == OPENINGS_MAX:
            wait_s = max(wait_s, self._opened[0] + OPENINGS_S - time.monotonic())
        return wait_s

    @property
    def silent_ms(self) -> int:
        """For how long nothing has been heard."""
        return round((time.monotonic() - self._heard_s) * 1e3)

    async def _once(self) -> str:
        """One connection from opening to its end; why it ended."""
        try:
            connection = await connect(self._url, ping_interval_s=None)
        except Unreachable as error:
            return str(error)
        self._queue = asyncio.Queue()
        self._heard_s = time.monotonic()
        self._opened.append(self._heard_s)
        tasks = [
            asyncio.create_task(step)
            for step in (self._read(connection), self._write(connection, self._queue),
                         self._watch(), self._open())
        ]  # fmt: skip
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[WATCH] in done:
                connection.abort()  # closing would wait for its answer, and nobody be told so long
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
        self._stood = True
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
        pinged_s = looked_s = time.monotonic()
        self.send(PING)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now_s = time.monotonic()
            if now_s - pinged_s >= PING_EVERY_S:
                pinged_s = now_s
                self.send(PING)
            held_up = now_s - looked_s > 1.0  # by ourselves: what came meanwhile is read first
            looked_s = now_s
            if not held_up and now_s - self._heard_s > DEAD_AFTER_S:
                return f"silent for {DEAD_AFTER_S:g} s"
