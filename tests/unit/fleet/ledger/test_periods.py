"""P&L of periods: exact sums, their parts by hand, and nothing made up where data is missing."""

from decimal import Decimal
from pathlib import Path

import msgspec

from fleet.gateway.records import Filled, MarketSeen
from fleet.ledger import query
from fleet.ledger.periods import Period, periods
from tests.unit.fleet.ledger.test_query import DAY, TODAY, YESTERDAY, book, filled, total_usd

HOUR = 3_600_000


def at_mid(body: Filled, mid_px: float) -> Filled:
    return msgspec.structs.replace(body, mid_px=mid_px)


def one(path: Path, since_ms: int, until_ms: int) -> Period:
    (period,) = periods(path, (since_ms, until_ms))
    return period


def test_the_whole_is_what_status_shows(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, *YESTERDAY, *TODAY, MarketSeen("BTC", DAY + 20_000, 113.0, 115.0, 114.0))
    whole = one(path, DAY - 9 * HOUR, DAY + 30_000)
    pnl = query.markets(path)["BTC"]
    later = next(f for f in TODAY if not isinstance(f, Filled | MarketSeen))
    assert whole.total_usd is not None
    assert whole.total_usd + later.usdc == total_usd(pnl, 114.0), "but for funding still to come"
    assert (whole.fills, whole.fees_usd) == (2, Decimal("0.25"))


def test_periods_add_up_to_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, *YESTERDAY, *TODAY, MarketSeen("BTC", DAY + 70_000, 113.0, 115.0, 114.0))
    edges = (DAY - 9 * HOUR, DAY, DAY + 5_000, DAY + 80_000)
    parts = periods(path, edges)
    whole = one(path, edges[0], edges[-1])
    assert [part.fills for part in parts] == [1, 0, 1]
    totals = [part.total_usd for part in parts]
    assert sum(t for t in totals if t is not None) == whole.total_usd
    assert None not in totals
    assert parts[1].unrealized_usd == 3 * (112 - 110), "the mark moved, and nothing was traded"


def test_spread_inventory_and_basis_are_the_price_gain(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(
        path,
        at_mid(filled("2", "99", start="0", at_ms=DAY + 1_000, fee="0"), 100.0),
        at_mid(filled("-1", "105", start="2", at_ms=DAY + 2_000, fee="0"), 104.0),
        MarketSeen("BTC", DAY + 3_000, 106.0, 108.0, 107.5),
    )
    period = one(path, DAY, DAY + 4_000)
    assert period.spread_usd == 2 * 1 + 1 * 1
    assert period.inventory_usd == 2 * (104 - 100) + 1 * (107 - 104)
    assert period.basis_usd == Decimal("0.5")
    assert period.realized_usd + (period.unrealized_usd or 0) == 3 + 11 + Decimal("0.5")


def test_a_fill_without_a_mid_counts_as_one_at_the_mid_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, *TODAY[1:2], MarketSeen("BTC", DAY + 20_000, 113.0, 115.0, 114.0))
    period = one(path, DAY, DAY + 30_000)
    assert (period.spread_usd, period.without_mid) == (Decimal(0), 1)
    assert period.inventory_usd is not None
    assert period.total_usd is not None


def test_adverse_selection_is_the_mid_after_the_fill(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(
        path,
        at_mid(filled("2", "99", start="0", at_ms=DAY + 1_000, fee="0"), 100.0),
        *(
            MarketSeen("BTC", DAY + 1_000 + later_ms, mid_px - 1, mid_px + 1, mid_px)
            for later_ms, mid_px in ((999, 150.0), (1_100, 97.0), (10_000, 98.0), (66_000, 90.0))
        ),
    )
    period = one(path, DAY, DAY + 70_000)
    assert period.adverse_usd == {1: -6, 10: -4, 60: 0}, "at 60 s no mid was seen in time"
    assert period.edge_usd == {1: -4, 10: -2, 60: 0}
    assert period.marked_usd == {1: 198, 10: 198, 60: 0}


def test_a_mark_that_is_too_old_is_none(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    book(path, *TODAY[:2])
    late = one(path, DAY, DAY + HOUR)
    assert (late.unrealized_usd, late.total_usd) == (None, None)
    assert late.realized_usd == 0


def test_no_ledger_no_periods(tmp_path: Path) -> None:
    assert periods(tmp_path / "gone.db", (0, 1)) == []
