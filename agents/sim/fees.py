"""What a fill costs: the account's base rate, the DEX's scale, and truncation at six decimals.

    user rate = base * m(s) * (0.1 if growth),   m(s) = 1 + s where s < 1, else 2 * s
    fee       = notional * rate, truncated toward zero at 6 decimals

``s``: the deployer's fee scale (1 doubles the rate); a main-DEX asset has neither scale nor
growth. A negative (rebate) base rate is scaled by growth mode alone.
Source: Hyperliquid documentation, fees of builder-deployed perpetuals.
"""

from decimal import ROUND_DOWN, Decimal
from typing import Final

from agents.sim.universe import AssetSpec, Listing

MICRO: Final = Decimal("0.000001")
_GROWTH: Final = Decimal("0.1")


def user_rate(base: Decimal, listing: Listing) -> Decimal:
    """The share of notional that an account with this base rate pays on this asset."""
    if not listing.hip3:
        return base
    rate = base * scale_multiplier(listing.spec) if base > 0 else base
    return rate * _GROWTH if listing.spec.growth else rate


def scale_multiplier(spec: AssetSpec) -> Decimal:
    """m(s) of the formula above."""
    scale = spec.deployer_fee_scale
    return 1 + scale if scale < 1 else 2 * scale


def fee_usd(notional_usd: Decimal, rate: Decimal) -> Decimal:
    """The fee in collateral, truncated toward zero; a rebate is negative."""
    return (notional_usd * rate).quantize(MICRO, rounding=ROUND_DOWN)


def volume_weight(listing: Listing) -> Decimal:
    """What share of a fill's notional counts as volume: growth mode counts a tenth."""
    return _GROWTH if listing.hip3 and listing.spec.growth else Decimal(1)
