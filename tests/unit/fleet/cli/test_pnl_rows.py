"""The rows of ``fleet pnl``: sums by market, DEX and hour, in USD, with what the token gained."""

import csv
from decimal import Decimal

from fleet.cli.pnl_rows import as_csv, rows_of, sleepers
from fleet.ledger.edge import Edge
from fleet.ledger.periods import Period
from fleet.ledger.tokens import TokenPeriod

NOW = 1_800_000_000_000  # 2027-01-15T08:00Z
HOUR_MS = 3_600_000


def period(market: str, since_ms: int = NOW, unrealized: str | None = "2") -> Period:
    return Period(
        market=market, since_ms=since_ms, until_ms=since_ms + 1, realized_usd=Decimal("1.5"),
        unrealized_usd=None if unrealized is None else Decimal(unrealized), fees_usd=Decimal("0.5"),
        funding_usd=Decimal(0), volume_usd=Decimal(100), fills=3, taker_fills=1,
        spread_usd=Decimal(1), inventory_usd=None, basis_usd=None, without_mid=1,
        adverse_usd={1: Decimal(0), 10: Decimal(-1), 60: Decimal(-2)},
        edge_usd={1: Decimal(0), 10: Decimal(1), 60: Decimal("0.5")},
        marked_usd={1: Decimal(0), 10: Decimal(100), 60: Decimal(100)},
    )  # fmt: skip


def token(mark: str | None, gained: str | None) -> TokenPeriod:
    return TokenPeriod(
        dex="hyna", token="USDE", since_ms=NOW, until_ms=NOW + 1,
        mark_usd=None if mark is None else Decimal(mark),
        token_mark_usd=None if gained is None else Decimal(gained), moved=Decimal(0),
    )  # fmt: skip


def test_by_market_and_by_dex() -> None:
    found = [period("BTC"), period("hyna:BTC"), period("hyna:ETH", unrealized=None)]
    rows, whole = rows_of(found, [], "market")
    assert [(row["market"], row["total_usd"]) for row in rows] == [
        ("BTC", 3.0), ("hyna:BTC", 3.0), ("hyna:ETH", None),
    ]  # fmt: skip
    assert (whole["total_usd"], whole["fills"], whole["without_mid"]) == (None, 9, 3)
    (main_dex, hyna), _ = rows_of(found, [], "dex")
    assert (main_dex["dex"], main_dex["fills"], main_dex["spread_usd"]) == ("", 3, 1.0)
    assert (hyna["dex"], hyna["total_usd"], hyna["realized_usd"], hyna["taker_fills"]) == (
        "hyna", None, 3.0, 2,
    )  # fmt: skip


def test_a_market_earns_tokens_and_the_token_earns_dollars() -> None:
    found = [period("BTC"), period("hyna:BTC")]
    rows, whole = rows_of(found, [token("0.5", "-7")], "market")
    assert [(row["market"], row["total_usd"], row["token_mark_usd"]) for row in rows] == [
        ("BTC", 3.0, 0.0), ("hyna:(USDE)", -7.0, -7.0), ("hyna:BTC", 1.5, 0.0),
    ]  # fmt: skip
    assert whole["total_usd"] == 3.0 + 1.5 - 7.0
    (_, of_dex), _ = rows_of(found, [token("0.5", "-7")], "dex")
    assert (of_dex["dex"], of_dex["total_usd"]) == ("hyna", 1.5 - 7.0)


def test_a_token_whose_worth_is_not_known_leaves_its_dex_unknown() -> None:
    (main_dex, hyna), whole = rows_of(
        [period("BTC"), period("hyna:BTC")], [token(None, None)], "dex"
    )
    assert (main_dex["total_usd"], hyna["total_usd"], whole["total_usd"]) == (3.0, None, None)


def test_by_hour() -> None:
    rows, _ = rows_of([period("BTC"), period("ETH"), period("BTC", NOW + HOUR_MS)], [], "hour")
    assert [(row["hour"], row["fills"]) for row in rows] == [
        ("2027-01-15T08:00Z", 6), ("2027-01-15T09:00Z", 3),
    ]  # fmt: skip


def test_markouts_are_bps_of_what_was_marked() -> None:
    (row,), _ = rows_of([period("BTC")], [], "market")
    assert (row["adverse_60s_usd"], row["markout_10s_bps"], row["markout_60s_bps"]) == (
        -2.0, 100.0, 50.0,
    )  # fmt: skip
    assert row["markout_1s_bps"] is None


def test_as_csv_an_unknown_is_empty() -> None:
    rows, _ = rows_of([period("BTC")], [], "market")
    (row,) = csv.DictReader(as_csv(rows, "market").splitlines())
    assert (row["market"], row["total_usd"], row["inventory_usd"]) == ("BTC", "3.0", "")


def test_a_market_that_loses_is_proposed_for_sleep() -> None:
    losing = Edge("loses", 80, 40, -2.0, -3.5, -0.5)
    told = list(sleepers({"BTC": losing, "ETH": Edge("unproven", 80, 40, -1.0, -3.0, 1.0)}))
    (text,) = told
    assert text == (
        "BTC loses by its fills: -2.00 bps a minute after a fill, net of fees (-3.50 to -0.50, "
        "80 fills); put it to sleep: fleet drain BTC"
    )
