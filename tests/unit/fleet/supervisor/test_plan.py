"""The plan of an apply: one line a market, none where nothing differs."""

import msgspec

from agents.settings import StrategySettings
from fleet.manifests.spec import FleetSpec
from fleet.supervisor.phases import Phase
from fleet.supervisor.plan import FLEET, merged, plan, plan_id
from fleet.supervisor.store import MarketRow
from tests.unit.fleet.views import fleet_risk, settings, spec


def row(market: str, *, desired: bool = True, phase: Phase = Phase.QUOTING) -> MarketRow:
    return MarketRow(market, desired, phase, "boom", 0, 0, 1)


def test_first_apply_starts_everything() -> None:
    steps = plan(None, {}, spec("BTC", "hyna:BTC"), {})
    assert [(s.market, s.kind) for s in steps] == [("BTC", "start"), ("hyna:BTC", "start")]


def test_the_same_manifest_again_is_no_change() -> None:
    current = spec("BTC", "ETH")
    rows = {m: row(m) for m in current.markets}
    assert plan(current, rows, spec("BTC", "ETH"), {}) == ()


def test_a_market_that_left_drains_if_it_holds_a_position() -> None:
    current, rows = spec("BTC", "ETH"), {"BTC": row("BTC"), "ETH": row("ETH")}
    held = plan(current, rows, spec("BTC"), {"ETH": True})
    flat = plan(current, rows, spec("BTC"), {"ETH": False})
    assert [(s.market, s.kind) for s in held] == [("ETH", "drain")]
    assert [(s.market, s.kind) for s in flat] == [("ETH", "remove")]


def test_a_market_that_is_gone_already_is_no_step() -> None:
    rows = {"BTC": row("BTC"), "ETH": row("ETH", desired=False, phase=Phase.STOPPED)}
    assert plan(spec("BTC"), rows, spec("BTC"), {}) == ()


def test_a_failed_market_is_started_again() -> None:
    rows = {"BTC": row("BTC", phase=Phase.FAILED)}
    (step,) = plan(spec("BTC"), rows, spec("BTC"), {})
    assert (step.kind, step.text) == ("start", "it failed: boom")


def test_a_changed_leaf_is_told_with_both_values() -> None:
    wanted = spec("BTC")
    changed = settings("BTC", strategy=StrategySettings(levels=2))
    wanted = msgspec.structs.replace(wanted, markets={"BTC": changed})
    (step,) = plan(spec("BTC"), {"BTC": row("BTC")}, wanted, {})
    assert (step.kind, step.text) == ("requote", "strategy.levels 5 -> 2")
    assert not step.raises_risk


def test_a_change_of_the_fleets_limits_is_a_step_of_its_own() -> None:
    wanted = spec("BTC", risk=fleet_risk(daily_loss_max_usd=900.0))
    (step,) = plan(spec("BTC"), {"BTC": row("BTC")}, wanted, {})
    assert (step.market, step.kind, step.raises_risk) == (FLEET, "hot", True)
    stopped = {"BTC": row("BTC", desired=False, phase=Phase.STOPPED)}
    fresh = plan(spec("BTC"), stopped, wanted, {})
    assert not any(step.raises_risk for step in fresh), "a fleet that is down starts as it is told"
    (back,) = plan(wanted, {"BTC": row("BTC")}, spec("BTC"), {})
    assert not back.raises_risk


def test_only_one_market_is_taken_from_a_manifest() -> None:
    current, wanted = (
        spec("BTC", "ETH"),
        spec("BTC", "SOL", risk=fleet_risk(drawdown_max_share=1.0)),
    )
    assert set(merged(current, wanted, "SOL").markets) == {"BTC", "ETH", "SOL"}
    assert merged(current, wanted, "SOL").risk == current.risk
    assert set(merged(current, wanted, "ETH").markets) == {"BTC"}
    assert merged(current, wanted, None) == wanted


def test_a_plan_is_named_by_where_it_starts_and_where_it_leads() -> None:
    names = {plan_id(1, spec("BTC")), plan_id(2, spec("BTC")), plan_id(1, spec("ETH"))}
    assert len(names) == 3
    assert plan_id(1, spec("BTC")) in names


def summed(*markets: str, **changed: float) -> FleetSpec:
    """A fleet whose limits are the sums over its markets, as where they are left out."""
    gross_usd = 3_000.0 * len(markets)
    limits = {
        "gross_notional_max_usd": gross_usd,
        "net_notional_max_usd": gross_usd,
        "underlying_gross_max_usd": gross_usd,
        "daily_loss_max_usd": 50.0 * len(markets),
    }
    return spec(*markets, risk=fleet_risk(**{**limits, **changed}))


def test_a_market_that_is_added_raises_the_sums_and_asks_for_nothing() -> None:
    rows = {"BTC": row("BTC")}
    steps = plan(summed("BTC"), rows, summed("BTC", "ETH"), {})
    assert not any(step.raises_risk for step in steps)


def test_a_limit_that_is_written_higher_is_a_raise_with_a_new_market_too() -> None:
    rows = {"BTC": row("BTC")}
    wanted = summed("BTC", "ETH", daily_loss_max_usd=400.0)
    assert any(step.raises_risk for step in plan(summed("BTC"), rows, wanted, {}))
