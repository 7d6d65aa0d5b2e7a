"""What a fleet takes of what the venue rations by IP and account: subscriptions, orders. Pure.

One gateway has one connection, one signer and one account of its ten a connection, however many
markets; what grows with them is subscriptions and resting orders. Limits: protocol 8.
"""

from typing import Final

import msgspec

from fleet.manifests.spec import FleetSpec

SUBSCRIPTIONS_MAX: Final = 1_000
"""By IP."""
ORDERS_MAX: Final = 1_000
"""Of an account that trades little; volume raises it."""
OF_ACCOUNT: Final = 4
"""orderUpdates, userFills, userFundings, userNonFundingLedgerUpdates."""
OF_DEX: Final = 2
"""openOrders, clearinghouseState: of every DEX of the venue, for foreign orders there."""
OF_MARKET: Final = 4
"""bbo, activeAssetCtx, l2Book, trades."""


class Capacity(msgspec.Struct, frozen=True):
    """``dexes``: how many the venue has, None where that is not known."""

    subscriptions: int | None
    subscriptions_max: int
    orders: int
    orders_max: int
    warnings: tuple[str, ...]


def capacity(spec: FleetSpec, dexes: int | None) -> Capacity:
    """What this manifest would take."""
    markets = len(spec.markets)
    orders = sum(2 * settings.strategy.levels for settings in spec.markets.values())
    taken = None if dexes is None else OF_ACCOUNT + OF_DEX * dexes + OF_MARKET * markets
    told = []
    if taken is not None and taken > SUBSCRIPTIONS_MAX:
        told.append(
            f"{taken} subscriptions are needed, and the venue grants {SUBSCRIPTIONS_MAX} by IP:"
            " split the markets over two machines"
        )
    if orders > ORDERS_MAX:
        told.append(
            f"{orders} orders may rest at once, and an account without volume may have"
            f" {ORDERS_MAX}: fewer levels, or fewer markets"
        )
    return Capacity(taken, SUBSCRIPTIONS_MAX, orders, ORDERS_MAX, tuple(told))
