"""A connection carries text both ways over TCP and Unix sockets, and ends without noise."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve, unix_serve

from agents.exchange.errors import Unreachable
from agents.exchange.websocket import connect


async def _echo(peer: ServerConnection) -> None:
    """Send every frame back; ``bye`` closes, ``cut`` drops the line."""
    async for message in peer:
        if message == "bye":
            await peer.close(reason="as asked")
        elif message == "cut":
            peer.transport.abort()
        else:
            assert isinstance(message, str), "frames are text"
            await peer.send(message)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with serve(_echo, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/ws"


async def test_bytes_and_text_go_as_text_and_come_as_bytes(url: str) -> None:
    connection = await connect(url, headers={"X-Fleet": "1"}, ping_interval_s=None)
    await connection.send(b'{"method":"ping"}')
    await connection.send('{"b":1}')
    frames = aiter(connection)
    assert await anext(frames) == b'{"method":"ping"}'
    assert await anext(frames) == b'{"b":1}'
    await connection.close()


async def test_a_large_frame_passes(url: str) -> None:
    connection = await connect(url)
    await connection.send(b"x" * 900_000)
    assert len(await anext(aiter(connection))) == 900_000
    await connection.close()


@pytest.mark.parametrize("word", ["bye", "cut"])
async def test_iteration_ends_when_the_peer_goes(url: str, word: str) -> None:
    connection = await connect(url)
    await connection.send("one")
    await connection.send(word)
    seen = [raw async for raw in connection]
    assert seen[:1] == ([b"one"] if seen else [])
    assert word == "cut" or connection.close_reason == "as asked"
    with pytest.raises(Unreachable):
        await connection.send("more")
    await connection.close()


async def test_closing_ends_an_iteration_under_way(url: str) -> None:
    connection = await connect(url)

    async def read() -> int:
        return len([raw async for raw in connection])

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    await connection.close()
    await connection.close()
    assert await reading == 0


async def test_a_unix_socket_serves_the_same(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    async with unix_serve(_echo, path):
        connection = await connect("ws://localhost/ws", unix_path=path)
        await connection.send("hello")
        assert await anext(aiter(connection)) == b"hello"
        await connection.close()


async def test_no_peer_is_unreachable(tmp_path: Path, unused_tcp_port: int) -> None:
    with pytest.raises(Unreachable, match="cannot connect"):
        await connect(f"ws://127.0.0.1:{unused_tcp_port}/ws")
    with pytest.raises(Unreachable, match="cannot connect"):
        await connect("ws://localhost/ws", unix_path=str(tmp_path / "none"))
    with pytest.raises(Unreachable, match="cannot connect"):
        await connect("not an address")


async def test_a_peer_that_speaks_no_websocket_is_unreachable() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(rude, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Unreachable):
        await connect(f"ws://127.0.0.1:{port}/ws")
    server.close()
    await server.wait_closed()
