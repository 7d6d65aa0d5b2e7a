"""``fleet status -o json``: the contract's keys, the sums, the truth when parts are away."""

from decimal import Decimal

import msgspec
import pytest

from agents.commands import Report
from fleet.cli.observe import Store, StoreRow
from fleet.cli.status_json import status_json
from fleet.gateway.api import (
    Caps,
    CareView,
    DexView,
    LatchView,
    LeaseView,
)
from fleet.risk.baseline import Baseline
from tests.unit.fleet.cli.looks import (
    NOW_MS,
    ZERO,
    make_gateway,
    make_seen,
    make_view,
    stored,
)

FLEET_KEYS = {
    "fleet",
    "network",
    "url",
    "address",
    "revision",
    "halted",
    "halt",
    "as_of_ms",
    "supervisor",
    "gateway",
    "ledger",
    "risk",
    "account",
    "markets",
}
ACCOUNT_KEYS = {
    "as_of_ms",
    "stale",
    "equity_usd",
    "gross_notional_usd",
    "net_notional_usd",
    "pnl_day_usd",
    "drawdown_share",
    "allowance",
    "ip_weight_used_share",
    "dead_man",
    "foreign_orders",
    "dexes",
}
MARKET_KEYS = {
    "market",
    "asset",
    "dex",
    "sync",
    "owner",
    "phase",
    "reason",
    "as_of_ms",
    "stale",
    "position_sz",
    "position_usd",
    "entry_px",
    "mark_px",
    "pnl",
    "pnl_day_usd",
    "open_orders",
    "bid_px",
    "ask_px",
    "half_spread_bps",
    "fills",
    "taker_fills",
    "volume_usd",
    "quote_uptime_share",
    "data_age_ms",
    "restarts",
    "pid",
}
PNL_KEYS = {
    "since_ms",
    "total_usd",
    "realized_usd",
    "unrealized_usd",
    "fees_usd",
    "funding_usd",
    "reconciled",
}


def test_every_key_of_the_contract_is_there() -> None:
    document = status_json(make_seen(make_gateway(make_view())))
    assert set(document) >= FLEET_KEYS
    assert set(document["account"]) >= ACCOUNT_KEYS
    allowance = document["account"]["allowance"]
    assert (allowance["left"], allowance["burn_per_h"]) == (9_000, 450)
    assert allowance["hours_to_empty"] == 20
    assert document["account"]["dead_man"] == "ineligible"
    assert document["account"]["dead_man_reason"] == "volume"
    assert document["account"]["venue_strain"] == ["congested"]
    assert set(document["account"]["dexes"][0]) >= {"dex", "token", "balance", "margin_used"}
    assert set(document["risk"]) >= {"state", "directive_age_ms"}
    (row,) = document["markets"]
    assert set(row) >= MARKET_KEYS
    assert set(row["pnl"]) >= PNL_KEYS
    msgspec.json.encode(document)


def test_the_same_keys_when_everything_is_away() -> None:
    seen = make_seen(None, supervisor_down="Ray is gone", ledger_up=False, pnl={}, identity=None)
    document = status_json(seen)
    assert set(document) >= FLEET_KEYS
    assert set(document["account"]) >= ACCOUNT_KEYS
    assert set(document["markets"][0]) >= MARKET_KEYS
    assert set(document["markets"][0]["pnl"]) >= PNL_KEYS
    assert (document["supervisor"], document["gateway"]) == ("down", "down")
    assert document["account"]["stale"]


def test_a_quoting_market() -> None:
    document = status_json(make_seen(make_gateway(make_view())))
    (row,) = document["markets"]
    assert (row["market"], row["asset"], row["dex"]) == ("hyna:BTC", "BTC", "hyna")
    assert (row["sync"], row["owner"], row["phase"]) == ("synced", "agent", "QUOTING")
    assert (row["position_sz"], row["position_usd"]) == (0.3, 30.0)
    assert (row["bid_px"], row["ask_px"], row["pid"]) == (99.5, 100.5, 77)
    assert row["quote_uptime_share"] == 0.75
    assert document["flow"] == "lively"
    assert document["account"]["equity_usd"] == 1050.0
    assert document["account"]["gross_notional_usd"] == 30.0


