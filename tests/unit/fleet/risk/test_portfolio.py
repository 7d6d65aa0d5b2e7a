"""sqrt(x'Sigma*x), who adds to it, and what is not known counting as too much."""

import math

import numpy as np
import pytest

from fleet.risk.covariance import Covariance
from fleet.risk.portfolio import RHO_UNKNOWN, Holding, PortfolioRisk, portfolio_risk
from tests.unit.fleet.risk.test_covariance import watched

FOUND = watched(0.6, samples=720)


def risk(*held: Holding, covariance: Covariance = FOUND) -> PortfolioRisk:
    return portfolio_risk(held, covariance)


def holding(market: str, usd: float, underlying: str | None = None, **more: object) -> Holding:
    return Holding(market, underlying or market, usd, **more)  # type: ignore[arg-type]


def hour_usd(market: str, usd: float) -> float:
    return abs(usd) * (FOUND.sigma_bps(market) or 0.0) * 60.0 / 1e4


def test_one_market_is_its_own_volatility() -> None:
    found = risk(holding("M0", -1_000.0))
    assert found.risk_usd == pytest.approx(hour_usd("M0", 1_000.0))
    assert found.shares == {"M0": pytest.approx(1.0)}


def test_longs_add_up_and_a_hedge_takes_away() -> None:
    both = risk(holding("M0", 1_000.0), holding("M1", 1_000.0))
    hedged = risk(holding("M0", 1_000.0), holding("M1", -300.0))
    rho = FOUND.correlation(["M0", "M1"])[0, 1]
    a, b = hour_usd("M0", 1_000.0), hour_usd("M1", 1_000.0)
    assert both.risk_usd == pytest.approx(math.sqrt(a * a + b * b + 2 * rho * a * b))
    assert sum(both.shares.values()) == pytest.approx(1.0)
    assert hedged.risk_usd < hour_usd("M0", 1_000.0)
    assert hedged.shares["M1"] < 0 < hedged.shares["M0"]


def test_strangers_are_taken_to_move_against_us() -> None:
    news = holding("NEW", -1_000.0, sigma_bps=2.0)
    found = risk(holding("M0", 1_000.0), news)
    a, b = hour_usd("M0", 1_000.0), 1_000.0 * 2.0 * 60.0 / 1e4
    assert found.risk_usd == pytest.approx(math.sqrt(a * a + b * b + 2 * RHO_UNKNOWN * a * b))


def test_the_faster_of_two_volatilities_counts() -> None:
    assert risk(holding("M0", 1_000.0, sigma_bps=50.0)).risk_usd > hour_usd("M0", 1_000.0)
    assert risk(holding("M0", 1_000.0, sigma_bps=math.nan)).unknown == ()


def test_who_nobody_knows_is_named() -> None:
    found = risk(holding("NEW", 1_000.0), holding("M0", 0.0))
    assert found == PortfolioRisk(0.0, {}, None, ("NEW",))


def test_the_same_ticker_elsewhere_hedges_only_where_both_say_so() -> None:
    def pair(nets: bool, sign: float) -> float:
        return risk(
            holding("M0", 1_000.0, "BTC", nets=nets),
            holding("M1", sign * 1_000.0, "BTC", nets=nets),
        ).risk_usd

    a, b = hour_usd("M0", 1_000.0), hour_usd("M1", 1_000.0)
    assert pair(False, -1.0) == pytest.approx(math.hypot(a, b))
    assert pair(True, -1.0) < pair(False, -1.0)
    assert pair(True, 1.0) == pair(False, 1.0) == pytest.approx(a + b)


def test_net_by_beta_counts_a_lively_market_for_more() -> None:
    calm = risk(holding("M0", 1_000.0))
    lively = risk(holding("M0", 1_000.0, sigma_bps=20.0))
    assert calm.beta_net_usd is not None
    assert lively.beta_net_usd is not None
    assert lively.beta_net_usd > 5 * calm.beta_net_usd
    hedged = risk(holding("M0", 1_000.0), holding("M1", -1_000.0))
    assert abs(hedged.beta_net_usd or 1e9) < 0.3 * calm.beta_net_usd
    assert np.isfinite(calm.beta_net_usd)
