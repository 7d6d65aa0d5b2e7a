"""The hour's worth by side and horizon: of our own fills, of those whose mids were seen."""

from pathlib import Path

import pytest

from fleet.ledger.schema import open_writer
from fleet.metrics.hour import Later, hours

NOW_MS = 1_750_000_000_000
FILL = (
    "INSERT INTO fill VALUES ('BTC', ?, ?, 1, NULL, ?, ?, ?, ?, 'USDC', 0, '0', '0', ?, ?, 1,"
    " ?, NULL, ?)"
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    db = open_writer(str(path))
    rows = (
        # age s, tid, side, px, sz, fee, ours, mid, mid 1 s, mid 60 s
        (7_200, 1, "B", "100", "1", "0.1", 1, 101.0, 102.0, 103.0),  # too old
        (600, 2, "B", "100", "2", "0.1", 1, 100.5, 100.4, 99.0),
        (500, 3, "A", "101", "1", "0.2", 1, 100.5, 100.6, None),
        (400, 4, "A", "101", "3", "0.3", 1, 100.5, 100.0, 99.5),
        (300, 5, "A", "101", "9", "9", 0, 100.5, 100.0, 99.5),  # not ours
        (200, 6, "A", "101", "9", "9", 1, None, 100.0, 99.5),  # its mid was not seen
    )
    for age_s, *row in rows:
        db.execute(FILL, (NOW_MS - age_s * 1_000, *row))
    db.close()
    return path


def told(later: Later) -> tuple[float, ...]:
    return (later.notional_usd, later.fees_usd, later.edge_usd, later.adverse_usd)


def test_each_side_and_horizon_by_hand(ledger: Path) -> None:
    hour = hours(ledger, ["BTC", "ETH"], NOW_MS)["BTC"]
    assert set(hour) == {("bid", 1), ("bid", 60), ("ask", 1), ("ask", 60)}
    assert told(hour["bid", 1]) == pytest.approx((200.0, 0.1, 0.8, -0.2))
    assert told(hour["bid", 60]) == pytest.approx((200.0, 0.1, -2.0, -3.0))
    assert told(hour["ask", 1]) == pytest.approx((404.0, 0.5, 3.4, 1.4))
    assert told(hour["ask", 60]) == pytest.approx((303.0, 0.3, 4.5, 3.0))


def test_a_market_without_fills_and_a_fleet_without_a_ledger_show_none(
    ledger: Path, tmp_path: Path
) -> None:
    assert hours(ledger, ["ETH"], NOW_MS) == {}
    assert hours(tmp_path / "none.db", ["BTC"], NOW_MS) == {}
