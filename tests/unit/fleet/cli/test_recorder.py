"""Recording: frames as received, outages noted, read back by the tape; the server is a real one."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from websockets.asyncio.server import ServerConnection, serve

from agents.exchange.errors import Unreachable
from agents.sim.tape import Outage, Tape, TapeFrame
from fleet.cli.recorder import Refused, Tapewriter, record

BBO = b'{"channel":"bbo","data":{"coin":"BTC","time":%d,"bbo":[{"px":"10","sz":"1","n":1},null]}}'
ACK = b'{"channel":"subscriptionResponse","data":{}}'


def lines(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file).read()
    return [msgspec.json.decode(line) for line in text.splitlines()]


def tape(path: Path) -> list[TapeFrame | Outage]:
    """All of it; the first call starts it."""
    read = Tape(path)
    return [each for now_ns in (0, 1 << 62) for each in read.due(now_ns)]


async def recorded(path: Path, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """What is written of a server that says three frames and hangs up, so many times."""
    left = rounds

    async def speak(connection: ServerConnection) -> None:
        nonlocal left
        await connection.recv()
        for number in range(3):
            await connection.send((BBO % number).decode())
        await connection.send(ACK.decode())
        left -= 1
        if not left:
            await connection.wait_closed()

    async with serve(speak, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await record(f"ws://127.0.0.1:{port}/ws", "other", ["BTC"], path, seconds)
    return lines(path)


async def test_frames_are_written_as_they_came_and_outages_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    header, *rest = await recorded(path, 2, 1.5)
    assert header["schema"] == "hlrec/1"
    assert header["coins"] == ["BTC"]
    assert [line.get("c") or line["m"]["data"]["time"] for line in rest] == [
        0, 1, 2, "disconnect", 0, 1, 2,
    ]  # fmt: skip
    times = [line["t"] for line in rest]
    assert times == sorted(times)
    found = tape(path)
    assert [type(each) for each in found].count(TapeFrame) == 6
    assert any(isinstance(each, Outage) for each in found[:5])


async def test_a_recording_can_be_ended_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    task = asyncio.ensure_future(recorded(path, 1, 60.0))
    await asyncio.sleep(0.5)
    task.cancel()
    header, *rest = await task
    assert header["schema"] == "hlrec/1"
    assert not any("c" in line for line in rest)


async def test_what_the_venue_does_not_take_ends_it(tmp_path: Path) -> None:
    async def refuse(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send('{"channel":"error","data":"Invalid subscription"}')
        await connection.wait_closed()

    async with serve(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"ws://127.0.0.1:{port}/ws"
        with pytest.raises(Refused, match="Invalid subscription"):
            await record(url, "other", ["NOPE"], tmp_path / "a", None)
    with pytest.raises(Unreachable):
        await record(url, "other", ["BTC"], tmp_path / "b", None)


def test_a_killed_recorder_leaves_what_was_flushed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    with path.open("xb") as file:
        writer = Tapewriter(file, "other", ["BTC"])
        for second in range(1, 4):
            writer.frame(BBO % second, second * 10**9)
        # killed here: nothing is closed
        frames = [each for each in tape(path) if isinstance(each, TapeFrame)]
    assert len(frames) == 3
    assert writer.recorded.seconds == 2.0
