"""The one writer of ``ledger.db``: a batch of records and the log's place in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal, Inexact
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec

from agents.market.types import Fill
from agents.market.units import NS_PER_MS
from fleet.gateway.framing import Record
from fleet.gateway.records import (
    Alerted,
    Equity,
    Filled,
    Funding,
    LatchLifted,
    LatchSet,
    LeaseEnded,
    LeaseIssued,
    LinkSeen,
    MarketSeen,
    Moved,
    OrderSeen,
    Said,
)
from fleet.ledger.book import Book, Booked, fold, plain
from fleet.ledger.markouts import Markouts
from fleet.ledger.peak import Peaks
from fleet.ledger.schema import BOOK_FIELDS, DAY_MS, MINUTE_MS, RETENTION, open_writer
from fleet.ledger.tail import Place

_HOUR_MS: Final = 3_600_000
_EXACT: Final = Context(prec=80, traps=[Inexact])
_ROUTINE: Final = frozenset({"open", "filled", "canceled"})
"""Order states of every requote: thousands a minute, and the log has them."""
_BOOK: Final = ", ".join(BOOK_FIELDS)
_BOOK_MARKS: Final = ", ".join("?" * len(BOOK_FIELDS))
_FILL_FIELDS: Final = (
    "coin", "time_ms", "tid", "oid", "cloid", "side", "px", "sz", "fee", "fee_token", "crossed",
    "start_position_sz", "closed_pnl", "ours",
)  # fmt: skip
_FILL: Final = ", ".join(("market", *_FILL_FIELDS[1:]))


def is_spot(coin: str) -> bool:
    """Whether a fill is of a spot market or an outcome: no balance of a DEX, no fleet's."""
    return coin.startswith(("@", "#")) or "/" in coin


def day_of(time_ms: int) -> int:
    """The start of its UTC day."""
    return time_ms - time_ms % DAY_MS


def book_row(book: Book) -> tuple[str | int, ...]:
    """The book's columns, in the order of BOOK_FIELDS."""
    values = (getattr(book, name) for name in BOOK_FIELDS)
    return tuple(plain(value) if isinstance(value, Decimal) else int(value) for value in values)


def read_book(row: Sequence[object]) -> Book:
    """The inverse of ``book_row``."""
    return msgspec.convert(dict(zip(BOOK_FIELDS, row, strict=True)), Book)


def _read_fill(row: Sequence[object]) -> Booked:
    columns = dict(zip(_FILL_FIELDS, row, strict=True))
    return Booked(msgspec.convert(columns, Fill, strict=False), ours=bool(columns["ours"]))


