"""What a scrape shows: every declared name; values where they are known, nothing invented."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from agents.commands import Report, Worst
from agents.runtime.loops import LoopView
from agents.telemetry.insight import Insight, Tally
from agents.telemetry.timings import BOUNDS_S, empty
from fleet.gateway.api import CapsUse, DeadManView, RiskView
from fleet.ledger.query import MarketPnl
from fleet.metrics import of_insight, tables
from fleet.metrics.collect import text
from fleet.metrics.hour import Later
from fleet.metrics.seen import MarketSeen, Seen
from tests.unit.fleet.views import ALLOWANCE, LATCH, NOW_MS, dex_view, quoting, status, view

NAMES = sorted({
    row.name
    for table in (
        tables.MARKET, tables.MARKET_BY, tables.FLEET, tables.FLEET_BY, tables.DURATIONS
    )
    for row in table
})  # fmt: skip
ONE = Decimal(1)


def pnl() -> MarketPnl:
    numbers: dict[str, Any] = {
        field.name: ONE if "usd" in field.name or field.name.endswith("_sz") else 1
        for field in msgspec.structs.fields(MarketPnl)
    }
    return MarketPnl(**numbers | {"fills": 4, "day_open_mark_px": 90.0, "entry_px": ONE})


def hour() -> dict[tuple[str, int], Later]:
    """A buy that was worth 1 bp a minute later, before its fee, though the mid went 2 bps down."""
    return {("bid", 60): Later(notional_usd=1000.0, fees_usd=0.05, edge_usd=0.1, adverse_usd=-0.2)}


INSIGHT = Insight(
    tally=Tally(9, 4, 3, {"insufficient_margin": 2}, {"orphan": 1}, touch_s=6.0),
    unknown=("regime",), jump_ratio=1.5, regime="high", kappa_se_per_bps=0.05, fills_se_per_s=0.02,
    toxicity_share=0.1, cascade_share=0.3, excitement_ratio=2.0, depth_usd=(5e4, 6e4),
    trade_age_ms=900, parts_bps={"bid": {"model": 2.0, "fee": 1.5}}, quote_age_ms={"bid": 400},
)  # fmt: skip


def quiet() -> Seen:
    """Nothing known but that a market and a process are there."""
    gateway = status(view("hyna:BTC", mark_px=None, bid_px=None, data_age_ms=None), dexes=())
    return Seen(NOW_MS, gateway, tuple(MarketSeen(NOW_MS, each) for each in gateway.markets))


def lively() -> Seen:
    report = Report(
        phase="QUOTING", mid_px=100.0, fair_px=100.1, sigma_bps=2.0, fills_per_s=0.1,
        kappa_per_bps=0.3, position_sz=Decimal(2), half_spread_bps=3.0, model_half_spread_bps=2.0,
        unknown_orders=1, data_age_ms=20, quoting_due_s=10.0, quoting_up_s=9.0, requests=7,
        cross_bps=0.4, insight=INSIGHT,
        worst=Worst("reduce-only", "loss", "lost too much", {"lost_usd": 60.0}),
    )  # fmt: skip
    market = quoting(
        "hyna:BTC", report=report, report_ms=NOW_MS - 500, position_sz=Decimal(3),
        bids_sz=Decimal(1), asks_sz=Decimal(2), open_orders=2, fenced=True, fence_reason="kill",
    )  # fmt: skip
    allowance = msgspec.structs.replace(
        ALLOWANCE, left=900, burn_per_h=3.0, hours_to_empty=300.0, request_usd=1e-4, bought_usd=0.5
    )
    gateway = status(
        market, quoting("BTC"), link="down", link_since_ms=NOW_MS - 9_000, halt=LATCH,
        foreign_orders=1, unresolved=1, second_controller="x", unwritable="full", strain=("late",),
        venue_offset_ms=4.0, ip_weight_used_share=0.5, allowance=allowance, log_seq=5,
        dead_man=DeadManView("armed"), caps_use=CapsUse(10.0, 5.0, {}, {}), cautions={"clock": "x"},
        link_losses=2,
        risk=RiskView(1, NOW_MS - 1_000, 1_000, "reduce_only", "x"), refusals={"fenced": 3},
        dexes=(dex_view("hyna"),),
    )  # fmt: skip
    timing = empty()
    timing.note(0.002)
    loop = LoopView(
        pid=1, as_of_ms=NOW_MS, watched_s=9.0, worst_ms=140.0, worst_own_ms=1.0,
        minute_worst_ms=30.0, stalls=1, own_stalls=0, last=(),
        timings={durations.timing: timing for durations in tables.DURATIONS},
    )  # fmt: skip
    markets = (
        MarketSeen(NOW_MS, market, pnl(), hour()),
        MarketSeen(NOW_MS, gateway.markets[1]),
    )  # fmt: skip
    return Seen(NOW_MS, gateway, markets, 0.02, {"guard": True, "ray": False}, {"gateway": loop})


def samples(seen: Seen) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """By family: every sample with its labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text(seen).decode()):
        rows = found.setdefault(family.name, {})
        for sample in family.samples:
            rows[(("", sample.name), *sorted(sample.labels.items()))] = sample.value
    return found


