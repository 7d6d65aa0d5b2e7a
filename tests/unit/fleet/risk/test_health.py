"""Collateral off its peg and blindness: who only reduces then."""

from agents.commands import Report
from fleet.gateway.api import DexView, MarketView
from fleet.manifests.spec import DexSpec
from fleet.risk.directives import one_round
from fleet.risk.health import STALE_MS, blind, depegged
from tests.unit.fleet.views import NOW_MS, dex_view, fleet_risk, status, view


def stale(market: str, age_ms: int, agent_age_ms: int | None = None) -> MarketView:
    report = Report(phase="QUOTING", data_age_ms=age_ms if agent_age_ms is None else agent_age_ms)
    return view(market, report=report, report_ms=NOW_MS, data_age_ms=age_ms)


def two_dexes(mark: float) -> tuple[DexView, ...]:
    return dex_view(), dex_view("hyna", token="USDE", token_mark_usd=mark)


def test_collateral_off_its_peg_reduces_its_dex_alone() -> None:
    seen = status(view("BTC"), view("hyna:ETH"), dexes=two_dexes(0.985))
    done = one_round(seen, fleet_risk(), None, 1, NOW_MS)
    assert {m: row.mode for m, row in done.put.directives.items()} == {
        "BTC": "normal", "hyna:ETH": "reduce_only"
    }  # fmt: skip
    assert "USDE" in done.put.directives["hyna:ETH"].reason
    assert done.put.state == "reduce_only"
    assert "150 bps" in done.put.reason


def test_each_dex_has_its_own_patience() -> None:
    seen = status(view("hyna:ETH"), dexes=two_dexes(1.015))
    assert list(depegged(seen, {})) == ["hyna"]
    assert depegged(seen, {"hyna": DexSpec(collateral_depeg_max_bps=200.0)}) == {}
    assert depegged(status(dexes=(dex_view(token_mark_usd=None),)), {}) == {}


def test_a_quorum_of_stale_markets_reduces_all() -> None:
    old = STALE_MS + 1
    seen = status(stale("BTC", old), stale("ETH", old), stale("SOL", 10))
    told = blind(seen)
    assert told is not None
    assert "2 of 3" in told
    done = one_round(seen, fleet_risk(), None, 1, NOW_MS)
    assert {row.mode for row in done.put.directives.values()} == {"reduce_only"}


def test_fewer_or_unwatched_or_seen_by_one_of_two_is_no_quorum() -> None:
    old = STALE_MS + 1
    assert blind(status(stale("BTC", old), stale("ETH", 10), stale("SOL", 10))) is None
    assert blind(status(stale("BTC", old))) is None
    assert blind(status(view("BTC", data_age_ms=old), view("ETH", data_age_ms=old))) is None
    assert blind(status(stale("BTC", old, 10), stale("ETH", old, 10))) is None
