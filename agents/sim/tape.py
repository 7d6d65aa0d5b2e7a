"""A recording of the venue's feed, paced by its receive times and moved to the present.

Format: zstd JSONL; a header line ``{"schema": "hlrec/1", "coins": [...]}``, then
``{"t": receive time in unix ns, "m": frame}`` and ``{"t": ..., "c": "disconnect"}``.
"""

import io
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

import msgspec
import zstandard

from agents.market.types import Coin
from agents.market.units import NS_PER_MS, NS_PER_S

OUTAGE_NS: Final = 5 * NS_PER_S
LOOP_GAP_NS: Final = 6 * NS_PER_S
_TIME: Final = re.compile(rb'("time":\s*)(\d+)')


class TapeError(Exception):
    """The recording cannot be read; the text says where and why."""


class LevelRow(msgspec.Struct, frozen=True):
    """One displayed level. A recording without ``n`` counts one order."""

    px: Decimal
    sz: Decimal
    n: int = 1


class BookRow(msgspec.Struct, frozen=True):
    """``l2Book``: all that was displayed, best first."""

    coin: Coin
    time: int
    levels: tuple[tuple[LevelRow, ...], tuple[LevelRow, ...]]


class BboRow(msgspec.Struct, frozen=True):
    """``bbo``: the touch; a side is None when empty."""

    coin: Coin
    time: int
    bbo: tuple[LevelRow | None, LevelRow | None]


class TradeRow(msgspec.Struct, frozen=True):
    """One row of ``trades``; ``side`` is the aggressor's."""

    coin: Coin
    side: Literal["A", "B"]
    px: Decimal
    sz: Decimal
    time: int
    tid: int


class TapeFrame(msgspec.Struct, frozen=True):
    """One recorded frame; all its times are moved. ``raw`` is as received but for them."""

    t_ns: int
    coin: Coin
    channel: str
    raw: bytes
    data: BookRow | BboRow | tuple[TradeRow, ...]


class Outage(msgspec.Struct, frozen=True):
    """From here on the recording is silent, for more than 5 s or for good."""

    t_ns: int


class Header(msgspec.Struct, frozen=True):
    """First line of a recording."""

    schema: str
    coins: tuple[Coin, ...]


class _Line(msgspec.Struct, frozen=True):
    t: int
    m: msgspec.Raw = msgspec.Raw(b"")
    c: str | None = None


class _Message(msgspec.Struct, frozen=True):
    channel: str
    data: msgspec.Raw = msgspec.Raw(b"null")


_line: Final = msgspec.json.Decoder(_Line)
_message: Final = msgspec.json.Decoder(_Message)
_book: Final = msgspec.json.Decoder(BookRow)
_bbo: Final = msgspec.json.Decoder(BboRow)
_trades: Final = msgspec.json.Decoder(tuple[TradeRow, ...])


class Tape:
    """Frames of one recording. ``due`` starts it: the first frame's receive time becomes now.

    ``end``: ``silent`` = nothing more comes; ``loop`` = it starts again after an outage of 6 s,
    its times moved once more.
    """

    def __init__(self, path: Path | str, *, end: Literal["silent", "loop"] = "silent") -> None:
        """Reads the header. Raises TapeError."""
        self._path = Path(path)
        self._end = end
        self._lines = _lines(self._path)
        self.header = self._read_header()
        self._next: _Line | None = next(self._lines, None)
        self._shift_ns: int | None = None

    @property
    def over(self) -> bool:
        """True once the last frame was handed out."""
        return self._next is None

    def due(self, now_ns: int) -> Iterator[TapeFrame | Outage]:
        """What the recording brings up to ``now_ns``, in order. Raises TapeError."""
        while (line := self._next) is not None:
            if self._shift_ns is None:
                self._shift_ns = now_ns - line.t
            at_ns = line.t + self._shift_ns
            if at_ns > now_ns:
                return
            following = next(self._lines, None)
            self._next = following
            silent = line.c is not None or following is None or following.t - line.t > OUTAGE_NS
            if line.c is None and (found := _frame(line, at_ns, self._shift_ns)) is not None:
                yield found
            if silent:
                yield Outage(at_ns)
            if following is None and self._end == "loop":
                self._rewind(at_ns)

    def _rewind(self, at_ns: int) -> None:
        self._lines = _lines(self._path)
        next(self._lines, None)
        first = self._next = next(self._lines, None)
        if first is not None:
            self._shift_ns = at_ns + LOOP_GAP_NS - first.t

    def _read_header(self) -> Header:
        try:
            with self._path.open("rb") as file:
                first = next(iter(_text(file)), "")
            header = msgspec.json.decode(first, type=Header)
        except OSError as error:
            raise TapeError(f"{self._path}: cannot be read: {error.strerror}") from error
        except (msgspec.DecodeError, zstandard.ZstdError) as error:
            raise TapeError(f"{self._path}: no recording (zstd JSONL, hlrec/1): {error}") from error
        if not header.schema.startswith("hlrec/1"):
            raise TapeError(f"{self._path}: schema {header.schema} is unknown; expected hlrec/1")
        next(self._lines, None)
        return header


def _lines(path: Path) -> Iterator[_Line]:
    """Every line, the header's included as an empty one; a torn tail ends the recording."""
    with path.open("rb") as file:
        number, text = 0, ""
        try:
            for number, text in enumerate(_text(file), 1):
                yield _Line(0) if number == 1 else _line.decode(text)
        except zstandard.ZstdError:
            return
        except msgspec.DecodeError as error:
            if text.endswith("\n"):
                raise TapeError(f"{path}: line {number}: {error}") from error


def _text(file: io.BufferedReader) -> Iterator[str]:
    return io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8")


def _frame(line: _Line, at_ns: int, shift_ns: int) -> TapeFrame | None:
    """The frame of a line with its times moved; None for channels that make no market."""
    shift_ms = shift_ns // NS_PER_MS
    raw = _TIME.sub(lambda found: b"%b%d" % (found[1], int(found[2]) + shift_ms), bytes(line.m))
    message = _message.decode(raw)
    data: BookRow | BboRow | tuple[TradeRow, ...]
    match message.channel:
        case "l2Book":
            data = _book.decode(message.data)
        case "bbo":
            data = _bbo.decode(message.data)
        case "trades":
            data = _trades.decode(message.data)
            if not data:
                return None
        case _:
            return None
    coin = data[0].coin if isinstance(data, tuple) else data.coin
    return TapeFrame(at_ns, coin, message.channel, raw, data)
