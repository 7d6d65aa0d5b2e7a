"""Whether every cent is explained: the cash identity of each DEX, in its own token (I6).

    raw balance = first one seen - sum of sign·sz·px - fees + funding + what was moved

from the first account frame that the ledger saw to the last one, everything counted that happened
between the two. Exact; what is left over is drift: a fill, a payment or a transfer that is missing.
"""

import sqlite3
from collections.abc import Iterator
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Final

import msgspec

from fleet.ledger.query import EXACT, reading

_ZERO: Final = Decimal(0)
_STEP: Final = Decimal("0.000001")
_SLACK: Final = Decimal("0.01")


class Cash(msgspec.Struct, frozen=True):
    """One DEX between two account frames. ``trades``: cash received for what was traded.

    ``unread``: kinds of transfers in between of which the amount is not known. ``fills``: how many.
    """

    dex: str
    token: str
    base_ms: int
    base_raw: Decimal
    as_of_ms: int
    raw: Decimal
    trades: Decimal
    fees: Decimal
    funding: Decimal
    moved: Decimal
    fills: int
    unread: tuple[str, ...] = ()

    @property
    def expected(self) -> Decimal:
        with localcontext(EXACT):
            return self.base_raw + self.trades - self.fees + self.funding + self.moved

    @property
    def drift(self) -> Decimal:
        """What nothing explains; positive: the venue holds more."""
        with localcontext(EXACT):
            return self.raw - self.expected

    @property
    def balanced(self) -> bool:
        """No more is left over than rounding at the venue's last digit can make."""
        return abs(self.drift) <= _SLACK + _STEP * self.fills

    @property
    def text(self) -> str:
        """For people, where it does not balance."""
        name = self.dex or "main DEX"
        why = f"; not understood: {', '.join(self.unread)}" if self.unread else ""
        return (
            f"{name}: {self.drift:+.6f} {self.token} of the balance is explained by no fill, fee,"
            f" funding or transfer{why}"
        )


def cash(ledger_db: Path) -> dict[str, Cash]:
    """Each DEX that the venue showed twice, by name. Raises LedgerUnreadable."""
    with reading(ledger_db) as db, localcontext(EXACT):
        return {} if db is None else {row.dex: row for row in _all(db)}


def _all(db: sqlite3.Connection) -> Iterator[Cash]:
    bases = db.execute("SELECT dex, token, as_of_ms, raw_usd FROM cash_base").fetchall()
    for dex, token, base_ms, base_raw in bases:
        row = db.execute(
            "SELECT as_of_ms, raw_usd FROM equity WHERE dex = ? ORDER BY minute_ms DESC LIMIT 1",
            (dex,),
        ).fetchone()
        if row is None or row[0] <= base_ms:
            continue
        span = (int(base_ms), int(row[0]))
        trades, fees, fills = _traded(db, dex, span)
        moved, unread = _moved(db, dex, span)
        yield Cash(
            dex=dex, token=token, base_ms=base_ms, base_raw=Decimal(base_raw), as_of_ms=span[1],
            raw=Decimal(row[1]), trades=trades, fees=fees, fills=fills,
            funding=_funding(db, dex, span), moved=moved, unread=unread,
        )  # fmt: skip


def _markets(db: sqlite3.Connection, dex: str) -> list[str]:
    names = db.execute("SELECT market FROM book UNION SELECT market FROM funding_day")
    return [str(name) for (name,) in names if str(name).rpartition(":")[0] == dex]


def _traded(
    db: sqlite3.Connection, dex: str, span: tuple[int, int]
) -> tuple[Decimal, Decimal, int]:
    """(cash, fees, fills) of both ends' difference: the books know the whole, fills the edges."""
    trades, fees, fills = _ZERO, _ZERO, 0
    for market in _markets(db, dex):
        row = db.execute(
            "SELECT realized, cost, inherited_cost, fees, fills + foreign_fills FROM book"
            " WHERE market = ?",
            (market,),
        ).fetchone()
        if row is None:
            continue
        realized, cost, inherited, paid = (Decimal(text) for text in row[:4])
        trades, fees, fills = trades + realized - cost + inherited, fees + paid, fills + row[4]
        for side, sz, px, fee in _outside(db, "side, sz, px, fee", "fill", market, span):
            value = Decimal(sz) * Decimal(px)
            trades += value if side == "B" else -value
            fees -= Decimal(fee)
            fills -= 1
    return trades, fees, fills


def _funding(db: sqlite3.Connection, dex: str, span: tuple[int, int]) -> Decimal:
    total = _ZERO
    for market in _markets(db, dex):
        days = db.execute("SELECT usdc FROM funding_day WHERE market = ?", (market,))
        total += sum((Decimal(text) for (text,) in days), _ZERO)
        outside = _outside(db, "usdc", "funding", market, span)
        total -= sum((Decimal(text) for (text,) in outside), _ZERO)
    return total


def _outside(
    db: sqlite3.Connection, columns: str, table: str, market: str, span: tuple[int, int]
) -> Iterator[tuple[str, ...]]:
    """What lies before or after a span (since, until]; two ranges of the table's own key."""
    for test, at_ms in zip(("<=", ">"), span, strict=True):
        yield from db.execute(
            f"SELECT {columns} FROM {table} WHERE market = ? AND time_ms {test} ?",  # noqa: S608 - our own names
            (market, at_ms),
        )


def _moved(
    db: sqlite3.Connection, dex: str, span: tuple[int, int]
) -> tuple[Decimal, tuple[str, ...]]:
    """The sum, and the kinds without an amount, which may be any DEX's."""
    total, unread = _ZERO, []
    rows = db.execute(
        "SELECT what, amount FROM moved WHERE time_ms > ? AND time_ms <= ?"
        " AND (dex = ? OR amount = '')",
        (*span, dex),
    )
    for what, amount in rows:
        if not amount:
            unread.append(str(what))
        else:
            total += Decimal(amount)
    return total, tuple(unread)


def moved_until(db: sqlite3.Connection, dex: str, until_ms: int) -> Decimal:
    """What came to a DEX since the ledger first saw it, up to a moment."""
    row = db.execute("SELECT as_of_ms FROM cash_base WHERE dex = ?", (dex,)).fetchone()
    return _ZERO if row is None else _moved(db, dex, (int(row[0]), until_ms))[0]
