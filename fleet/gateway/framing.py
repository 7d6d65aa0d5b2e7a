"""The action log's framing: one record to bytes, and a file's bytes back to records.

    u32 length | u32 crc32 | msgpack [seq, wall_ns, kind, body]        little-endian

``length`` and ``crc32`` are the msgpack's. A record that is cut short, empty, or fails its checksum
ends the readable part of a file: the writer cuts it off at its start (``measure``), a reader
stops before it and looks again later. A kind that this build does not know is passed over.
"""

import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

import msgspec

from fleet.gateway.records import Body

_HEAD: Final = struct.Struct("<II")
RECORD_BYTES_MAX: Final = 16 << 20
_CHUNK_BYTES: Final = 1 << 20


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One record. ``seq`` rises by one; ``wall_ns`` is unix time when it was written."""

    seq: int
    wall_ns: int
    kind: str
    body: Body

    @classmethod
    def of(cls, seq: int, wall_ns: int, body: Body) -> "Record":
        """With ``kind`` taken from the body's tag."""
        return cls(seq, wall_ns, str(body.__struct_config__.tag), body)


class _Head(msgspec.Struct, frozen=True, array_like=True):
    seq: int
    wall_ns: int
    kind: str
    body: msgspec.Raw


_encoder: Final = msgspec.msgpack.Encoder()
_heads: Final = msgspec.msgpack.Decoder(_Head)
_bodies: Final = msgspec.msgpack.Decoder(Body)
KINDS: Final = frozenset(str(kind.__struct_config__.tag) for kind in Body.__args__)


def frame(record: Record) -> bytes:
    """The record as it lies on disk, for one ``os.write``."""
    packed = _encoder.encode(record)
    assert len(packed) <= RECORD_BYTES_MAX
    return _HEAD.pack(len(packed), zlib.crc32(packed)) + packed


def _payloads(path: Path, from_offset: int) -> Iterator[tuple[int, bytes]]:
    """(offset behind it, msgpack) of each intact record, until the first that is not."""
    with path.open("rb") as file:
        file.seek(from_offset)
        offset, held = from_offset, b""
        while chunk := file.read(_CHUNK_BYTES):
            held += chunk
            at = 0
            while at + _HEAD.size <= len(held):
                length, crc = _HEAD.unpack_from(held, at)
                if not 0 < length <= RECORD_BYTES_MAX:
                    return
                end = at + _HEAD.size + length
                if end > len(held):
                    break
                packed = held[at + _HEAD.size : end]
                if zlib.crc32(packed) != crc:
                    return
                at = end
                yield offset + at, packed
            offset, held = offset + at, held[at:]


def read_records(
    path: Path,
    from_offset: int = 0,
    *,
    after_seq: int = -1,
    kinds: Collection[str] = KINDS,
    odd: Callable[[int, str], None] | None = None,
) -> Iterator[tuple[int, Record]]:
    """``(offset behind it, record)`` of each intact record from ``from_offset`` on, in order.

    Records up to ``after_seq``, and of other than ``kinds``, are passed over unread. Ends at the
    first record that is not intact. An intact record that can't be decoded goes to ``odd`` (offset
    behind it, why) and is passed over; without ``odd`` it raises msgspec.DecodeError. Raises
    FileNotFoundError.
    """
    for offset, packed in _payloads(path, from_offset):
        try:
            head = _heads.decode(packed)
            if head.seq <= after_seq or head.kind not in kinds:
                continue
            record = Record(head.seq, head.wall_ns, head.kind, _bodies.decode(head.body))
        except msgspec.DecodeError as error:
            if odd is None:
                raise
            odd(offset, str(error))
        else:
            yield offset, record


def measure(path: Path) -> tuple[int, int | None]:
    """``(bytes up to the end of the last intact record, its seq)``; None in an empty file."""
    end, last = 0, None
    for end, packed in _payloads(path, 0):  # noqa: B007  (the last one counts)
        last = packed
    return end, _heads.decode(last).seq if last is not None else None
