"""An agent's journal run once more: told the same, the agent must say the same, byte for byte."""

import hashlib
import struct
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec
import zstandard

from agents.commands import Command
from agents.events import Event
from agents.exchange.downstream import PROTOCOL_VERSION, Acquire, LeaseFrame
from agents.runtime.conversation import Conversation, Say
from agents.runtime.journal import SCHEMA, Entry, Header, Kind, digest

_LENGTH: Final = struct.Struct("<I")
_CHUNK_BYTES: Final = 1 << 20
_header = msgspec.msgpack.Decoder(Header).decode
_entry = msgspec.msgpack.Decoder(Entry).decode
T = TypeVar("T")


class JournalError(Exception):
    """The journal can't be run again; the text says why."""


class Divergence(msgspec.Struct, frozen=True):
    """The first entry at which the agent says other than it did. ``event``: what it was told."""

    seq: int
    now_ns: int
    event: str
    commands: tuple[str, ...]


class Rerun(msgspec.Struct, frozen=True):
    """``digest``: of all that was said; ``divergence`` None: byte for byte the same."""

    market: str
    generation: int
    build: str
    entries: int
    events: int
    commands: int
    digest: str
    divergence: Divergence | None


def journals(path: Path) -> list[Path]:
    """``path`` itself, or in a fleet's folder the journal of each agent that has one."""
    found = sorted(path.glob("agents/*/journal"))
    return [folder for folder in found if any(folder.glob("*.zst"))] or [path]


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
    """Tell a fresh conversation what the journal holds. Raises JournalError."""
    header: Header | None = None
    again: _Again | None = None
    divergence: Divergence | None = None
    entries = 0
    for part in parts(path):
        stored = values(part)
        first = next(stored, None)
        if first is None and header is not None:
            break  # it ended as this part was begun
        header = _read_header(part, first or b"")
        again = again or _Again(header)
        for raw in stored:
            entry = _read_entry(part, raw)
            entries += 1
            if entry.seq != entries:
                raise JournalError(f"{part}: entry {entry.seq} after {entries - 1}")
            divergence = again.take(part, entry)
            if divergence is not None:
                break
        if divergence is not None:
            break
    assert header is not None
    assert again is not None
    return Rerun(
        market=header.market, generation=header.generation, build=header.build, entries=entries,
        events=again.events, commands=again.commands, digest=again.digest, divergence=divergence,
    )  # fmt: skip


class _Again:
    """The conversation once more."""

    def __init__(self, header: Header) -> None:
        self._conversation = Conversation(_acquired(header), self)
        self._owed: deque[Say] = deque()
        self._events: list[Event] = []
        self._commands: list[Command] = []
        self.events = self.commands = 0
        self._whole = b""

    @property
    def digest(self) -> str:
        """Of all that was said so far."""
        return self._whole.hex()

    def take(self, part: Path, entry: Entry) -> Divergence | None:
        """One entry; where it diverges, how."""
        self._events, self._commands = [], []
        says = self._tell(part, entry)
        now = digest(says) if says is not None else b""
        self._whole = hashlib.blake2b(self._whole + now, digest_size=8).digest()
        if now == entry.said:
            return None
        heard = ", ".join(type(event).__name__ for event in self._events) or str(entry.kind)
        return Divergence(entry.seq, entry.now_ns, heard, tuple(map(str, self._commands)))

    def _tell(self, part: Path, entry: Entry) -> list[Say] | None:
        talk, now_ns = self._conversation, entry.now_ns
        match entry.kind:
            case Kind.FRAME:
                says = talk.take(_payload(part, entry, bytes), now_ns)
            case Kind.TICK:
                says = talk.tick(now_ns)
            case Kind.BELIEFS:
                says = talk.remember(_payload(part, entry, bytes), now_ns)
            case Kind.CONTINUED:
                says = talk.continued(_payload(part, entry, LeaseFrame), now_ns)
            case Kind.LOST:
                talk.lost(_payload(part, entry, str), now_ns)
                return None
            case Kind.SAID:
                if self._owed:
                    talk.said(self._owed.popleft(), now_ns, sent=_payload(part, entry, bool))
                return None
            case _:
                raise JournalError(f"{part}: entry {entry.seq}: no kind {entry.kind}")
        self._owed.extend(say for say in says if say.command is not None)
        return says

    # ── what the conversation tells ──────────────────────────────────────────────────────────

    def begun(self, lease: LeaseFrame, now_ns: int) -> None:
        pass

    def seen(self, event: Event, _now_ns: int, commands: list[Command]) -> None:
        self._events.append(event)
        self._commands += commands
        self.events += 1
        self.commands += len(commands)

    def odd(self, what: Literal["malformed", "error"], text: str) -> None:
        pass


def _acquired(header: Header) -> Acquire:
    """What the process asked its lease with, as far as it matters afterwards."""
    return Acquire(
        market=header.market, protocol=PROTOCOL_VERSION, build=header.build, token="",
        process="", pid=0,
    )  # fmt: skip


def _read_header(part: Path, raw: bytes) -> Header:
    try:
        header = _header(raw)
    except msgspec.MsgspecError as error:
        raise JournalError(f"{part}: no journal: {error}") from error
    if header.schema != SCHEMA:
        raise JournalError(f"{part}: schema {header.schema} is unknown; expected {SCHEMA}")
    return header


def _read_entry(part: Path, raw: bytes) -> Entry:
    try:
        return _entry(raw)
    except msgspec.MsgspecError as error:
        raise JournalError(f"{part}: {error}") from error


def _payload(part: Path, entry: Entry, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(entry.payload, type=kind)
    except msgspec.MsgspecError as error:
        raise JournalError(f"{part}: entry {entry.seq}: {error}") from error


def entries(part: Path) -> Iterator[Entry]:
    """What a part holds behind its header. Raises JournalError."""
    stored = values(part)
    _read_header(part, next(stored, b""))
    for raw in stored:
        yield _read_entry(part, raw)


def values(part: Path) -> Iterator[bytes]:
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
