"""A client that does not read is cut off; one that does gets all, in order."""

import asyncio

import pytest
from aiohttp import WSCloseCode, WSMsgType, web

from fleet.venue.connection import OUTBOX_BYTES_MAX, Connection


class Socket(web.WebSocketResponse):
    """Takes frames while ``reading`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = asyncio.Event()
        self.taken: list[bytes] = []
        self.farewells: list[bytes] = []

    async def send_frame(
        self, message: bytes, opcode: WSMsgType, compress: int | None = None
    ) -> None:
        assert opcode is WSMsgType.TEXT
        assert compress is None
        await self.reading.wait()
        self.taken.append(message)

    async def close(
        self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True
    ) -> bool:
        del code, drain
        self.farewells.append(message)
        return True


class Wire(asyncio.Transport):
    aborted = False

    def abort(self) -> None:
        self.aborted = True


async def test_frames_arrive_in_order() -> None:
    socket = Socket()
    socket.reading.set()
    connection = Connection(socket, Wire(), "127.0.0.1")
    writing = asyncio.create_task(connection.write())
    for number in range(5):
        connection.send(b"%d" % number)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert socket.taken == [b"0", b"1", b"2", b"3", b"4"]
    writing.cancel()


async def test_a_reader_that_stalls_is_dropped_and_holds_no_memory() -> None:
    socket, wire = Socket(), Wire()
    connection = Connection(socket, wire, "127.0.0.1")
    writing = asyncio.create_task(connection.write())
    frame = b"x" * 1_000_000
    for _ in range(OUTBOX_BYTES_MAX // len(frame) + 2):
        connection.send(frame)
    assert wire.aborted
    assert connection.closed
    socket.reading.set()
    await asyncio.wait_for(writing, 5)
    connection.send(frame)
    assert len(socket.taken) <= 1


async def test_a_client_that_was_sent_nothing_for_long_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fleet.venue.connection.IDLE_S", 0.0)
    socket = Socket()
    connection = Connection(socket, Wire(), "127.0.0.1")
    await asyncio.wait_for(connection.write(), 5)
    assert connection.closed
    assert socket.farewells == [b"Inactive"]


async def test_a_client_with_frames_unread_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.venue.connection.IDLE_S", 0.0)
    socket = Socket()
    connection = Connection(socket, Wire(), "127.0.0.1")
    connection.send(b"1")
    connection.send(b"2")
    writing = asyncio.create_task(connection.write())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not socket.farewells
    socket.reading.set()
    await asyncio.wait_for(writing, 5)
    assert (socket.taken, socket.farewells) == ([b"1", b"2"], [b"Inactive"])
