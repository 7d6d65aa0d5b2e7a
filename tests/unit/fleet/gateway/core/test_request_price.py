"""The price of a request: within its bounds, rising with what is spent, and it holds."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fleet.gateway.core.request_price import (
    FREE,
    HORIZON_H,
    PACE_MAX_S,
    PRICE_MAX_USD,
    Governor,
    Seen,
    Terms,
    allowed_per_h,
    of_weight,
    scarcer,
    terms,
)

SEEN = Seen(free=10_000, spent_per_h=0.0, earned_per_h=0.0, bought_per_h=0.0, markets=5)


@given(st.floats(0, 2), st.floats(0, 2), st.floats(1, 1e6), st.integers(0, 100))
def test_scarcer_is_dearer_slower_and_shorter(
    one: float, other: float, allowed: float, markets: int
) -> None:
    loose, tight = (terms(x, allowed, markets) for x in sorted((one, other)))
    assert 0.0 <= loose.request_usd <= tight.request_usd <= PRICE_MAX_USD
    assert 0.0 <= loose.pace_s <= tight.pace_s <= PACE_MAX_S
    assert 0.0 < tight.levels_share <= loose.levels_share <= 1.0


@given(
    st.lists(
        st.tuples(st.integers(-50, 100_000), st.floats(0, 1e6), st.floats(0, 1e6)), max_size=20
    )
)
def test_its_tightness_stays_within_its_bounds(rows: list[tuple[int, float, float]]) -> None:
    governor = Governor()
    for at, (free, spent, earned) in enumerate(rows):
        seen = msgspec.structs.replace(SEEN, free=free, spent_per_h=spent, earned_per_h=earned)
        before = governor.tightness
        governor.step(seen, at * 1_000)
        assert 0.0 <= governor.tightness <= 2.0
        if at and spent > allowed_per_h(seen) and before < 1.0:
            assert governor.tightness >= before
        if at and spent < allowed_per_h(seen):
            assert governor.tightness <= before


def test_requests_are_free_while_the_allowance_grows() -> None:
    governor = Governor()
    growing = msgspec.structs.replace(SEEN, spent_per_h=1_000.0, earned_per_h=9_000.0)
    for second in range(1_200):
        told = governor.step(growing, second * 1_000)
    assert told == FREE


def test_a_fleet_that_answers_the_price_lasts_the_horizon() -> None:
    """Spending falls with the price as the quote rule's does, a half power: within two hours it is
    what is allowed.
    """
    governor, free, spent_per_h = Governor(), 10_000.0, 40_000.0
    for second in range(7_200):
        seen = msgspec.structs.replace(SEEN, free=int(free), spent_per_h=spent_per_h)
        told = governor.step(seen, second * 1_000)
        wanted = 40_000.0 * min(1.0, (1e-8 / max(told.request_usd, 1e-12)) ** 0.5)
        wanted = min(wanted, 5 * 4 * 3_600 / told.pace_s) if told.pace_s else wanted
        spent_per_h += (wanted - spent_per_h) / 60.0
        free -= spent_per_h / 3_600.0
    assert free > 5_000
    assert spent_per_h < 2.0 * free / HORIZON_H


def test_the_weight_of_an_ip_is_held_within_minutes_and_free_again_soon() -> None:
    """Forty markets that would spend twice as much; they answer the price by half a power."""
    governor, allowed, spent_per_h = of_weight(), 43_200.0, 0.0
    for second in range(600):
        told = governor.hold(spent_per_h, allowed, 40, second * 1_000)
        wanted = 90_000.0 * min(1.0, (1e-7 / max(told.request_usd, 1e-12)) ** 0.5)
        wanted = min(wanted, 40 * 4 * 3_600 / told.pace_s) if told.pace_s else wanted
        spent_per_h += (wanted - spent_per_h) / 60.0
        if second > 300:
            assert spent_per_h < 1.25 * allowed
    for second in range(600, 1_200):
        told = governor.hold(1_000.0, allowed, 40, second * 1_000)
    assert told == FREE


def test_of_two_scarcities_each_is_kept() -> None:
    price, pace = Terms(1e-4, 0.0, 1.0), Terms(1e-5, 3.0, 0.5)
    assert scarcer(price, pace) == scarcer(pace, price) == Terms(1e-4, 3.0, 0.5)
    assert scarcer(price, FREE) == price
