"""What the collateral itself gained or lost: the token mark, the part of P&L that no market made.

    USD gained on a DEX = (what its markets earned, in its token) · mark at the end + token mark
    token mark          = balance at the start · (mark at the end - mark at the start)
                        + sum over transfers of amount · (mark at the end - mark when it moved)

so that the two together are the change of the balance's worth, net of transfers at their worth.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from fleet.ledger.query import EXACT, reading
from fleet.ledger.schema import MINUTE_MS

AGE_MAX_MS: Final = 60 * MINUTE_MS
DOLLAR: Final = "USDC"
_ONE: Final = Decimal(1)
_ZERO: Final = Decimal(0)


class TokenPeriod(msgspec.Struct, frozen=True):
    """One DEX's collateral over a period. ``mark_usd`` at its end; None: not known."""

    dex: str
    token: str
    since_ms: int
    until_ms: int
    mark_usd: Decimal | None
    token_mark_usd: Decimal | None
    moved: Decimal


class _Frame(msgspec.Struct, frozen=True):
    value: Decimal
    mark_usd: Decimal | None


def token_periods(ledger_db: Path, edges_ms: Sequence[int]) -> list[TokenPeriod]:
    """Every DEX between each two neighbouring edges. Raises LedgerUnreadable."""
    with reading(ledger_db) as db, localcontext(EXACT):
        if db is None:
            return []
        dexes = db.execute("SELECT dex, token, as_of_ms FROM cash_base ORDER BY dex").fetchall()
        return [
            found
            for dex, token, base_ms in dexes
            for since_ms, until_ms in pairwise(edges_ms)
            for found in _of_dex(db, str(dex), str(token), max(since_ms, base_ms), until_ms)
        ]


def _of_dex(
    db: sqlite3.Connection, dex: str, token: str, since_ms: int, until_ms: int
) -> Iterator[TokenPeriod]:
    if until_ms <= since_ms:
        return
    end = _frame(db, dex, until_ms)
    moves = db.execute(
        "SELECT time_ms, amount FROM moved WHERE dex = ? AND amount <> '' AND time_ms > ?"
        " AND time_ms <= ?",
        (dex, since_ms, until_ms),
    ).fetchall()
    moved = sum((Decimal(amount) for _, amount in moves), _ZERO)
    if token == DOLLAR:
        yield TokenPeriod(dex, token, since_ms, until_ms, _ONE, _ZERO, moved)
        return
    mark_usd = end.mark_usd if end else None
    gained = None if mark_usd is None else _gained(db, dex, since_ms, mark_usd, moves)
    yield TokenPeriod(dex, token, since_ms, until_ms, mark_usd, gained, moved)


def _gained(
    db: sqlite3.Connection,
    dex: str,
    since_ms: int,
    mark_usd: Decimal,
    moves: Sequence[tuple[int, str]],
) -> Decimal | None:
    start = _frame(db, dex, since_ms) or _first(db, dex)
    parts = [(start.value, start.mark_usd)] if start else []
    for at_ms, amount in moves:
        frame = _frame(db, dex, at_ms) or _first(db, dex)
        parts.append((Decimal(amount), frame.mark_usd if frame else None))
    gained = _ZERO
    for value, then_usd in parts:
        if not value:
            continue
        if then_usd is None:
            return None
        gained += value * (mark_usd - then_usd)
    return gained


def _frame(db: sqlite3.Connection, dex: str, at_ms: int) -> _Frame | None:
    """The last account frame up to a moment, if it is not too old."""
    row = db.execute(
        "SELECT account_value, token_mark_usd FROM equity WHERE dex = ? AND as_of_ms <= ?"
        " AND minute_ms > ? ORDER BY minute_ms DESC LIMIT 1",
        (dex, at_ms, at_ms - AGE_MAX_MS),
    ).fetchone()
    return _read(row)


def _first(db: sqlite3.Connection, dex: str) -> _Frame | None:
    """What the ledger saw first of all; within its first minute there is nothing before."""
    row = db.execute(
        "SELECT account_value, token_mark_usd FROM cash_base WHERE dex = ?",
        (dex,),
    ).fetchone()
    return _read(row)


def _read(row: tuple[str, float | None] | None) -> _Frame | None:
    if row is None:
        return None
    return _Frame(Decimal(row[0]), None if row[1] is None else Decimal(repr(row[1])))
