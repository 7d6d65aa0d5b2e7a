"""P&L of periods out of the ledger: what each market earned between two moments, and of what.

    total   = realized + unrealized - fees + funding      unrealized: its change over the period
    realized + unrealized = spread + inventory + basis
    spread     = sum of sign·sz·(mid - px)                what fills earned against the mid
    basis      = change of q·(mark - mid)
    inventory  = the rest: the sum of q·(change of the mid)

    adverse    = sum of sign·sz·(mid some seconds later - mid)    a reading within inventory

A fill without a mid counts as one at the mid, and is counted; basis is known where the marks at
both ends have mids. What is not known is None. Exact but for marks and mids, which are beliefs.
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec

from agents.market.types import Fill, Side
from fleet.ledger.book import Book, Booked, fold
from fleet.ledger.markouts import HORIZONS_MS
from fleet.ledger.query import EXACT, reading
from fleet.ledger.schema import BOOK_FIELDS, DAY_MS, MINUTE_MS

MARK_AGE_MAX_MS: Final = 10 * MINUTE_MS
HORIZONS_S: Final = tuple(ms // 1_000 for ms in HORIZONS_MS.values())
_BOOK: Final = ", ".join(BOOK_FIELDS)
_ZERO: Final = Decimal(0)
_BID: Final = Side.BID.value
_FILL: Final = (
    "coin", "time_ms", "tid", "oid", "cloid", "side", "px", "sz", "fee", "fee_token", "crossed",
    "start_position_sz", "closed_pnl",
)  # fmt: skip
_TIME, _SIDE, _PX, _SZ = (_FILL.index(name) for name in ("time_ms", "side", "px", "sz"))


class Period(msgspec.Struct, frozen=True):
    """One market from ``since_ms`` to ``until_ms``, in its DEX's collateral.

    ``without_mid``: fills whose mid was not seen. ``adverse``: of our own fills, by horizon in
    seconds; of those whose later mid was seen. ``edge_usd``: likewise, the mid later less the
    price; ``marked_usd``: the notional of the fills that it is the sum of.
    """

    market: str
    since_ms: int
    until_ms: int
    realized_usd: Decimal
    unrealized_usd: Decimal | None
    fees_usd: Decimal
    funding_usd: Decimal
    volume_usd: Decimal
    fills: int
    taker_fills: int
    spread_usd: Decimal
    inventory_usd: Decimal | None
    basis_usd: Decimal | None
    without_mid: int
    adverse_usd: dict[int, Decimal]
    edge_usd: dict[int, Decimal]
    marked_usd: dict[int, Decimal]

    @property
    def total_usd(self) -> Decimal | None:
        if self.unrealized_usd is None:
            return None
        with localcontext(EXACT):
            return self.realized_usd + self.unrealized_usd - self.fees_usd + self.funding_usd


class _Seen(msgspec.Struct, frozen=True):
    """The last mark and mid before a moment; None: too old, or never seen."""

    mark_px: Decimal | None = None
    mid_px: Decimal | None = None


class _Told(msgspec.Struct, frozen=True):
    """A fill with its mid, and the mids after it, by seconds; ``row`` is all of it, unread."""

    time_ms: int
    signed_sz: Decimal
    px: Decimal
    ours: bool
    mid_px: Decimal | None
    later_px: dict[int, Decimal]
    row: Sequence[object]

    @property
    def booked(self) -> Booked:
        row = self.row[: len(_FILL)]
        fill = msgspec.convert(dict(zip(_FILL, row, strict=True)), Fill, strict=False)
        return Booked(fill, ours=self.ours)


def periods(ledger_db: Path, edges_ms: Sequence[int]) -> list[Period]:
    """Every market between each two neighbouring edges, in which anything was held or earned.

    Raises LedgerUnreadable.
    """
    assert len(edges_ms) >= 2
    with reading(ledger_db) as db, localcontext(EXACT):
        if db is None:
            return []
        names = db.execute("SELECT market FROM book UNION SELECT market FROM funding_day")
        return [
            period
            for (market,) in sorted(names.fetchall())
            for period in _of_market(db, str(market), edges_ms)
        ]


def _of_market(db: sqlite3.Connection, market: str, edges_ms: Sequence[int]) -> Iterator[Period]:
    book, fills = _since(db, market, edges_ms[0])
    times = [told.time_ms for told in fills]
    last = _last(db, market)
    book = fold(book, [told.booked for told in fills[: bisect_left(times, edges_ms[0])]])
    start = _value(book, _seen(db, market, edges_ms[0]))
    for since_ms, until_ms in pairwise(edges_ms):
        during = fills[bisect_left(times, since_ms) : bisect_left(times, until_ms)]
        if last is not None and until_ms > last.last_ms:
            after = last  # what the fills fold to is written down
        else:
            after = fold(book, [told.booked for told in during])
        end = _value(after, _seen(db, market, until_ms))
        funding = _funding(db, market, since_ms, until_ms)
        if during or book.position_sz or funding:
            yield _period(
                market, (since_ms, until_ms), (book, after), (start, end), during, funding
            )
        book, start = after, end


def _period(
    market: str,
    span: tuple[int, int],
    books: tuple[Book, Book],
    values: tuple[Mapping[str, Decimal | None], Mapping[str, Decimal | None]],
    during: Sequence[_Told],
    funding: Decimal,
) -> Period:
    (book, after), (start, end) = books, values
    realized = after.realized - book.realized
    unrealized = _change(start["unrealized"], end["unrealized"])
    basis = _change(start["basis"], end["basis"])
    spread = _ZERO
    for told in during:
        if told.mid_px is not None:
            spread += told.signed_sz * (told.mid_px - told.px)
    inventory = None
    if unrealized is not None and basis is not None:
        inventory = realized + unrealized - spread - basis
    adverse, edge, marked = _readings(during)
    return Period(
        market=market,
        since_ms=span[0],
        until_ms=span[1],
        realized_usd=realized,
        unrealized_usd=unrealized,
        fees_usd=after.fees - book.fees,
        funding_usd=funding,
        volume_usd=after.volume - book.volume,
        fills=after.fills - book.fills,
        taker_fills=after.taker_fills - book.taker_fills,
        spread_usd=spread,
        inventory_usd=inventory,
        basis_usd=basis,
        without_mid=sum(told.mid_px is None for told in during),
        adverse_usd=adverse,
        edge_usd=edge,
        marked_usd=marked,
    )


def _readings(
    during: Sequence[_Told],
) -> tuple[dict[int, Decimal], dict[int, Decimal], dict[int, Decimal]]:
    """What our own fills' mids did afterwards: adverse selection, edge, and of what notional."""
    adverse, edge, marked = (dict.fromkeys(HORIZONS_S, _ZERO) for _ in range(3))
    for told in during:
        if not told.ours or told.mid_px is None:
            continue
        for seconds, later_px in told.later_px.items():
            adverse[seconds] += told.signed_sz * (later_px - told.mid_px)
            edge[seconds] += told.signed_sz * (later_px - told.px)
            marked[seconds] += abs(told.signed_sz) * told.px
    return adverse, edge, marked


