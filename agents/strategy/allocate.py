"""How much to show at each level: a concave problem with a budget, solved by its shadow price.

    maximise  sum of v_i*s_i - c_i*s_i^2/2      0 <= s_i <= cap_i,  sum of s_i <= budget
    s_i(mu) = clamp( (v_i - mu) / c_i, 0, cap_i )

The sum falls with mu, so bisection finds the mu >= 0 at which the budget is met: the worth of one
more unit of it. Kelly's fraction enters through c, so halving it halves what is shown until a cap
binds. Rounding to lots comes after, down, and what it frees goes to whatever is worth most.
Source: KKT conditions, Boyd & Vandenberghe (2004), 5.5.3; Kelly's quadratic approximation.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

BISECTIONS: Final = 100
PORTIONS: Final = 32


class Worth(msgspec.Struct, frozen=True, gc=False):
    """One level: ``value`` of a unit shown, ``cost`` of its square (> 0), ``cap`` of its size."""

    value: float
    cost: float
    cap: float


class Shares(msgspec.Struct, frozen=True, gc=False):
    """Sizes in the order given, and the budget's shadow price (0: it does not bind)."""

    sizes: tuple[float, ...]
    price: float


def allocate(levels: Sequence[Worth], *, budget: float) -> Shares:
    """The optimal sizes, before lots."""
    assert budget >= 0
    assert all(level.cost > 0 for level in levels)

    def at(price: float) -> list[float]:
        return [min(max((level.value - price) / level.cost, 0.0), level.cap) for level in levels]

    sizes = at(0.0)
    if math.fsum(sizes) <= budget:
        return Shares(tuple(sizes), 0.0)
    low, high = 0.0, max(level.value for level in levels)
    for _ in range(BISECTIONS):
        price = (low + high) / 2
        if math.fsum(at(price)) > budget:
            low = price
        else:
            high = price
    return Shares(tuple(at(high)), high)


def in_lots(
    shares: Shares,
    levels: Sequence[Worth],
    *,
    lot_sz: Decimal,
    viable_szs: Sequence[Decimal],
    budget_sz: Decimal,
) -> tuple[Decimal, ...]:
    """Whole lots, none below its viable size, the sum within the budget.

    What is too small goes first; what is left of the budget then tops up the levels by the worth
    of one more lot, until no lot is worth anything or fits.
    """
    sizes = [Decimal(int(sz / float(lot_sz) + 1e-9)) * lot_sz for sz in shares.sizes]
    sizes = [
        sz if sz >= viable else Decimal(0) for sz, viable in zip(sizes, viable_szs, strict=True)
    ]
    left_sz = budget_sz - sum(sizes)
    while left_sz >= lot_sz:
        # So many lots at once that the way to the end stays short, however small a lot is.
        some_sz = max(lot_sz, Decimal(int(left_sz / lot_sz / PORTIONS)) * lot_sz)
        best, best_step, gain = -1, lot_sz, 0.0
        for index, (level, sz, viable) in enumerate(zip(levels, sizes, viable_szs, strict=True)):
            step = some_sz if sz else max(viable, lot_sz)
            if step > left_sz or float(sz + step) > level.cap:
                continue
            worth_a_unit = level.value - level.cost * (float(sz) + float(step) / 2)
            if worth_a_unit > gain:
                best, best_step, gain = index, step, worth_a_unit
        if best < 0:
            break
        sizes[best] += best_step
        left_sz -= best_step
    return tuple(sizes)


def worth(
    *, fill_share: float, edge_bps: float, sigma_bps: float, kelly_share: float, wealth: float
) -> tuple[float, float]:
    """``value`` and ``cost`` of one unit: an edge times how likely it fills, against its variance.

    kelly: f = E/Var of wealth, so value/cost = kelly_share * wealth * E / Var, times the chance to
    fill in both. ``edge_bps`` net of fee and adverse selection, ``sigma_bps`` over the holding.
    """
    variance = sigma_bps * sigma_bps + edge_bps * edge_bps
    return fill_share * edge_bps, fill_share * variance / (kelly_share * wealth)
