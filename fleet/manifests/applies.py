"""How a change of a manifest's leaf reaches what runs; a plan's classes are derived from this.

hot       taken over by what runs; no order is touched for it
requote   taken over with the next quotes, whose orders move where they differ
restart   what runs is started anew with it: of a market the agent, of the fleet its processes
replace   it names something else: another market, or another fleet
"""

from typing import Final

CLASSES: Final = ("hot", "requote", "restart", "replace")
"""From the mildest to the strongest; a change is as strong as the strongest of its leaves."""

_MARKET: Final = {
    "asset": "replace",
    "dex": "replace",
    "market": "replace",
    "leverage": "restart",
    "isolated": "restart",
    "strategy.kappa_prior_per_bps": "restart",
    "strategy.fills_per_s_prior": "restart",
    "strategy.sigma_half_life_s": "restart",
    "strategy.warmup_s": "restart",
    "strategy.warmup_max_s": "restart",
    "strategy": "requote",
}
_FLEET: Final = {
    "fleet": "replace",
    "network": "replace",
    "account.address": "replace",
    "account.api_wallet": "restart",
    "account.halt_wallet": "hot",
    "paper": "restart",
}


def of_market(leaf: str) -> str:
    """The class of a market's leaf, by its path such as ``strategy.levels``."""
    return _found(_MARKET, leaf)


def of_fleet(leaf: str) -> str:
    """The class of a leaf outside the markets, by its path such as ``risk.on_breach``."""
    return _found(_FLEET, leaf)


def _found(table: dict[str, str], leaf: str) -> str:
    """The entry of the leaf or of the nearest section above it."""
    while leaf:
        if leaf in table:
            return table[leaf]
        leaf = leaf.rpartition(".")[0]
    return "hot"
