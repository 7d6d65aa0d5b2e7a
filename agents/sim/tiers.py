"""Margin tiers: how much leverage a notional allows, and the margin it must keep.

    maintenance = sum over tiers of (notional inside the tier) / (2 * its max leverage)

which equals notional * mmr(tier) - deduction(tier), exactly (protocol 9.4).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from agents.sim.universe import AssetSpec

ZERO: Final = Decimal(0)


class MarginTable(msgspec.Struct, frozen=True):
    """Leverage up to ``lower_usd`` of notional, and ``leverage_above`` beyond it."""

    description: str
    leverage_max: int
    lower_usd: int
    leverage_above: int


TABLES: Final[Mapping[int, MarginTable]] = {
    51: MarginTable("tiered 10x", 10, 3_000_000, 5),
    52: MarginTable("tiered 10x (2)", 10, 20_000_000, 5),
    53: MarginTable("tiered 20x", 20, 40_000_000, 10),
    54: MarginTable("tiered 20x (2)", 20, 70_000_000, 10),
    55: MarginTable("tiered 25x", 25, 100_000_000, 15),
    56: MarginTable("tiered 40x", 40, 150_000_000, 20),
}
"""By id. Ids below 50 are tables of one tier whose max leverage is the id."""


def table_id(spec: AssetSpec) -> int:
    """The id by which ``meta`` names the asset's table."""
    return spec.margin_table or spec.leverage_max


def leverage_allowed(spec: AssetSpec, notional_usd: Decimal) -> int:
    """Max leverage of a position of this notional."""
    table = TABLES.get(spec.margin_table)
    if table is None or notional_usd <= table.lower_usd:
        return spec.leverage_max
    return table.leverage_above


def maintenance_usd(spec: AssetSpec, notional_usd: Decimal) -> Decimal:
    """The equity below which a position of this notional is liquidated."""
    table = TABLES.get(spec.margin_table)
    if table is None:
        return notional_usd / (2 * spec.leverage_max)
    above_usd = max(ZERO, notional_usd - table.lower_usd)
    within_usd = notional_usd - above_usd
    return within_usd / (2 * table.leverage_max) + above_usd / (2 * table.leverage_above)
