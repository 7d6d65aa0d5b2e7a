"""The derivation of a quote: it adds up, names its gates, and asking changes nothing."""

import math

import msgspec
import pytest

from agents.events import LinkChanged, PauseChanged
from agents.handlers.explain import SideWhy
from agents.market.types import Side
from agents.market.units import BPS
from tests.unit.agents.driver import SETTINGS, holding, quoting


def adds_up(why: SideWhy) -> bool:
    half_bps = math.fsum(why.parts_bps.values())
    assert why.grid_bps is not None
    assert why.first_bps is not None
    first_bps = half_bps + why.inventory_bps + why.patience_bps + why.presence_bps + why.grid_bps
    return half_bps == pytest.approx(why.half_spread_bps, abs=1e-9) and first_bps == pytest.approx(
        why.first_bps, abs=1e-9
    )


@pytest.mark.parametrize("held", ["0", "3", "-20", "40"])
def test_each_sides_terms_add_up_to_its_price(held: str) -> None:
    driver = quoting(state=holding(held))
    told = driver.engine.explain(driver.now_ns)
    assert (told.phase, told.mode, told.gates) == ("QUOTING", "normal", ())
    assert told.centre_px is not None
    for side, why in ((Side.BID, told.bid), (Side.ASK, told.ask)):
        assert why is not None
        assert adds_up(why)
        assert why.first_bps is not None
        px = told.centre_px * (1 - side.sign * why.first_bps / BPS)
        assert px == pytest.approx(float(why.wanted[0].px), rel=1e-12)
        assert max(why.floors_bps.values()) == why.floors_bps[why.floor_highest]
        assert why.half_spread_bps >= why.floors_bps[why.floor_highest] - 1e-9
    assert told.skew is not None
    assert told.skew.inventory_clips * float(told.skew.clip_sz) == pytest.approx(float(held))
    standing = [order.px for order in told.resting["bid"]]
    assert standing == sorted(standing, reverse=True)


def test_aversion_is_its_base_times_its_factors() -> None:
    strategy = msgspec.structs.replace(
        SETTINGS.strategy,
        advanced=msgspec.structs.replace(SETTINGS.strategy.advanced, aversion_inventory=0.7),
    )
    settings = msgspec.structs.replace(SETTINGS, strategy=strategy)
    driver = quoting(settings=settings, state=holding("20"))
    averse = driver.engine.explain(driver.now_ns).aversion
    assert averse is not None
    assert averse.factors["inventory"] > 0
    factor = math.exp(sum(averse.factors.values()))
    assert averse.rho == pytest.approx(averse.base * factor)


def test_a_paused_market_says_its_gate_and_what_it_believes() -> None:
    driver = quoting()
    driver.tell(PauseChanged(paused=True))
    driver.pass_s(1.0)
    told = driver.engine.explain(driver.now_ns)
    assert told.phase == "PAUSED"
    assert "paused" in " ".join(told.gates)
    assert (told.bid, told.ask, told.priced_ago_ms) == (None, None, None)
    assert told.believed is not None
    assert told.resting == {"bid": (), "ask": ()}


def test_without_a_link_nothing_is_priced() -> None:
    driver = quoting()
    driver.tell(LinkChanged(state="gap", since_ms=driver.now_ms))
    told = driver.engine.explain(driver.now_ns)
    assert told.bid is None
    assert told.gates


def test_asking_changes_nothing() -> None:
    asked, unasked = quoting(), quoting()
    for _ in range(30):
        asked.engine.explain(asked.now_ns)
        for driver in (asked, unasked):
            driver.mid_px *= 1.0001
            driver.pass_s(0.2)
    assert asked.commands == unasked.commands
    assert asked.commands