def family(name: str) -> str:
    """A counter's family is named without its ending."""
    return name.removesuffix("_total")


@pytest.mark.parametrize("seen", [quiet(), lively(), Seen(NOW_MS, None)])
def test_each_declared_name_is_in_every_scrape(seen: Seen) -> None:
    body = text(seen).decode()
    assert [name for name in NAMES if f"# TYPE {name}" not in body.replace("_total ", " ") and
            f"# TYPE {family(name)}" not in body] == []  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_each_metric_moves(name: str) -> None:
    moved = samples(lively()).get(family(name))
    assert moved, "no sample where everything is known"
    still = (samples(quiet()), samples(Seen(NOW_MS, None)))
    assert any(moved != found.get(family(name), {}) for found in still)


def test_what_is_not_known_has_no_sample() -> None:
    found = samples(quiet())
    for name in ("mm_sigma", "mm_mid_price", "mm_spread_bps", "mm_quota_remaining"):
        assert found.get(name, {}) == {}


def test_a_market_is_named_by_market_dex_and_underlying() -> None:
    labels = {key for row in samples(lively())["mm_position"] for key in row}
    assert {("market", "hyna:BTC"), ("dex", "hyna"), ("market", "BTC"), ("dex", "")} <= labels
    assert {value for key, value in labels if key == "underlying"} == {"BTC"}


def test_markouts_are_in_bps_of_the_notional_and_adverse_is_what_was_lost() -> None:
    found = samples(lively())
    assert list(found["mm_fill_markout_bps"].values()) == [pytest.approx(1.0)]
    assert list(found["mm_adverse_selection_bps"].values()) == [pytest.approx(2.0)]


def test_an_edge_is_gross_and_net_of_fees() -> None:
    found = samples(lively())
    assert list(found["mm_gross_edge_bps"].values()) == [pytest.approx(1.0)]
    assert list(found["mm_net_edge_bps"].values()) == [pytest.approx(0.5)]


def test_the_parts_of_a_half_spread_are_all_there_and_add_up() -> None:
    parts = samples(lively())["mm_half_spread_part_bps"]
    assert len({dict(row)["component"] for row in parts}) == len(of_insight.PARTS)
    assert sum(parts.values()) == pytest.approx(3.5)


def test_kappas_interval_holds_kappa_and_is_not_below_zero() -> None:
    found = samples(lively())
    (low,), (high,) = found["mm_kappa_95_lower"].values(), found["mm_kappa_95_upper"].values()
    assert 0 < low < 0.3 < high
    assert high - low == pytest.approx(2 * 1.96 * 0.05)


def test_a_market_whose_agent_is_gone_tells_no_insight() -> None:
    seen = lively()
    market = seen.markets[0]
    view = msgspec.structs.replace(
        market.view, lease=msgspec.structs.replace(market.view.lease, owner="caretaker")
    )
    gone = msgspec.structs.replace(seen, markets=(MarketSeen(NOW_MS, view, market.pnl),))
    found = samples(gone)
    told = {row.name for row in of_insight.GAUGES} | {row.name for row in of_insight.LABELLED}
    assert [name for name in told if found[family(name)]] == []


def test_buckets_of_a_histogram_add_up() -> None:
    rows = samples(lively())["mm_ack_seconds"]
    buckets = {dict(row)["le"]: value for row, value in rows.items() if "le" in dict(row)}
    assert buckets["0.001"] == 0.0
    assert buckets["0.0025"] == buckets["+Inf"] == 1.0
    assert len(buckets) == len(BOUNDS_S) + 1


def test_what_a_name_may_not_hold_is_escaped_and_what_is_no_number_is_told_as_such() -> None:
    seen = lively()
    odd = 'a"b\\c\nd'
    assert seen.gateway is not None
    gateway = msgspec.structs.replace(
        seen.gateway,
        refusals={odd: 3},
        venue_offset_ms=float("inf"),
        ip_weight_used_share=float("nan"),
    )
    found = samples(msgspec.structs.replace(seen, gateway=gateway))
    assert any(("reason", odd) in row for row in found["mm_order_reject"])
    assert list(found["mm_venue_clock_offset_ms"].values()) == [float("inf")]
    (not_a_number,) = found["mm_ip_weight_used_ratio"].values()
    assert not_a_number != not_a_number