class Ledger:
    """Open for writing. Raises as ``open_writer`` does."""

    def __init__(self, path: Path) -> None:
        self._db = open_writer(str(path))
        seq, wall_ns = self._db.execute("SELECT seq, wall_ns FROM cursor").fetchone()
        self.place = Place(seq, wall_ns)
        self._markouts = Markouts(self._db)
        self._peaks = Peaks(self._db)

    def close(self) -> None:
        self._db.close()

    def apply(self, records: Sequence[Record]) -> None:
        """Book the records, or none of them: the place moves with the rows or not at all.

        Raises sqlite3.Error (locked, full, damaged); nothing is booked then, and the same records
        may be applied again.
        """
        if not records:
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            fresh, duplicates = self._insert(records)
            for market, earliest_ms in fresh.items():
                self._rebook(market, earliest_ms)
            self._move(records, duplicates)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self.place = Place(records[-1].seq, records[-1].wall_ns)

    def complete(self, records: Sequence[Record]) -> None:
        """Book fills that the log never had; the place stays. Raises as ``apply``."""
        self._db.execute("BEGIN IMMEDIATE")
        fresh, _ = self._insert(records)
        for market, earliest_ms in fresh.items():
            self._rebook(market, earliest_ms)
        self._db.execute("COMMIT")

    def take_over(self, old: Path, tables: Sequence[str], first_seq: int) -> None:
        """Another ledger's fills from before a record, its rows of these tables, and books of them.

        What the log tells again of those tables is known then.
        """
        self._db.execute("ATTACH ? AS old", (str(old),))
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("INSERT INTO main.fill SELECT * FROM old.fill WHERE seq < ?", (first_seq,))
        for table in tables:
            self._db.execute(f"INSERT INTO main.{table} SELECT * FROM old.{table}")  # noqa: S608 - our own names
        self._db.execute("UPDATE cursor SET since_ms = (SELECT since_ms FROM old.cursor)")
        self._db.execute("INSERT OR IGNORE INTO peak SELECT * FROM old.peak")
        for (market,) in self._db.execute("SELECT DISTINCT market FROM fill").fetchall():
            self._rebook(market, 0)
        self._db.execute("COMMIT")
        self._db.execute("DETACH old")

    def _insert(self, records: Iterable[Record]) -> tuple[Mapping[str, int], int]:
        """(market -> time of its earliest new fill, fills and payments seen before)."""
        fresh: dict[str, int] = {}
        duplicates = 0
        for record in records:
            body = record.body
            if isinstance(body, Filled):
                if is_spot(body.fill.coin):
                    continue
                if self._insert_fill(record.seq, body):
                    at_ms = body.fill.time_ms
                    fresh[body.fill.coin] = min(at_ms, fresh.get(body.fill.coin, at_ms))
                    self._markouts.filled(body.fill.coin, at_ms)
                else:
                    duplicates += 1
            elif isinstance(body, Funding):
                duplicates += not self._insert_funding(body)
            else:
                self._insert_other(record)
        return fresh, duplicates

    def _insert_fill(self, seq: int, body: Filled) -> bool:
        fill = body.fill
        done = self._db.execute(
            f"INSERT OR IGNORE INTO fill ({_FILL}, mid_px, seq) "  # noqa: S608 - our own columns
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                fill.coin, fill.time_ms, fill.tid, fill.oid, fill.cloid, fill.side.value,
                plain(fill.px), plain(fill.sz), plain(fill.fee), fill.fee_token, int(fill.crossed),
                plain(fill.start_position_sz), plain(fill.closed_pnl), int(body.ours), body.mid_px,
                seq,
            ),
        )  # fmt: skip
        return done.rowcount == 1

    def _insert_funding(self, body: Funding) -> bool:
        done = self._db.execute(
            "INSERT OR IGNORE INTO funding VALUES (?, ?, ?, ?, ?)",
            (body.market, body.time_ms, plain(body.usdc), plain(body.szi), plain(body.rate)),
        )
        if done.rowcount != 1:
            return False
        key = (body.market, day_of(body.time_ms))
        held = self._db.execute(
            "SELECT usdc FROM funding_day WHERE market = ? AND day_ms = ?", key
        ).fetchone()
        total = _EXACT.add(Decimal(held[0]) if held else Decimal(0), body.usdc)
        self._db.execute(
            "INSERT OR REPLACE INTO funding_day VALUES (?, ?, ?)", (*key, plain(total))
        )
        return True

    def _insert_other(self, record: Record) -> None:
        match record.body:
            case MarketSeen() as seen:
                self._db.execute(
                    "INSERT INTO market_mark VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                    "venue_ms = excluded.venue_ms, bid_px = excluded.bid_px, "
                    "ask_px = excluded.ask_px, mark_px = COALESCE(excluded.mark_px, mark_px) "
                    "WHERE excluded.venue_ms >= venue_ms",
                    (seen.market, seen.venue_ms - seen.venue_ms % MINUTE_MS, seen.venue_ms,
                     seen.bid_px, seen.ask_px, seen.mark_px),
                )  # fmt: skip
                self._markouts.seen(seen)
            case Equity() as account:
                self._insert_equity(account)
            case Moved() as moved:
                amount = "" if moved.amount is None else plain(moved.amount)
                self._db.execute(
                    "INSERT OR IGNORE INTO moved VALUES (?, ?, ?, ?, ?, ?)",
                    (moved.time_ms, moved.hash, moved.what, moved.dex, moved.token, amount),
                )
            case OrderSeen() as order if order.status not in _ROUTINE:
                self._db.execute(
                    "INSERT OR IGNORE INTO order_event VALUES (?, ?, ?, ?, ?)",
                    (order.market, order.oid, order.status, order.status_ms, order.cloid),
                )
            case _:
                self._insert_event(record)

    def _insert_event(self, record: Record) -> None:
        """What happened to the fleet itself; what was sent and answered stays in the log."""
        match record.body:
            case LeaseIssued() as lease:
                self._event(record, f"pid {lease.pid}", lease.market, lease.generation)
            case LeaseEnded() as ended:
                self._event(record, ended.reason, ended.market, ended.generation)
            case LatchSet() | LatchLifted() as latch:
                self._event(record, f"{latch.reason} (by {latch.by})")
            case Said() as said:
                detail = f"{said.verb} (by {said.by}): {said.outcome}"
                self._event(record, detail, said.market)
            case LinkSeen() as link:
                self._event(record, link.state)
            case Alerted() as alert:
                detail = f"{alert.severity}: {alert.text}"
                self._event(record, detail, alert.market or None)
            case _:
                pass

    def _insert_equity(self, account: Equity) -> None:
        minute_ms = account.as_of_ms - account.as_of_ms % MINUTE_MS
        raw_usd = plain(account.raw_usd)
        self._db.execute(
            "INSERT INTO equity VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "as_of_ms = excluded.as_of_ms, token = excluded.token, "
            "account_value = excluded.account_value, raw_usd = excluded.raw_usd, "
            "margin_used = excluded.margin_used, token_mark_usd = excluded.token_mark_usd "
            "WHERE excluded.as_of_ms >= as_of_ms",
            (account.dex, minute_ms, account.as_of_ms, account.token,
             plain(account.account_value), raw_usd, plain(account.margin_used),
             account.token_mark_usd),
        )  # fmt: skip
        self._db.execute(
            "INSERT OR IGNORE INTO cash_base VALUES (?, ?, ?, ?, ?, ?)",
            (
                account.dex,
                account.token,
                account.as_of_ms,
                raw_usd,
                plain(account.account_value),
                account.token_mark_usd,
            ),
        )
        self._peaks.minute(minute_ms)

    def _event(
        self, record: Record, detail: str, market: str | None = None, generation: int | None = None
    ) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?)",
            (record.wall_ns // NS_PER_MS, record.seq, record.kind, market, generation, detail),
        )

    def _rebook(self, market: str, earliest_ms: int) -> None:
        """Bring a market's book up to its fills, going back as far as the earliest new one."""
        book = self._book("SELECT {book} FROM book WHERE market = ?", market)
        if earliest_ms <= book.last_ms:
            # It belongs before fills already folded in: begin again at that day's first fill.
            opened = self._db.execute(
                "SELECT max(day_ms) FROM day_open WHERE market = ? AND day_ms <= ?",
                (market, earliest_ms),
            ).fetchone()[0]
            since_ms = 0 if opened is None else int(opened)
            book = self._book(
                "SELECT {book} FROM day_open WHERE market = ? AND day_ms = ?", market, since_ms
            )
            self._db.execute(
                "DELETE FROM day_open WHERE market = ? AND day_ms >= ?", (market, since_ms)
            )
        rows = self._db.execute(
            f"SELECT {_FILL} FROM fill WHERE market = ? AND time_ms > ? ORDER BY time_ms",  # noqa: S608
            (market, book.last_ms),
        )
        fills = (_read_fill(row) for row in rows.fetchall())
        for day_ms, of_day in groupby(fills, key=lambda booked: day_of(booked.fill.time_ms)):
            self._db.execute(
                f"INSERT OR IGNORE INTO day_open VALUES (?, ?, {_BOOK_MARKS})",  # noqa: S608
                (market, day_ms, *book_row(book)),
            )
            book = fold(book, of_day)
        self._db.execute(
            f"INSERT OR REPLACE INTO book VALUES (?, {_BOOK_MARKS})",  # noqa: S608
            (market, *book_row(book)),
        )

    def _book(self, query: str, *key: str | int) -> Book:
        row = self._db.execute(query.format(book=_BOOK), key).fetchone()
        return read_book(row) if row else Book()

    def _move(self, records: Sequence[Record], duplicates: int) -> None:
        """Move the place; each hour of the records, drop what is beyond its retention."""
        first_ms, last = records[0].wall_ns // NS_PER_MS, records[-1]
        hour_ms = last.wall_ns // NS_PER_MS
        hour_ms -= hour_ms % _HOUR_MS
        (pruned_ms,) = self._db.execute("SELECT pruned_ms FROM cursor").fetchone()
        if hour_ms > pruned_ms:
            for table, column, kept_ms in RETENTION:
                # By the table's own clock: the venue's time need not be ours (a recording's).
                newest = f"(SELECT max({column}) FROM {table})"  # noqa: S608 - our own names
                self._db.execute(
                    f"DELETE FROM {table} WHERE {column} < {newest} - {newest} % ? - ?",  # noqa: S608
                    (_HOUR_MS, kept_ms),
                )
        self._db.execute(
            "UPDATE cursor SET seq = ?, wall_ns = ?, duplicates = duplicates + ?, pruned_ms = ?, "
            "since_ms = CASE since_ms WHEN 0 THEN ? ELSE since_ms END",
            (last.seq, last.wall_ns, duplicates, max(hour_ms, pruned_ms), first_ms),
        )
