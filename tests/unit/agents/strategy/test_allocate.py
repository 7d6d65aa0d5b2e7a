"""The allocation: KKT holds, lots keep the budget, and Kelly's fraction matters."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.strategy.allocate import Worth, allocate, in_lots, worth

D = Decimal
levels_ = st.lists(
    st.builds(
        Worth, value=st.floats(0.0, 10.0), cost=st.floats(0.01, 10.0), cap=st.floats(0.5, 50)
    ),
    min_size=1,
    max_size=8,
)


@given(levels_, st.floats(0.0, 100.0))
def test_kkt_holds(levels: list[Worth], budget: float) -> None:
    """Stationary where inside, the price 0 unless the budget binds, no bound broken."""
    shares = allocate(levels, budget=budget)
    assert sum(shares.sizes) <= budget + 1e-9
    assert shares.price >= 0
    if shares.price > 1e-12 and sum(level.cap for level in levels) > budget:
        assert sum(shares.sizes) == pytest.approx(budget, abs=1e-6)
    for level, sz in zip(levels, shares.sizes, strict=True):
        assert 0 <= sz <= level.cap
        slope = level.value - level.cost * sz - shares.price
        if 1e-9 < sz < level.cap - 1e-9:
            assert abs(slope) < 1e-9
        elif sz <= 1e-9:
            assert slope <= 1e-8
        else:
            assert slope >= -1e-9


@given(levels_, st.floats(0.0, 50.0), st.floats(0.0, 50.0))
def test_more_budget_is_never_worth_less(levels: list[Worth], one: float, more: float) -> None:
    def total(budget: float) -> float:
        sizes = allocate(levels, budget=budget).sizes
        return sum(
            level.value * sz - level.cost * sz * sz / 2
            for level, sz in zip(levels, sizes, strict=True)
        )

    assert total(one + more) >= total(one) - 1e-6


def test_order_does_not_matter() -> None:
    levels = [Worth(1.0, 0.1, 9.0), Worth(2.0, 0.3, 4.0), Worth(0.5, 0.05, 9.0)]
    sizes = allocate(levels, budget=8.0).sizes
    turned = allocate(levels[::-1], budget=8.0).sizes
    assert sizes == pytest.approx(turned[::-1])


@given(levels_, st.integers(1, 400))
def test_lots_keep_the_budget_and_the_least_size(levels: list[Worth], budget: int) -> None:
    budget_sz = D(budget) / 10
    shares = allocate(levels, budget=float(budget_sz))
    viable = [D("0.5")] * len(levels)
    sizes = in_lots(shares, levels, lot_sz=D("0.1"), viable_szs=viable, budget_sz=budget_sz)
    assert sum(sizes) <= budget_sz
    for level, sz in zip(levels, sizes, strict=True):
        assert sz == 0 or sz >= D("0.5")
        assert float(sz) <= level.cap + 1e-9
        assert sz % D("0.1") == 0


def test_incident_62_half_of_kellys_fraction_is_half_the_size_until_a_cap_binds() -> None:
    def shown(kelly_share: float) -> float:
        value, cost = worth(
            fill_share=0.2, edge_bps=3.0, sigma_bps=10.0, kelly_share=kelly_share, wealth=100.0
        )
        return allocate([Worth(value, cost, 5.0)], budget=1e9).sizes[0]

    assert shown(0.2) == pytest.approx(2 * shown(0.1))
    assert shown(50.0) == 5.0


def test_what_earns_nothing_is_not_shown() -> None:
    value, cost = worth(
        fill_share=0.2, edge_bps=-0.5, sigma_bps=10.0, kelly_share=0.2, wealth=100.0
    )
    assert allocate([Worth(value, cost, 5.0)], budget=10.0).sizes == (0.0,)
