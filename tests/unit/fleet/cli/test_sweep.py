"""A grid of settings: every combination, and a clear word where one cannot be."""

import pytest

from fleet.cli.failure import Failure
from fleet.cli.sweep import changed, grid
from tests.unit.fleet.views import spec


def test_every_combination_is_tried() -> None:
    assert grid(["strategy.levels=1,5", "strategy.risk_aversion=0.1"]) == [
        {"strategy.levels": 1, "strategy.risk_aversion": 0.1},
        {"strategy.levels": 5, "strategy.risk_aversion": 0.1},
    ]


def test_every_market_is_changed_and_nothing_else() -> None:
    before = spec("BTC", "ETH")
    after = changed(before, {"strategy.levels": 3})
    assert {each.strategy.levels for each in after.markets.values()} == {3}
    assert changed(after, {"strategy.levels": before.markets["BTC"].strategy.levels}) == before


@pytest.mark.parametrize("wish", ["strategy.levels", "strategy.levels=", "=1,2", "a=1,,2"])
def test_a_wish_without_values_is_refused(wish: str) -> None:
    with pytest.raises(Failure, match="write it as"):
        grid([wish])


@pytest.mark.parametrize("key", ["strategy.nothing", "nothing.levels", "levels.x", "strategy"])
def test_a_key_that_is_no_leaf_is_refused(key: str) -> None:
    with pytest.raises(Failure, match=r"no setting of a market|Expected"):
        changed(spec("BTC"), {key: 1})


def test_a_value_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(Failure, match="name other values"):
        changed(spec("BTC"), {"strategy.levels": "many"})


def test_a_grid_that_never_ends_is_refused() -> None:
    with pytest.raises(Failure, match="at most 200"):
        grid(["a=" + ",".join(map(str, range(15))), "b=" + ",".join(map(str, range(15)))])
