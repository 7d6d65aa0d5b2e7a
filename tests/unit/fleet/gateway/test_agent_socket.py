"""A slow reader gets the latest book, every fill, or the end of its connection."""

import asyncio

from aiohttp import WSMsgType, web

from fleet.gateway.agent_socket import FRAMES_MAX, AgentSocket


class Recorder(web.WebSocketResponse):
    """The far end: keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.ended = False
        self.first = asyncio.Event()

    async def send_frame(
        self, message: bytes, opcode: WSMsgType, compress: int | None = None
    ) -> None:
        del opcode, compress
        self.sent.append(message)
        self.first.set()
        await asyncio.sleep(0)

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        del code, message, drain
        self.ended = True
        return True


async def written(recorder: Recorder, agent: AgentSocket) -> list[bytes]:
    agent.cut()
    await agent.write()
    assert recorder.ended
    return recorder.sent


async def test_books_are_conflated_to_the_latest_in_the_first_ones_place() -> None:
    recorder = Recorder()
    agent = AgentSocket(recorder)
    for data, slot in (
        (b"book 1", "l2Book:BTC"),
        (b"fill 1", None),
        (b"book 2", "l2Book:BTC"),
        (b"touch", "bbo:BTC"),
        (b"fill 2", None),
    ):
        agent.push(data, slot)
    assert await written(recorder, agent) == [b"book 2", b"fill 1", b"touch", b"fill 2"]


async def test_a_frame_that_went_out_is_not_replaced() -> None:
    recorder = Recorder()
    agent = AgentSocket(recorder)
    writing = asyncio.create_task(agent.write())
    agent.push(b"book 1", "l2Book:BTC")
    await recorder.first.wait()
    agent.push(b"book 2", "l2Book:BTC")
    agent.cut()
    await writing
    assert recorder.sent == [b"book 1", b"book 2"]


async def test_who_cannot_keep_up_is_cut_off() -> None:
    recorder = Recorder()
    agent = AgentSocket(recorder)
    for _ in range(FRAMES_MAX + 1):
        agent.push(b"fill", None)
    assert agent.overrun
    assert await written(recorder, agent) == []


async def test_nothing_follows_the_last_word() -> None:
    recorder = Recorder()
    agent = AgentSocket(recorder)
    agent.push(b"revoked", None)
    agent.cut()
    agent.push(b"late", None)
    assert await written(recorder, agent) == [b"revoked"]
