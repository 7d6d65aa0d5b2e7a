"""The gateway's disk in a world: its files and its log in memory, which outlive the process."""

import errno
from collections.abc import Collection, Iterator

import msgspec

from fleet.gateway.api import Caps, LatchView
from fleet.gateway.core.lease import Durable
from fleet.gateway.core.purse import Kept
from fleet.gateway.framing import KINDS, Record
from fleet.gateway.records import Body
from fleet.gateway.standing import Standing
from fleet.gateway.store import KeptMarket


class Disk:
    """What ``fleet.gateway.store`` and ``fleet.gateway.log`` are to a real gateway.

    Values are kept as bytes or copies: what the process changes later is not on the disk.
    ``full``: nothing can be written, OSError.
    """

    SEGMENT = 2_000
    """Records of one segment of the log: few, so that a run begins many."""

    def __init__(self) -> None:
        self.seq = 0
        self.standing: Standing | None = None
        self.full = False
        self._leases = b"{}"
        self._limits: dict[str, float] = {}
        self._caps: Caps | None = None
        self._purse = Kept()
        self._markets: dict[str, KeptMarket] = {}
        self._latch: LatchView | None = None
        self._segments: list[list[Record]] = [[]]

    def _written(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")

    def leases(self) -> dict[str, Durable]:
        return msgspec.json.decode(self._leases, type=dict[str, Durable])

    def keep_leases(self, rows: dict[str, Durable]) -> None:
        self._written()
        self._leases = msgspec.json.encode(rows)

    def limits(self) -> dict[str, float]:
        return dict(self._limits)

    def keep_limits(self, limits: dict[str, float]) -> None:
        self._written()
        self._limits = dict(limits)

    def purse(self) -> Kept:
        return self._purse

    def keep_purse(self, kept: Kept) -> None:
        self._written()
        self._purse = kept

    def caps(self) -> Caps | None:
        return self._caps

    def keep_caps(self, caps: Caps) -> None:
        self._written()
        self._caps = caps

    def markets(self) -> list[KeptMarket]:
        return [self._markets[market] for market in sorted(self._markets)]

    def keep_market(self, kept: KeptMarket) -> None:
        self._written()
        self._markets[kept.market] = kept

    def drop_market(self, market: str) -> None:
        self._markets.pop(market, None)

    def latch(self) -> LatchView | None:
        return self._latch

    def latched(self) -> bool:
        return self._latch is not None

    def keep_latch(self, latch: LatchView | None) -> None:
        if latch is not None:
            self._written()
        self._latch = latch

    def append(self, body: Body, wall_ns: int) -> int:
        self._written()
        if len(self._segments[-1]) >= self.SEGMENT:
            self._segments.append([])
            if self.standing is not None:
                self._write(self.standing.head(), wall_ns)
        seq = self._write(body, wall_ns)
        if self.standing is not None:
            self.standing.written(body)
        return seq

    def _write(self, body: Body, wall_ns: int) -> int:
        self.seq += 1
        self._segments[-1].append(Record.of(self.seq, wall_ns, body))
        return self.seq

    def tail(self, segments: int = 2, kinds: Collection[str] = KINDS) -> Iterator[Record]:
        """The records of the last segments, of these kinds."""
        for segment in self._segments[-segments:]:
            yield from (record for record in segment if record.kind in kinds)

    def log(self) -> list[Record]:
        """All that was ever written."""
        return [record for segment in self._segments for record in segment]
