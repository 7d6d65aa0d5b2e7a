"""Sums over markets that a fleet's limits are measured against."""

from collections import Counter
from collections.abc import Iterable

from agents.settings import MarketSettings


def underlying_sums(markets: Iterable[MarketSettings]) -> Counter[str]:
    """Position limits by underlying, USD, over every DEX."""
    sums: Counter[str] = Counter()
    for settings in markets:
        sums[settings.underlying] += settings.risk.position_max_usd  # type: ignore[assignment]
    return sums
