"""The connection to the venue: opened again when cut or silent, and never half up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from agents.exchange import websocket
from agents.exchange.errors import Unreachable
from fleet.gateway import upstream as upstream_module
from fleet.gateway.upstream import Upstream

pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream_module, "PING_EVERY_S", 0.05)
    monkeypatch.setattr(upstream_module, "DEAD_AFTER_S", 0.2)
    monkeypatch.setattr(upstream_module, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(upstream_module, "BACKOFF_MAX_S", 0.05)


class Watcher:
    """What the gateway would be told, as a queue of words."""

    def __init__(self, url: str, *, fails: int = 0) -> None:
        self.words: asyncio.Queue[str] = asyncio.Queue()
        self._fails = fails
        self.upstream = Upstream(url, on_frame=self._frame, on_open=self._open, on_lost=self._lost)

    def _frame(self, raw: bytes) -> None:
        self.words.put_nowait(raw.decode())

    async def _open(self) -> None:
        if self._fails:
            self._fails -= 1
            raise Unreachable("no account")
        self.upstream.send(b"subscribe")
        self.words.put_nowait("open")

    def _lost(self, reason: str) -> None:
        assert not self.upstream.connected
        assert not self.upstream.send(b"into the void")
        self.words.put_nowait(f"lost: {reason}")

    async def next(self) -> str:
        return await asyncio.wait_for(self.words.get(), 5)


@asynccontextmanager
async def running(server: Server, *, fails: int = 0) -> AsyncIterator[Watcher]:
    port = next(iter(server.sockets)).getsockname()[1]
    watcher = Watcher(f"ws://127.0.0.1:{port}/ws", fails=fails)
    task = asyncio.create_task(watcher.upstream.run())
    try:
        yield watcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def echo(connection: ServerConnection) -> None:
    async for raw in connection:
        if b"ping" not in (raw if isinstance(raw, bytes) else raw.encode()):
            await connection.send("heard")
        else:
            await connection.send("pong")


async def word(watcher: Watcher, *skipped: str) -> str:
    while (said := await watcher.next()) in skipped:
        pass
    return said


async def test_a_cut_connection_is_opened_again_and_subscribed_again() -> None:
    async with serve(echo, "127.0.0.1", 0) as server, running(server) as watcher:
        assert await word(watcher, "pong") == "open"
        assert await word(watcher, "pong") == "heard"
        for connection in list(server.connections):
            await connection.close()
        assert (await word(watcher, "pong")).startswith("lost")
        assert await word(watcher, "pong") == "open"
        assert await word(watcher, "pong") == "heard"


async def test_what_is_held_back_at_the_last_moment_does_not_leave() -> None:
    heard: list[bytes | str] = []

    async def listen(connection: ServerConnection) -> None:
        async for raw in connection:
            heard.append(raw)
            await connection.send("heard")

    latched = False
    async with serve(listen, "127.0.0.1", 0) as server, running(server) as watcher:
        assert await word(watcher, "heard") == "open"
        assert watcher.upstream.send(b"order 1", lambda: latched)
        latched = True  # after it was queued, before its turn
        assert watcher.upstream.send(b"cancel")
        latched_now = watcher.upstream.send(b"order 2", lambda: True)
        assert latched_now
        while b"cancel" not in heard and "cancel" not in heard:
            await word(watcher)
        assert not {b"order 1", b"order 2", "order 1", "order 2"} & set(heard)


async def test_a_silent_connection_is_dead() -> None:
    async def mute(connection: ServerConnection) -> None:
        async for _ in connection:
            pass

    async with serve(mute, "127.0.0.1", 0) as server, running(server) as watcher:
        assert await watcher.next() == "open"
        assert await watcher.next() == "lost: silent for 0.2 s"
        assert await watcher.next() == "open"


async def test_a_frozen_peer_is_given_up_without_waiting_for_its_answer_to_a_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT_S", 600.0)

    over = asyncio.Event()

    async def freeze(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await over.wait()
        connection.transport.abort()

    async with serve(freeze, "127.0.0.1", 0) as server, running(server) as watcher:
        try:
            assert await watcher.next() == "open"
            assert await watcher.next() == "lost: silent for 0.2 s"
        finally:
            over.set()


async def test_a_connection_whose_account_cannot_be_read_is_not_kept() -> None:
    async with serve(echo, "127.0.0.1", 0) as server, running(server, fails=1) as watcher:
        lost = await word(watcher, "pong")
        assert lost == "lost: the account can't be read: no account"
        assert await word(watcher, "pong") == "open"
