"""When a rollout counts as done: every market has quoted, whatever it does afterwards."""

from typing import Any

from fleet.cli.wait import Arrivals


def row(market: str, phase: str, reason: str | None = None) -> dict[str, Any]:
    facts = {"market": market, "phase": phase, "reason": reason}
    return {**facts, "sync": "synced", "open_orders": 0}


def test_each_change_of_phase_is_told_once() -> None:
    arrivals = Arrivals(["BTC", "ETH"])
    assert arrivals.update([row("BTC", "BOOT"), row("SOL", "QUOTING")]) == ["BTC"]
    assert arrivals.update([row("BTC", "BOOT")]) == []
    assert arrivals.update([row("BTC", "QUOTING"), row("ETH", "WARMUP")]) == ["BTC", "ETH"]
    assert arrivals.missing == ["ETH"]


def test_a_market_that_fell_back_has_arrived() -> None:
    arrivals = Arrivals(["BTC"])
    arrivals.update([row("BTC", "QUOTING")])
    arrivals.update([row("BTC", "RECONCILING", "gap")])
    assert arrivals.missing == []
    assert arrivals.phases == {"BTC": "RECONCILING"}


def test_the_missing_are_named_with_their_reasons() -> None:
    arrivals = Arrivals(["BTC", "ETH"])
    arrivals.update([row("BTC", "WARMUP", "no sigma yet")])
    assert arrivals.told() == "BTC WARMUP (no sigma yet), ETH not started"


def test_quoting_by_an_older_revision_is_no_arrival() -> None:
    arrivals = Arrivals(["BTC"])
    arrivals.update([{**row("BTC", "QUOTING"), "sync": "out-of-sync"}])
    assert arrivals.missing == ["BTC"]


def test_reducing_counts_with_an_order_only() -> None:
    arrivals = Arrivals(["BTC", "ETH"])
    arrivals.update([row("BTC", "REDUCING"), {**row("ETH", "REDUCING"), "open_orders": 3}])
    assert arrivals.missing == ["BTC"]


def test_what_waits_for_a_canary_has_to_arrive_anew() -> None:
    arrivals = Arrivals(["BTC", "ETH"])
    arrivals.update([row("BTC", "QUOTING"), row("ETH", "QUOTING")])
    arrivals.hold(["ETH"])
    arrivals.update([row("ETH", "QUOTING")])
    assert arrivals.missing == ["ETH"]
    arrivals.hold([])
    assert arrivals.missing == ["ETH"], "what it quoted was the old"
    arrivals.update([row("ETH", "QUOTING")])
    assert arrivals.missing == []
    assert arrivals.count == 2