def test_total_is_the_sum_of_the_printed_parts() -> None:
    pnl = status_json(make_seen(make_gateway(make_view())))["markets"][0]["pnl"]
    assert pnl["unrealized_usd"] == 1.5, "half a dollar is what the token is worth"
    assert pnl["total_usd"] == 2.375
    parts = pnl["realized_usd"] + pnl["unrealized_usd"] - pnl["fees_usd"] + pnl["funding_usd"]
    assert pnl["total_usd"] == pytest.approx(parts, abs=1e-9)
    assert pnl["reconciled"]


def test_a_position_that_the_ledger_does_not_have_is_not_reconciled() -> None:
    seen = make_seen(make_gateway(make_view(position_sz=Decimal("0.4"))))
    row = status_json(seen)["markets"][0]
    assert row["position_sz"] == 0.4
    assert not row["pnl"]["reconciled"]


def test_unknown_mark_is_not_zero() -> None:
    row = status_json(make_seen(make_gateway(make_view(mark_px=None))))["markets"][0]
    assert row["position_usd"] is None
    assert row["pnl"]["unrealized_usd"] is None
    assert row["pnl"]["total_usd"] is None
    assert row["pnl_day_usd"] is None


def test_gateway_down_shows_the_last_known_as_old() -> None:
    document = status_json(make_seen(None, now_ms=NOW_MS + 60_000))
    (row,) = document["markets"]
    assert row["stale"]
    assert (row["phase"], row["reason"]) == ("QUOTING", "gateway down: as last stored")
    assert row["position_sz"] == 0.3
    assert row["as_of_ms"] == NOW_MS
    assert row["sync"] == "out-of-sync"
    assert document["network"] == "paper"


@pytest.mark.parametrize(
    ("phase", "shown"), [("QUOTING", "BOOT"), ("FAILED", "FAILED"), ("PREFLIGHT", "PREFLIGHT")]
)
def test_without_an_agent_no_market_claims_to_quote(phase: str, shown: str) -> None:
    view = make_view(lease=LeaseView(owner="caretaker"))
    seen = make_seen(make_gateway(view), store=stored(phase))
    row = status_json(seen)["markets"][0]
    assert (row["phase"], row["owner"], row["sync"]) == (shown, "caretaker", "out-of-sync")
    assert row["bid_px"] is None


def test_after_a_gateways_restart_nobody_owns_a_market_until_its_agent_continues() -> None:
    view = make_view(lease=LeaseView(owner="none", generation=2, awaited=True), report=None)
    row = status_json(make_seen(make_gateway(view), store=stored("QUOTING")))["markets"][0]
    assert (row["phase"], row["owner"], row["pid"]) == ("BOOT", "none", None)
    assert "continue" in row["reason"]


@pytest.mark.parametrize(("given", "in_force"), [(4, 3), (4, 4), (3, 2)])
def test_an_older_revision_is_out_of_sync(given: int, in_force: int) -> None:
    lease = LeaseView(owner="agent", generation=2, pid=77, revision=in_force)
    seen = make_seen(make_gateway(make_view(revision=given, lease=lease)))
    assert status_json(seen)["markets"][0]["sync"] == "out-of-sync"


def test_halt_is_told_with_reason_and_moment() -> None:
    latch = LatchView(reason="enough", by="me", at_ms=0)
    view = make_view(lease=LeaseView(owner="caretaker"))
    document = status_json(make_seen(make_gateway(view, halt=latch)))
    assert document["halted"]
    assert document["halt"]["reason"] == "enough"
    assert document["halt"]["at"].startswith("1970-01-01T00:00:00")
    assert document["markets"][0]["phase"] == "HALTED"


def test_equity_is_not_known_while_a_held_token_has_no_mark() -> None:
    held = DexView("hyna", "USDE", None, NOW_MS, Decimal(5), Decimal(5), ZERO)
    empty = DexView("flx", "USDH", None, NOW_MS, ZERO, ZERO, ZERO)
    main = DexView("", "USDC", 1.0, NOW_MS, Decimal(7), Decimal(7), ZERO)
    assert status_json(make_seen(make_gateway(dexes=(main, empty))))["account"]["equity_usd"] == 7.0
    assert status_json(make_seen(make_gateway(dexes=(main, held))))["account"]["equity_usd"] is None