def _change(start: Decimal | None, end: Decimal | None) -> Decimal | None:
    return None if start is None or end is None else end - start


def _value(book: Book, seen: _Seen) -> dict[str, Decimal | None]:
    """What is open, at its mark; 0 when flat, whatever the mark."""
    if not book.position_sz:
        return {"unrealized": -book.cost, "basis": _ZERO}
    if seen.mark_px is None:
        return {"unrealized": None, "basis": None}
    basis = None if seen.mid_px is None else book.position_sz * (seen.mark_px - seen.mid_px)
    return {"unrealized": book.position_sz * seen.mark_px - book.cost, "basis": basis}


def _since(db: sqlite3.Connection, market: str, since_ms: int) -> tuple[Book, list[_Told]]:
    """A book at or before a moment, and all fills after that book, in time's order."""
    row = db.execute(
        f"SELECT day_ms, {_BOOK} FROM day_open WHERE market = ? AND day_ms <= ?"  # noqa: S608 - our own columns
        " ORDER BY day_ms DESC LIMIT 1",
        (market, since_ms - since_ms % DAY_MS),
    ).fetchone()
    book, from_ms = Book(), 0
    if row is not None:
        book = msgspec.convert(dict(zip(BOOK_FIELDS, row[1:], strict=True)), Book)
        from_ms = int(row[0])
    columns = ", ".join(("market", *_FILL[1:], "ours", "mid_px", *HORIZONS_MS))
    rows = db.execute(
        f"SELECT {columns} FROM fill WHERE market = ? AND time_ms >= ? ORDER BY time_ms",  # noqa: S608 - our own columns
        (market, from_ms),
    )
    return book, [_told(row) for row in rows]


def _last(db: sqlite3.Connection, market: str) -> Book | None:
    """The book of all fills; None of a market that has none."""
    row = db.execute(f"SELECT {_BOOK} FROM book WHERE market = ?", (market,)).fetchone()  # noqa: S608 - our own columns
    if row is None:
        return None
    return msgspec.convert(dict(zip(BOOK_FIELDS, row, strict=True)), Book)


def _told(row: Sequence[Any]) -> _Told:
    ours, *mids = row[len(_FILL) :]
    mid, *later = (None if px is None else Decimal(repr(px)) for px in mids)
    sz = Decimal(row[_SZ])
    return _Told(
        time_ms=row[_TIME],
        signed_sz=sz if row[_SIDE] == _BID else -sz,
        px=Decimal(row[_PX]),
        ours=bool(ours),
        mid_px=mid,
        later_px={s: px for s, px in zip(HORIZONS_S, later, strict=True) if px is not None},
        row=row,
    )


def _seen(db: sqlite3.Connection, market: str, at_ms: int) -> _Seen:
    row = db.execute(
        "SELECT mark_px, bid_px, ask_px FROM market_mark WHERE market = ? AND venue_ms <= ?"
        " AND venue_ms > ? AND mark_px IS NOT NULL ORDER BY minute_ms DESC LIMIT 1",
        (market, at_ms, at_ms - MARK_AGE_MAX_MS),
    ).fetchone()
    if row is None:
        return _Seen()
    mark_px, bid_px, ask_px = row
    mid = None if None in {bid_px, ask_px} else (Decimal(repr(bid_px)) + Decimal(repr(ask_px))) / 2
    return _Seen(Decimal(repr(mark_px)), mid)


def _funding(db: sqlite3.Connection, market: str, since_ms: int, until_ms: int) -> Decimal:
    rows = db.execute(
        "SELECT usdc FROM funding WHERE market = ? AND time_ms >= ? AND time_ms < ?",
        (market, since_ms, until_ms),
    )
    return sum((Decimal(text) for (text,) in rows), _ZERO)
