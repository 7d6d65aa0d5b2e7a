"""``fleet pnl``: sums by market, DEX and hour, and the times that ``--since`` takes."""

import csv
from decimal import Decimal

import pytest

from fleet.cli.failure import Failure
from fleet.cli.pnl import HOUR_MS, as_csv, edges, parsed, summed
from fleet.ledger.periods import Period

NOW = 1_800_000_000_000  # 2027-01-15T08:00Z


def period(market: str, since_ms: int = NOW, unrealized: str | None = "2") -> Period:
    return Period(
        market=market, since_ms=since_ms, until_ms=since_ms + 1, realized_usd=Decimal("1.5"),
        unrealized_usd=None if unrealized is None else Decimal(unrealized), fees_usd=Decimal("0.5"),
        funding_usd=Decimal(0), volume_usd=Decimal(100), fills=3, taker_fills=1,
        spread_usd=Decimal(1), inventory_usd=None, basis_usd=None,
    )  # fmt: skip


def test_by_market_and_by_dex() -> None:
    found = [period("BTC"), period("hyna:BTC"), period("hyna:ETH", unrealized=None)]
    rows = summed(found, "market")
    assert [(row["market"], row["total_usd"]) for row in rows] == [
        ("BTC", 3.0), ("hyna:BTC", 3.0), ("hyna:ETH", None),
    ]  # fmt: skip
    main_dex, hyna = summed(found, "dex")
    assert (main_dex["dex"], main_dex["fills"], main_dex["spread_usd"]) == ("", 3, 1.0)
    assert (hyna["dex"], hyna["total_usd"], hyna["realized_usd"], hyna["taker_fills"]) == (
        "hyna", None, 3.0, 2,
    )  # fmt: skip


def test_by_hour() -> None:
    rows = summed([period("BTC"), period("ETH"), period("BTC", NOW + HOUR_MS)], "hour")
    assert [(row["hour"], row["fills"]) for row in rows] == [
        ("2027-01-15T08:00Z", 6), ("2027-01-15T09:00Z", 3),
    ]  # fmt: skip


def test_as_csv_an_unknown_is_empty() -> None:
    (row,) = csv.DictReader(as_csv(summed([period("BTC")], "market"), "market").splitlines())
    assert (row["market"], row["total_usd"], row["inventory_usd"]) == ("BTC", "3.0", "")


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("30m", NOW - 1_800_000),
        ("24h", NOW - 24 * HOUR_MS),
        ("2d", NOW - 48 * HOUR_MS),
        ("today", NOW - 8 * HOUR_MS),
        ("2027-01-15T07:00", NOW - HOUR_MS),
        ("2027-01-15T08:00:00+01:00", NOW - HOUR_MS),
    ],
)
def test_since(text: str, ms: int) -> None:
    assert parsed(text, NOW) == ms


def test_a_since_that_is_no_time() -> None:
    with pytest.raises(Failure, match="--since soon: no time; write 24h") as caught:
        parsed("soon", NOW)
    assert caught.value.exit_code == 3


def test_hours_are_cut_at_full_hours() -> None:
    assert edges(NOW - HOUR_MS - 5, NOW + 5, "hour") == [
        NOW - HOUR_MS - 5, NOW - HOUR_MS, NOW, NOW + 6,
    ]  # fmt: skip
    assert edges(NOW - 5, NOW, "market") == [NOW - 5, NOW + 1]
    with pytest.raises(Failure, match="hours are too many"):
        edges(0, NOW, "hour")
