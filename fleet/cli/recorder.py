"""Writes a network's market data to a recording (hlrec/1): frames as received, outages noted."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import msgspec
import zstandard

from agents.exchange.codec import PING, ErrorFrame, decode_frame, subscribe_frame
from agents.exchange.errors import MalformedFrame, Unreachable
from agents.exchange.websocket import Connection, connect
from agents.market.units import NS_PER_S

CHANNELS: Final = ("trades", "bbo", "l2Book", "activeAssetCtx")
FLUSH_NS: Final = NS_PER_S
PING_S: Final = 25.0
RETRY_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
_KEPT: Final = tuple(f'{{"channel":"{channel}"'.encode() for channel in CHANNELS)


class Refused(Exception):
    """The venue does not take a subscription; the text is its own."""


class Recorded(msgspec.Struct):
    """What a recording holds so far."""

    frames: int = 0
    disconnects: int = 0
    began_ns: int | None = None
    last_ns: int | None = None

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        if self.began_ns is None or self.last_ns is None:
            return 0.0
        return (self.last_ns - self.began_ns) / NS_PER_S


class Tapewriter:
    """One file, a line a frame, flushed each second: a kill loses no more than that."""

    def __init__(self, file: IO[bytes], network: str, coins: Sequence[str]) -> None:
        self.recorded = Recorded()
        self._file = file
        self._packer = zstandard.ZstdCompressor(level=9).compressobj()
        self._flushed_ns = 0
        header = {
            "schema": "hlrec/1", "venue": "hyperliquid", "network": network, "clock": "unix_ns",
            "source": "fleet record", "coins": list(coins),
        }  # fmt: skip
        self._line(msgspec.json.encode(header))

    def frame(self, raw: bytes, now_ns: int) -> None:
        """A frame as received."""
        self._line(b'{"t":%d,"m":%b}' % (now_ns, raw.rstrip()))
        done = self.recorded
        done.frames += 1
        done.began_ns, done.last_ns = done.began_ns or now_ns, now_ns
        if now_ns - self._flushed_ns >= FLUSH_NS:
            self._flushed_ns = now_ns
            self._file.write(self._packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
            self._file.flush()

    def disconnect(self, now_ns: int) -> None:
        """From here on nothing is seen, until the next frame."""
        self.recorded.disconnects += 1
        self._line(b'{"t":%d,"c":"disconnect"}' % now_ns)

    def close(self) -> None:
        self._file.write(self._packer.flush())

    def _line(self, line: bytes) -> None:
        self._file.write(self._packer.compress(line + b"\n"))


async def record(
    url: str, network: str, coins: Sequence[str], path: Path, seconds: float | None
) -> Recorded:
    """Record until ``seconds`` have passed, or it is cancelled; a new connection for a lost one.

    ``url``: of the WebSocket. Raises Refused; Unreachable if the first connection fails; OSError.
    """
    with path.open("xb") as file:
        writer = Tapewriter(file, network, coins)
        try:
            connection = await connect(url)
            with suppress(TimeoutError, asyncio.CancelledError):
                async with asyncio.timeout(seconds):
                    await _serve(writer, url, connection, coins)
        finally:
            writer.close()
    return writer.recorded


async def _serve(writer: Tapewriter, url: str, first: Connection, coins: Sequence[str]) -> None:
    connection: Connection | None = first
    failures = 0
    while True:
        if connection is not None:
            failures = 0
            try:
                await _listen(writer, connection, coins)
            finally:
                await connection.close()
            writer.disconnect(time.time_ns())
        await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
        try:
            connection = await connect(url)
        except Unreachable:
            connection, failures = None, failures + 1


async def _listen(writer: Tapewriter, connection: Connection, coins: Sequence[str]) -> None:
    """Until the connection closes."""
    pinging = asyncio.ensure_future(_ping(connection))
    try:
        with suppress(Unreachable):
            for coin in coins:
                for channel in CHANNELS:
                    wish: dict[str, object] = {"type": channel, "coin": coin}
                    if channel == "l2Book":
                        wish["fast"] = True
                    await connection.send(subscribe_frame(wish))
        async for raw in connection:
            now_ns = time.time_ns()
            if raw.startswith(_KEPT):
                writer.frame(raw, now_ns)
            else:
                _check(raw)
    finally:
        pinging.cancel()


async def _ping(connection: Connection) -> None:
    """The venue closes what it hears nothing from for a minute."""
    with suppress(Unreachable):
        while True:
            await asyncio.sleep(PING_S)
            await connection.send(PING)


def _check(raw: bytes) -> None:
    try:
        frame = decode_frame(raw)
    except MalformedFrame:
        return
    if isinstance(frame, ErrorFrame):
        raise Refused(frame.text)
