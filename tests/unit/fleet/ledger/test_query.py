"""Reading the ledger: the contract's identity, days, and a file that is absent or damaged."""

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from agents.market.types import Coin, Fill, Oid, Side, Tid
from fleet.gateway.framing import Record
from fleet.gateway.records import Body, Equity, Filled, Funding, MarketSeen
from fleet.ledger import query
from fleet.ledger.schema import DAY_MS
from fleet.ledger.writer import Ledger

DAY = 20_000 * DAY_MS


def filled(signed_sz: str, px: str, *, start: str, at_ms: int, fee: str) -> Filled:
    sz = Decimal(signed_sz)
    fill = Fill(
        coin=Coin("BTC"), side=Side.BID if sz > 0 else Side.ASK, px=Decimal(px), sz=abs(sz),
        time_ms=at_ms, tid=Tid(at_ms), oid=Oid(1), cloid=None, fee=Decimal(fee), fee_token="USDC",
        crossed=False, start_position_sz=Decimal(start), closed_pnl=Decimal(0),
    )  # fmt: skip
    return Filled(fill=fill, ours=True, mid_px=None)


def book(path: Path, *bodies: Body) -> None:
    ledger = Ledger(path)
    first = ledger.place.seq + 1
    ledger.apply(
        [Record.of(n, (DAY + n) * 1_000_000, body) for n, body in enumerate(bodies, first)]
    )
    ledger.close()


YESTERDAY = (
    filled("3", "100", start="0", at_ms=DAY - 5_000, fee="0.30"),
    Funding("BTC", DAY - 3_600_000, Decimal("-0.2"), Decimal(3), Decimal("0.0001")),
    MarketSeen("BTC", DAY - 70_000, 108.0, 109.0, 108.5),
    MarketSeen("BTC", DAY - 1_000, 109.0, 111.0, 110.0),
)
TODAY = (
    MarketSeen("BTC", DAY + 1_000, 111.0, 113.0, 112.0),
    filled("-1", "115", start="3", at_ms=DAY + 10_000, fee="-0.05"),
    Funding("BTC", DAY + 3_600_000, Decimal("0.1"), Decimal(2), Decimal("0.0001")),
)


def total_usd(pnl: query.MarketPnl, mark_px: float | None) -> Decimal:
    """The contract's identity, from the parts."""
    unrealized = query.unrealized_usd(pnl, mark_px)
    assert unrealized is not None
    return pnl.realized_usd + unrealized - pnl.fees_usd + pnl.funding_usd


def test_total_is_realized_plus_unrealized_minus_fees_plus_funding(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, *YESTERDAY, *TODAY)
    pnl = query.markets(path)["BTC"]
    assert pnl.realized_usd == Decimal(15)
    assert query.unrealized_usd(pnl, 120.5) == Decimal(41)
    assert pnl.fees_usd == Decimal("0.25")
    assert pnl.funding_usd == Decimal("-0.1")
    assert total_usd(pnl, 120.5) == Decimal("55.65")
    assert (pnl.entry_px, pnl.volume_usd, pnl.fills) == (Decimal(100), Decimal(415), 2)


def test_incident_73_utc_days_add_up_to_the_total_over_a_restart_at_midnight(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.db"
    book(path, *YESTERDAY)
    first = query.day_usd(query.markets(path, DAY - 1)["BTC"], 110.0)
    book(path, *TODAY)
    today = query.markets(path, DAY + 1)["BTC"]
    second = query.day_usd(today, 120.5)
    assert first == Decimal(30) - Decimal("0.3") - Decimal("0.2")
    assert first is not None
    assert second is not None
    assert total_usd(today, 120.5) == first + second
    assert (today.day_fills, today.day_fees_usd) == (1, Decimal("-0.05"))
    assert today.day_open_mark_px == 110.0


def test_a_day_without_fills_still_moves_with_the_mark(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, *YESTERDAY)
    pnl = query.markets(path, DAY + DAY_MS)["BTC"]
    assert pnl.day_fills == 0
    assert query.day_usd(pnl, 111.0) == Decimal(3)


def test_an_unknown_mark_is_none_and_a_flat_position_needs_none(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, YESTERDAY[0])
    held = query.markets(path)["BTC"]
    assert query.unrealized_usd(held, None) is None
    book(path, filled("-3", "101", start="3", at_ms=DAY - 4_000, fee="0"))
    flat = query.markets(path)["BTC"]
    assert query.unrealized_usd(flat, None) == Decimal(0)
    assert total_usd(flat, None) == Decimal("2.7")


def test_reconciled_means_the_venues_position_and_no_gap(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, YESTERDAY[0])
    pnl = query.markets(path)["BTC"]
    assert query.is_reconciled(pnl, Decimal("3.0"))
    assert not query.is_reconciled(pnl, Decimal(4))
    book(path, filled("1", "100", start="5", at_ms=DAY, fee="0"))
    assert not query.is_reconciled(query.markets(path)["BTC"], Decimal(6))


def test_equity_by_dex_with_the_days_start(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(
        path,
        Equity("hyna", "USDE", DAY - 1, Decimal(100), Decimal(90), Decimal(5)),
        Equity("hyna", "USDE", DAY + 99, Decimal(101), Decimal(91), Decimal(6)),
        Equity("", "USDC", DAY + 99, Decimal(7), Decimal(7), Decimal(0)),
    )
    dexes = query.dexes(path, DAY + 100)
    assert dexes["hyna"].account_value == Decimal(101)
    assert dexes["hyna"].day_open_account_value == Decimal(100)
    assert dexes[""].day_open_account_value is None


def test_no_ledger_yet_is_no_markets(tmp_path: Path) -> None:
    assert query.markets(tmp_path / "ledger.db") == {}
    assert query.dexes(tmp_path / "ledger.db", DAY) == {}
    assert query.state(tmp_path / "ledger.db") is None


def test_a_damaged_ledger_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 40)
    with pytest.raises(query.LedgerUnreadable, match="cannot be read"):
        query.markets(path)


def test_reading_goes_on_while_the_writer_is_in_its_transaction(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, *YESTERDAY)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE cursor SET seq = 99")
    assert query.markets(path)["BTC"].fills == 1
    state = query.state(path)
    assert state is not None
    assert state.seq == 3
    writer.execute("ROLLBACK")
    writer.close()
