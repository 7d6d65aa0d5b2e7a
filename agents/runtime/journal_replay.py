"""An agent's journal run once more: the same events must bring about the same commands."""

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from agents.commands import Command
from agents.engine import HANDLERS, Engine
from agents.events import Event
from agents.runtime.journal import SCHEMA, Entry, Header, digest

_LENGTH: Final = struct.Struct("<I")
_CHUNK_BYTES: Final = 1 << 20
_EVENTS: Final = {kind.__name__: msgspec.msgpack.Decoder(kind) for kind in HANDLERS}
_header = msgspec.msgpack.Decoder(Header).decode
_entry = msgspec.msgpack.Decoder(Entry).decode


class JournalError(Exception):
    """The journal can't be run again; the text says why."""


class Divergence(msgspec.Struct, frozen=True):
    """The first event after which the engine answered otherwise than it did."""

    seq: int
    now_ns: int
    event: str
    commands: tuple[str, ...]


class Rerun(msgspec.Struct, frozen=True):
    """``digest``: of all commands together; ``divergence`` None: byte for byte the same."""

    market: str
    generation: int
    build: str
    events: int
    commands: int
    digest: str
    divergence: Divergence | None


def parts(path: Path) -> list[Path]:
    """All parts of the generation that ``path`` begins; a folder means its newest generation.

    Raises JournalError where its first part is gone.
    """
    folder = path if path.is_dir() else path.parent
    found = sorted(folder.glob("*-*.zst")) if path.is_dir() else [path]
    if not found:
        raise JournalError(f"{path}: no journal")
    generation = found[-1].name.partition("-")[0]
    mine = sorted(folder.glob(f"{generation}-*.zst"))
    if not mine or not mine[0].name.endswith("-0000.zst"):
        raise JournalError(f"{folder}: the first part of generation {generation} is gone")
    return mine


def rerun(path: Path) -> Rerun:
    """Feed a fresh engine what the journal holds. Raises JournalError."""
    header: Header | None = None
    engine: Engine | None = None
    events = commands = 0
    whole = b""
    for part in parts(path):
        values = _values(part)
        header = _read_header(part, next(values, b""))
        if engine is None:
            engine = Engine(header.lease, header.began_ns)
        for raw in values:
            entry = _entry(raw)
            events += 1
            if entry.seq != events:
                raise JournalError(f"{part}: entry {entry.seq} after {events - 1}")
            answered = engine.handle(_event(part, entry), entry.now_ns)
            commands += len(answered)
            now = digest(answered)
            whole = _chain(whole, now)
            if now != entry.commands:
                return _rerun(header, events, commands, whole, _divergence(entry, answered))
    assert header is not None
    return _rerun(header, events, commands, whole, None)


def _rerun(
    header: Header, events: int, commands: int, whole: bytes, divergence: Divergence | None
) -> Rerun:
    return Rerun(
        market=header.market, generation=header.generation, build=header.build, events=events,
        commands=commands, digest=whole.hex(), divergence=divergence,
    )  # fmt: skip


def _chain(whole: bytes, now: bytes) -> bytes:
    return hashlib.blake2b(whole + now, digest_size=8).digest()


def _divergence(entry: Entry, answered: list[Command]) -> Divergence:
    told = tuple(str(command) for command in answered)
    return Divergence(seq=entry.seq, now_ns=entry.now_ns, event=entry.kind, commands=told)


def _read_header(part: Path, raw: bytes) -> Header:
    try:
        header = _header(raw)
    except msgspec.MsgspecError as error:
        raise JournalError(f"{part}: no journal: {error}") from error
    if header.schema != SCHEMA:
        raise JournalError(f"{part}: schema {header.schema} is unknown; expected {SCHEMA}")
    return header


def _event(part: Path, entry: Entry) -> Event:
    decoder = _EVENTS.get(entry.kind)
    if decoder is None:
        raise JournalError(f"{part}: entry {entry.seq}: no event {entry.kind}")
    try:
        event: Event = decoder.decode(entry.payload)
    except msgspec.MsgspecError as error:
        raise JournalError(f"{part}: entry {entry.seq}: {error}") from error
    return event


def _values(part: Path) -> Iterator[bytes]:
    """Each whole value; a torn tail ends the file."""
    held = b""
    try:
        with part.open("rb") as file:
            stream = zstandard.ZstdDecompressor().stream_reader(file)
            while chunk := stream.read(_CHUNK_BYTES):
                held += chunk
                at = 0
                while at + _LENGTH.size <= len(held):
                    end = at + _LENGTH.size + _LENGTH.unpack_from(held, at)[0]
                    if end > len(held):
                        break
                    yield held[at + _LENGTH.size : end]
                    at = end
                held = held[at:]
    except OSError as error:
        raise JournalError(f"{part}: cannot be read: {error.strerror}") from error
    except zstandard.ZstdError as error:
        raise JournalError(f"{part}: no journal: {error}") from error
