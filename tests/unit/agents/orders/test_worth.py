"""What a request is worth: the drift at which loss and requests together cost least."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.orders.worth import REPLACE_REQUESTS, drift_bps, placing_usd, worth_placing

MARKET = {"sigma_bps": 1.2, "rate_per_s": 0.02, "kappa_per_bps": 0.2, "notional_usd": 400.0}
positive = st.floats(1e-4, 1e3)


@given(price=st.floats(1e-9, 5e-4), dearer=st.floats(1.0, 100.0), sigma=positive, rate=positive,
       kappa=st.floats(0.01, 5.0), notional=st.floats(10.0, 1e5))  # fmt: skip
def test_dearer_requests_let_orders_drift_further(
    price: float, dearer: float, sigma: float, rate: float, kappa: float, notional: float
) -> None:
    def drift(price_usd: float) -> float:
        return drift_bps(
            price_usd=price_usd, sigma_bps=sigma, rate_per_s=rate, kappa_per_bps=kappa,
            notional_usd=notional,
        )  # fmt: skip

    assert 0.0 < drift(price) <= drift(price * dearer)
    assert drift(16 * price) == pytest.approx(2 * drift(price))


def test_free_requests_leave_no_drift_and_no_fills_leave_any() -> None:
    assert drift_bps(price_usd=0.0, **MARKET) == 0.0
    assert drift_bps(price_usd=1e-4, **{**MARKET, "rate_per_s": 0.0}) == math.inf
    assert drift_bps(price_usd=1e-4, **{**MARKET, "sigma_bps": 0.0}) == 0.0


def test_the_loss_over_a_life_is_what_the_requests_cost() -> None:
    drift = drift_bps(price_usd=3e-4, **MARKET)
    h = MARKET["rate_per_s"] * MARKET["kappa_per_bps"] / 2 * MARKET["notional_usd"] / 1e4
    lost_usd = h * drift**4 / (6 * MARKET["sigma_bps"] ** 2)
    assert lost_usd == pytest.approx(REPLACE_REQUESTS * 3e-4)


def test_no_other_drift_costs_less_a_second() -> None:
    """A walk, followed at several thresholds: loss and requests together are least near D."""
    price_usd, rng = 3e-4, random.Random(3)
    best = drift_bps(price_usd=price_usd, **MARKET)
    h = MARKET["rate_per_s"] * MARKET["kappa_per_bps"] / 2 * MARKET["notional_usd"] / 1e4
    shares = (0.4, 0.6, 1.0, 1.6, 2.5)
    off, cost_usd = dict.fromkeys(shares, 0.0), dict.fromkeys(shares, 0.0)
    step_s = 0.1
    for _ in range(60_000):
        step = rng.gauss(0.0, MARKET["sigma_bps"] * math.sqrt(step_s))
        for share in shares:
            off[share] += step
            cost_usd[share] += h * off[share] ** 2 * step_s
            if abs(off[share]) >= share * best:
                off[share] = 0.0
                cost_usd[share] += REPLACE_REQUESTS * price_usd
    assert min(cost_usd, key=lambda share: cost_usd[share]) == 1.0


def test_a_level_that_fills_too_rarely_is_not_placed_but_the_first_always_is() -> None:
    values = [
        placing_usd(
            distance_bps=distance, drift_bps=2.0, sigma_bps=1.0, fills_per_s=0.05,
            kappa_per_bps=0.3, notional_usd=400.0,
        )
        for distance in (5.0, 10.0, 20.0, 40.0)
    ]  # fmt: skip
    assert values == sorted(values, reverse=True)
    assert [worth_placing(values, price) for price in (0.0, values[2] * 0.9, values[1], 1.0)] == [
        4, 3, 1, 1,
    ]  # fmt: skip
