"""An agent's journal: all that its conversation was told, in order, and what it said, by digest.

A file is a zstd stream of msgpack values, each behind its length (u32): first the ``Header``, then
``Entry`` after ``Entry``. Files of one generation belong together: ``<generation>-<part>.zst``.
Frames stand in it as they were received. Writing never holds the engine up: what can't be written
is given up, and said once.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from agents.exchange.downstream import LeaseFrame
from agents.market.units import NS_PER_S
from agents.runtime.conversation import Say
from agents.runtime.journal_disk import Disk
from agents.telemetry.scribe import Job, Later, at_once

SCHEMA: Final = "fleet-journal/2"
PART_BYTES_MAX: Final = 32 << 20
KEEP_BYTES: Final = 5 << 30
FLUSH_NS: Final = NS_PER_S
_LEVEL: Final = 3
_LENGTH: Final = struct.Struct("<I")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine begins with. ``seq``: of the first entry in this part."""

    schema: str = SCHEMA
    build: str
    market: str
    generation: int
    part: int
    seq: int
    began_ns: int
    lease: LeaseFrame


class Kind(StrEnum):
    """What was told, and what the payload of its entry is."""

    FRAME = "frame"  # a frame: its bytes
    TICK = "tick"
    SAID = "said"  # a renewal or a fence of ours left: whether it did
    LOST = "lost"  # the socket closed: why
    BELIEFS = "beliefs"  # a checkpoint was found: its bytes
    CONTINUED = "continued"  # taken back after a gateway's restart: the lease


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One thing that the conversation was told; ``said``: 8 bytes for what it said then."""

    seq: int
    now_ns: int
    kind: str
    payload: msgspec.Raw
    said: bytes


_encode = msgspec.msgpack.Encoder().encode


def digest(says: Iterable[Say]) -> bytes:
    """Names these very bytes, frame by frame, in this order."""
    found = hashlib.blake2b(digest_size=8)
    for say in says:
        found.update(_LENGTH.pack(len(say.data)))
        found.update(say.data)
    return found.digest()


class Journal:
    """Writes one generation's journal into ``folder``; ``trouble`` says why it no longer does.

    ``folder`` is ``agents/<market>/journal``: all agents of a fleet share ``keep_bytes``, and each
    deletes its own oldest parts while all together hold more.
    """

    def __init__(
        self,
        folder: Path,
        build: str,
        say: Callable[[str], object] = str,
        *,
        later: Later = at_once,
        keep_bytes: int = KEEP_BYTES,
        part_bytes: int = PART_BYTES_MAX,
    ) -> None:
        """``say`` is told once why nothing more is written. ``later``: who touches the disk."""
        self._disk = Disk(folder, keep_bytes, say)
        self._later = later
        self._build = build
        self._part_bytes = part_bytes
        self._header: Header | None = None
        self._packer = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
        self._seq = 0
        self._flushed_ns = 0
        self._size = 0

    @property
    def trouble(self) -> str | None:
        return self._disk.trouble

    def begin(self, lease: LeaseFrame, now_ns: int) -> None:
        """The lease was given at this moment; the frame that did it is the first entry."""
        self._open(
            Header(
                build=self._build, market=lease.settings.market, generation=lease.generation,
                part=0, seq=1, began_ns=now_ns, lease=lease,
            )
        )  # fmt: skip

    def took(self, raw: bytes, now_ns: int, says: Sequence[Say]) -> None:
        """A frame of the gateway, as received."""
        self._entry(Kind.FRAME, raw, now_ns, digest(says))

    def ticked(self, now_ns: int, says: Sequence[Say]) -> None:
        self._entry(Kind.TICK, None, now_ns, digest(says))

    def remembered(self, raw: bytes, now_ns: int, says: Sequence[Say]) -> None:
        """The beliefs of an agent before this one."""
        self._entry(Kind.BELIEFS, raw, now_ns, digest(says))

    def said(self, now_ns: int, *, sent: bool) -> None:
        """Of a frame for which it matters whether it left: whether it did."""
        self._entry(Kind.SAID, sent, now_ns, b"")

    def lost(self, why: str, now_ns: int) -> None:
        """The socket closed."""
        self._entry(Kind.LOST, why, now_ns, b"")

    def continued(self, lease: LeaseFrame, now_ns: int, says: Sequence[Say]) -> None:
        """A restarted gateway took it back."""
        self._entry(Kind.CONTINUED, lease, now_ns, digest(says))

    def _entry(self, kind: Kind, payload: object, now_ns: int, said: bytes) -> None:
        if self._header is None or self.trouble is not None:
            return
        self._seq += 1
        self._put(Entry(self._seq, now_ns, kind, msgspec.Raw(_encode(payload)), said))
        if now_ns - self._flushed_ns >= FLUSH_NS:
            self._flushed_ns = now_ns
            self._write(self._packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
            if self._size > self._part_bytes:
                self._next_part(self._header)

    def close(self) -> None:
        if self._header is not None:
            self._header = None
            self._write(self._packer.flush())
            self._do(self._disk.close)

    def _next_part(self, header: Header) -> None:
        self.close()
        self._open(msgspec.structs.replace(header, part=header.part + 1, seq=self._seq + 1))

    def _open(self, header: Header) -> None:
        self._header = header
        self._packer = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
        self._size = 0
        self._do(partial(self._disk.open, f"{header.generation:08d}-{header.part:04d}.zst"))
        self._put(header)

    def _put(self, value: Header | Entry) -> None:
        data = _encode(value)
        self._write(self._packer.compress(_LENGTH.pack(len(data)) + data))

    def _write(self, data: bytes) -> None:
        if data:
            self._size += len(data)
            self._do(partial(self._disk.write, data), len(data))

    def _do(self, job: Job, size: int = 0) -> None:
        if not self._later(job, size):
            self._disk.give_up("the disk does not keep up")