def test_one_market_alone() -> None:
    btc = make_view(market="BTC")
    document = status_json(make_seen(make_gateway(btc, make_view())), "BTC")
    assert [row["market"] for row in document["markets"]] == ["BTC"]


CARE = CareView(
    do="reduce", cause="orphan", since_ms=1, generation=3, text="reduce in 37 s", busy=True
)


@pytest.mark.parametrize(
    ("phase", "busy", "shown"),
    [
        ("BOOT", True, "REDUCING"),
        ("BOOT", False, "BOOT"),
        ("FAILED", True, "FAILED"),
        ("DRAINING", True, "DRAINING"),
    ],
)
def test_what_the_caretaker_does_is_told(phase: str, busy: bool, shown: str) -> None:
    care = msgspec.structs.replace(CARE, busy=busy)
    view = make_view(lease=LeaseView(owner="caretaker"), report=None, care=care)
    document = status_json(make_seen(make_gateway(view), store=stored(phase, "why")))
    (row,) = document["markets"]
    assert (row["owner"], row["phase"]) == ("caretaker", shown)
    assert "the caretaker reduces the position (reduce in 37 s)" in row["reason"]
    assert ("why" in row["reason"]) == (phase in {"FAILED", "DRAINING"})


def test_drawdown_counts_from_the_peak_that_risk_saw() -> None:
    baseline = Baseline(day_ms=0, day_open_usd=1_000.0, peak_usd=2_100.0)
    document = status_json(make_seen(make_gateway(), baseline=baseline))
    assert document["account"]["equity_usd"] == 1_050.0
    assert document["account"]["drawdown_share"] == 0.5
    assert status_json(make_seen(make_gateway()))["account"]["drawdown_share"] is None


def test_alarms_of_the_gateway_are_told() -> None:
    gateway = make_gateway(second_controller="instance 0badc0", unwritable="no space left")
    warnings = status_json(make_seen(gateway))["warnings"]
    assert ["0badc0" in warnings[0], "no space left" in warnings[1]] == [True, True]


def test_why_the_supervisor_is_down_is_told() -> None:
    document = status_json(make_seen(make_gateway(), supervisor_down="Ray is gone"))
    assert (document["supervisor"], document["supervisor_reason"]) == ("down", "Ray is gone")


def test_a_market_that_drained_past_the_supervisor_is_not_one_that_begins() -> None:
    """The supervisor is away and still desires it; its agent has left, flat."""
    lease = LeaseView(owner="none", generation=2, pid=None, revision=None)
    view = make_view(draining=True, lease=lease, report=None, position_sz=ZERO, open_orders=0)
    seen = make_seen(make_gateway(view), supervisor_down="it hangs", store=stored("QUOTING"))
    (row,) = status_json(seen)["markets"]
    assert (row["phase"], row["reason"]) == ("DRAINING", "no agent any more")


def test_what_leaves_the_fleet_reducing_and_what_the_door_holds_is_told() -> None:
    base = make_gateway()
    stale = make_view(stale="bbo is crossed: 2 and 1")
    gateway = msgspec.structs.replace(
        base,
        markets=(stale,),
        cautions={"clock": "this host's clock is 3.0 s behind the venue's"},
        caps=Caps(gross_max_usd=1_000.0),
        refusals={"limit:gross": 3},
    )
    told = status_json(make_seen(gateway))
    assert any("this host's clock is 3.0 s" in line for line in told["warnings"])
    assert f"{stale.market}: bbo is crossed: 2 and 1" in told["warnings"]
    assert told["account"]["caps"]["gross_max_usd"] == 1_000.0
    assert told["account"]["refusals"] == {"limit:gross": 3}


def test_a_market_that_was_put_to_sleep_says_why() -> None:
    report = Report(phase="PAUSED", reason="paused")
    gateway = make_gateway(make_view(report=report, paused=True))
    store = Store(3, {"hyna:BTC": StoreRow(True, "PAUSED", "asleep: -2 bps", 0, 1, 3)})
    (row,) = status_json(make_seen(gateway, store=store))["markets"]
    assert (row["phase"], row["reason"]) == ("PAUSED", "asleep: -2 bps")
    old = Store(3, {"hyna:BTC": StoreRow(True, "QUOTING", None, 0, 1, 3)})
    (row,) = status_json(make_seen(gateway, store=old))["markets"]
    assert row["reason"] == "paused"
