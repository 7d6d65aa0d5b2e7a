"""Slow and noisy clients are cut off; the others are served meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from fleet.gateway import patience
from fleet.gateway.patience import FRAMES_MAX, FRAMES_S, Doorkeeper, Frames, body

GOOD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_S", 0.7)
    monkeypatch.setattr(patience, "BODY_S", 0.7)


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    held: list[Doorkeeper] = []

    async def echo(request: web.Request) -> web.Response:
        held[0].begun(request)
        return web.Response(body=await body(request) or b"empty")

    app = web.Application()
    app.router.add_route("*", "/", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    assert runner.server is not None
    held.append(Doorkeeper(runner.server))
    path = str(folder / "s")
    server = await asyncio.get_running_loop().create_unix_server(held[0], path)
    try:
        yield path
    finally:
        server.close()
        await runner.cleanup()


async def says(path: str, *parts: bytes) -> bytes:
    """What comes back until the other end closes, or answers."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        for part in parts:
            writer.write(part)
        return await asyncio.wait_for(reader.read(4_096), 5)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_a_head_that_never_ends_is_cut_off_and_others_are_served(tmp_path: Path) -> None:
    async with served(tmp_path) as path:
        slow = [asyncio.create_task(says(path, b"GET / HTTP/1.1\r\nHo")) for _ in range(20)]
        silent = asyncio.create_task(says(path))
        assert b"200 OK" in await says(path, GOOD)
        assert set(await asyncio.gather(*slow, silent)) == {b""}
        assert b"200 OK" in await says(path, GOOD)


async def test_a_served_connection_may_stay_silent_after(tmp_path: Path) -> None:
    async with served(tmp_path) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        for _ in range(2):
            writer.write(GOOD)
            assert b"200 OK" in await reader.read(4_096)
            await asyncio.sleep(0.8)
        writer.close()


async def test_a_body_that_trickles_is_given_up(tmp_path: Path) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    async with served(tmp_path) as path:
        assert b"408" in await says(path, head, b"{")
        assert b"200 OK" in await says(path, head, b"x" * 100)


def test_a_flood_of_frames_is_too_many_and_a_busy_agent_is_not() -> None:
    frames = Frames()
    assert not any(frames.too_many(at / 100) for at in range(int(100 * FRAMES_S) * 3))
    assert sum(frames.too_many(1_000.0) for _ in range(FRAMES_MAX + 5)) == 5
    assert not frames.too_many(1_000.0 + FRAMES_S + 1)
