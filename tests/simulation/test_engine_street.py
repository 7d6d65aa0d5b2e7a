"""Lively markets, 250 ms to the venue and back: both sides stay quoted, at few requests."""

import pytest

from agents.market.types import Coin
from tests.simulation.quoting_street import LEVERAGE, MARGIN_USD, Street

SEEDS = (1, 2, 3)
SECONDS = 90.0


@pytest.fixture(scope="module")
def streets() -> list[Street]:
    streets = [Street(seed) for seed in SEEDS]
    for street in streets:
        street.run(SECONDS)
    return streets


@pytest.mark.parametrize("coin", MARGIN_USD)
def test_each_market_shows_both_sides_as_the_venue_sees_it(
    streets: list[Street], coin: str
) -> None:
    desks = [street.desks[Coin(coin)] for street in streets]
    assert sum(d.up_s for d in desks) >= 0.945 * sum(d.due_s for d in desks)
    assert sum(d.due_s for d in desks) > 0.8 * len(SEEDS) * SECONDS


def test_quoting_costs_few_requests_and_pays(streets: list[Street]) -> None:
    desks = [desk for street in streets for desk in street.desks.values()]
    market_s = len(desks) * SECONDS
    assert sum(desk.actions for desk in desks) < 1.5 * market_s
    # A side that an expected move runs into retreats, and a small position waits for a price that
    # pays: fewer fills than the 300 of a maker who stays.
    assert sum(desk.fills for desk in desks) > 200
    assert sum(s.pnl_usd(coin) for s in streets for coin in s.desks) > 0


def test_the_engine_counts_its_uptime_as_the_venue_does(streets: list[Street]) -> None:
    for street in streets:
        for desk in street.desks.values():
            report = desk.engine.report(street.now_ns)
            own = report.quoting_up_s / report.quoting_due_s
            assert own == pytest.approx(desk.uptime_share, abs=0.03)
            assert report.taker_fills == 0


def test_inventory_stays_far_from_its_limit(streets: list[Street]) -> None:
    for street in streets:
        for coin, desk in street.desks.items():
            held_usd = abs(float(desk.engine.state.position.sz)) * street.flow.prices.px[coin]
            assert held_usd < 0.6 * MARGIN_USD[coin] * LEVERAGE
