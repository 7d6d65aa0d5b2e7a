"""A wire between gateway and venue that stamps what passes: ``python -m tests.soak.tap``.

Takes ``--to PORT`` and ``--log FILE``; prints its own port. It passes bytes on as they come; each
chunk is written down with the time (unix ns) at which it was passed on: u64 time, u32 connection,
u8 direction (0 from the venue), u32 length, bytes. ``frames`` reads WebSocket frames out of that.
"""

import argparse
import asyncio
import signal
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HEAD: Final = struct.Struct("<QIBI")
FROM_VENUE: Final = 0
TO_VENUE: Final = 1


class Tap:
    """One proxy; every connection has a number."""

    def __init__(self, port: int, log: Path) -> None:
        self._port, self._log, self._number = port, log.open("wb"), 0
        self._frozen = 0

    async def serve(self) -> None:
        server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._freeze)
        print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
        async with server:
            await server.serve_forever()

    def _freeze(self) -> None:
        """What is open now passes nothing more, and does not close."""
        self._frozen = self._number

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._number += 1
        number = self._number
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            self._pump(reader, to_writer, number, TO_VENUE),
            self._pump(to_reader, writer, number, FROM_VENUE),
            return_exceptions=True,
        )

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int, way: int
    ) -> None:
        try:
            while data := await reader.read(1 << 16):
                if number <= self._frozen:
                    await asyncio.Future()
                writer.write(data)
                self._log.write(HEAD.pack(time.time_ns(), number, way, len(data)) + data)
                self._log.flush()
        finally:
            writer.close()


def frames(log: Path) -> Iterator[tuple[int, int, bytes]]:
    """(time, direction, payload) of each text frame, at the chunk that completed it."""
    raw, at = log.read_bytes(), 0
    held: dict[tuple[int, int], bytearray] = {}
    begun: set[tuple[int, int]] = set()
    while at + HEAD.size <= len(raw):
        at_ns, number, way, length = HEAD.unpack_from(raw, at)
        at += HEAD.size + length
        key = (number, way)
        buffer = held.setdefault(key, bytearray())
        buffer += raw[at - length : at]
        if key not in begun:
            end = buffer.find(b"\r\n\r\n")
            if end < 0 or b"websocket" not in buffer[:end].lower():
                continue
            begun.add(key)
            del buffer[: end + 4]
        while (found := _frame(buffer)) is not None:
            size, opcode, payload = found
            del buffer[:size]
            if opcode == 1:
                yield at_ns, way, payload


def _frame(buffer: bytearray) -> tuple[int, int, bytes] | None:
    if len(buffer) < 2:
        return None
    opcode, masked, length, head = buffer[0] & 15, buffer[1] & 128, buffer[1] & 127, 2
    if length >= 126:
        wide = 2 if length == 126 else 8
        if len(buffer) < 2 + wide:
            return None
        length, head = int.from_bytes(buffer[2 : 2 + wide], "big"), 2 + wide
    mask = b""
    if masked:
        mask, head = bytes(buffer[head : head + 4]), head + 4
    if len(buffer) < head + length:
        return None
    payload = bytes(buffer[head : head + length])
    if mask:
        whole = mask * (length // 4 + 1)
        number = int.from_bytes(payload, "big") ^ int.from_bytes(whole[:length], "big")
        payload = number.to_bytes(length, "big")
    return head + length, opcode, payload


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--to", type=int, required=True)
    given.add_argument("--log", type=Path, required=True)
    options = given.parse_args()
    asyncio.run(Tap(options.to, options.log).serve())
