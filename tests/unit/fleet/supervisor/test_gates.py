"""A canary's gates: what fails it, what does not, and what too few fills leave open."""

from typing import Any

import msgspec
import pytest

from agents.commands import Report
from fleet.gateway.api import MarketView
from fleet.manifests.spec import RolloutGates
from fleet.supervisor.gates import (
    Evidence,
    SeenFill,
    Watch,
    begun,
    conclusive,
    failures,
    followed,
    markout,
)
from tests.unit.fleet.views import NOW_MS, quoting

GATES = RolloutGates()


def canary(**report: Any) -> MarketView:
    return quoting("BTC", report=Report(phase="QUOTING", half_spread_bps=4.0, **report))


def started() -> Watch:
    watch = begun(canary(), NOW_MS)
    assert watch is not None
    return watch


def fill(at_s: float, earned_bps: float, **changed: Any) -> SeenFill:
    """100 USD bought at the mark of 100 without a fee; ten seconds later it is worth so much."""
    made = SeenFill(NOW_MS + round(at_s * 1_000), 1, 100.0, 1.0, 0.0, crossed=False,
                    later_px=100.0 + earned_bps / 100)  # fmt: skip
    return msgspec.structs.replace(made, **changed)


def fills(count: int, *earned_bps: float) -> tuple[SeenFill, ...]:
    return tuple(fill(at * 5, earned_bps[at % len(earned_bps)]) for at in range(count))


@pytest.mark.parametrize(
    ("seen", "evidence", "words"),
    [
        (canary(), Evidence(), None),
        (canary(), Evidence(fills=(fill(1, 0, crossed=True),)), "1 taker fills, more than 0"),
        (canary(requests=40), Evidence(rejected=4), None),
        (canary(requests=40), Evidence(rejected=5), "5 orders refused in 40 requests, more than 5"),
        (canary(requests=200), Evidence(rejected=5), None),
        (canary(requests=30), Evidence(post_only=14), None),
        (canary(requests=30), Evidence(post_only=20), "20 orders refused as crossing in 30"),
        (canary(quoting_due_s=50.0), Evidence(), None),
        (canary(quoting_due_s=100.0, quoting_up_s=70.0), Evidence(), "quoted 70% of its time"),
        (canary(quoting_due_s=100.0, quoting_up_s=90.0), Evidence(), None),
        (canary(), Evidence(fills=(fill(1, 0, px=119.0),)), None),
        (canary(), Evidence(fills=(fill(1, 0, px=121.0),)), "lost 21.00 USD, more than 2.0%"),
        (quoting("BTC", drift="ledger 1, venue 2"), Evidence(), "drift: ledger 1, venue 2"),
    ],
)
def test_gates(seen: MarketView, evidence: Evidence, words: str | None) -> None:
    told = failures(started(), seen, evidence, GATES, NOW_MS + 1_000)
    if words is None:
        assert told == []
    else:
        assert len(told) == 1
        assert told[0].startswith(words)


@pytest.mark.parametrize(
    ("gates", "seen", "evidence"),
    [
        (RolloutGates(taker_fills_max=1), canary(), Evidence(fills=(fill(1, 0, crossed=True),))),
        (RolloutGates(rejects_max_share=0.2), canary(requests=40), Evidence(rejected=5)),
        (RolloutGates(post_only_max_share=0.9), canary(requests=30), Evidence(post_only=20)),
        (
            RolloutGates(uptime_min_share=0.6),
            canary(quoting_due_s=100.0, quoting_up_s=70.0),
            Evidence(),
        ),
        (RolloutGates(loss_max_share=0.05), canary(), Evidence(fills=(fill(1, 0, px=121.0),))),
    ],
)
def test_each_gate_is_as_wide_as_it_is_set(
    gates: RolloutGates, seen: MarketView, evidence: Evidence
) -> None:
    assert failures(started(), seen, evidence, GATES, NOW_MS + 1_000)
    assert not failures(started(), seen, evidence, gates, NOW_MS + 1_000)


def test_a_spread_below_the_fee_fails_after_a_few_seconds() -> None:
    thin = quoting("BTC", report=Report(phase="QUOTING", half_spread_bps=1.2))
    watch = followed(started(), thin, NOW_MS + 1_000)
    assert not failures(watch, thin, Evidence(), GATES, NOW_MS + 2_000)
    told = failures(watch, thin, Evidence(), GATES, NOW_MS + 6_000)
    assert told == ["its half-spread of 1.20 bps is below the fee, 1.50"]
    assert followed(watch, canary(), NOW_MS + 6_000).thin_ms is None, "it was for a moment"


def test_an_agent_that_begins_anew_counts_from_zero() -> None:
    watch = msgspec.structs.replace(started(), due_s=500.0, up_s=500.0, requests=900)
    seen = canary(quoting_due_s=10.0, quoting_up_s=10.0, requests=50)
    watch = followed(watch, seen, NOW_MS)
    assert (watch.due_s, watch.up_s, watch.requests) == (0.0, 0.0, 0)


def test_markouts_below_zero_beyond_doubt_fail() -> None:
    losing = Evidence(fills=fills(60, -3.0, -1.0, -2.0, -4.0, 1.0))
    told = failures(started(), canary(), losing, GATES, NOW_MS)
    assert len(told) == 1
    assert told[0].startswith("markout after 10 s less fees: -1.80 bps over 60 fills")
    assert conclusive(losing)


@pytest.mark.parametrize("count", [10, 49])
def test_too_few_fills_leave_it_open(count: int) -> None:
    few = Evidence(fills=fills(count, -3.0, -1.0, -2.0))
    assert not conclusive(few)
    assert not failures(started(), canary(), few, GATES, NOW_MS)


def test_what_may_be_chance_does_not_fail() -> None:
    unclear = Evidence(fills=fills(60, -9.0, -8.0, 9.0, 6.0))
    assert conclusive(unclear)
    assert not failures(started(), canary(), unclear, GATES, NOW_MS)


def test_a_fee_counts_and_a_fill_without_a_later_mid_does_not() -> None:
    paid = fill(0, 5.0, fee_usd=0.02)
    assert markout([paid]).mean_bps == pytest.approx(3.0)
    assert markout([paid, fill(5, -99, later_px=None)]).fills == 1
