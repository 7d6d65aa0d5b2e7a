"""The model's table in small: the portfolio's quotes hold less risk where flow leans one way."""

import numpy as np
import pytest

from fleet.backtest.crossing import FLOWS, MARKETS, Flow, gamma, play, table


def test_gamma_is_the_portfolios_or_each_markets_own() -> None:
    local, cross = gamma(cross=False), gamma(cross=True)
    assert np.count_nonzero(local) == MARKETS
    assert np.all(cross > 0)
    assert local[0, 0] / cross[0, 0] == pytest.approx(1.31, abs=0.01)


def test_where_flow_is_common_the_portfolio_halves_its_deviation() -> None:
    chance = [np.random.default_rng([3, row]) for row in range(len(FLOWS))]
    rows = table(chance, paths=40, seconds=400.0)
    assert [row[0].flow for row in rows] == [flow.name for flow in FLOWS]
    for alone, cross in rows[1:]:
        assert cross.variance < 0.6 * alone.variance
        assert cross.drawdown_mean < alone.drawdown_mean
    assert rows[0][1].variance < rows[0][0].variance
    assert rows[1][0].ratio == pytest.approx(rows[1][0].mean / rows[1][0].sd)


def test_equal_chances_equal_outcomes() -> None:
    def once() -> object:
        chance = np.random.default_rng(1)
        return play(Flow("lean", 0.5), cross=True, chance=chance, paths=3, seconds=20.0)

    assert once() == once()
