"""How each market behaves: volatility, spread, depth and trading, close to what was recorded."""

from typing import Final, Literal

import msgspec

Mode = Literal["real", "lively"]


class Profile(msgspec.Struct, frozen=True):
    """One market's character.

    sigma_bps       volatility of the fair price, bps/√s
    common_share    correlation of its shocks with the common factor
    half_spread_bps where other makers' first level rests from the fair price
    depth_usd       typical notional of one level near the touch
    bursts_per_min  arrivals of takers
    sweep_share     median notional of a burst, in levels of ``depth_usd``
    """

    sigma_bps: float
    common_share: float
    half_spread_bps: float
    depth_usd: float
    bursts_per_min: float
    sweep_share: float


# Volatility, spread and bursts of the first four are those of recordings of September 2025.
_BY_TICKER: Final[dict[str, Profile]] = {
    "BTC": Profile(0.4, 0.70, 0.03, 60_000.0, 70.0, 0.35),
    "ETH": Profile(1.2, 0.72, 0.08, 40_000.0, 80.0, 0.45),
    "SOL": Profile(1.2, 0.68, 0.16, 25_000.0, 66.0, 0.45),
    "WLFI": Profile(4.0, 0.50, 1.6, 4_000.0, 20.0, 0.45),
}
_OTHER: Final = Profile(1.6, 0.55, 0.7, 10_000.0, 40.0, 0.45)
_BUILDER: Final = Profile(1.0, 0.30, 1.1, 6_000.0, 24.0, 0.45)
_SWEEP_LIVELY: Final = 1.0
_BURSTS_LIVELY_PER_MIN: Final = 110.0
_DEPTH_LIVELY_MAX_USD: Final = 8_000.0


def underlying(coin: str) -> str:
    """What a market's price follows: ``hyna:BTC`` follows ``BTC``."""
    return coin.rpartition(":")[2]


def profile(coin: str, mode: Mode) -> Profile:
    """The market's character; builder-deployed markets are thinner and wider than main ones.

    ``lively`` trades several times more than life, with thinner levels and longer sweeps, so that
    quotes some bps away from the mid fill within seconds.
    """
    known = _BY_TICKER.get(underlying(coin))
    if ":" in coin:
        sigma_bps = known.sigma_bps if known else _BUILDER.sigma_bps
        common = known.common_share if known else _BUILDER.common_share
        base = msgspec.structs.replace(_BUILDER, sigma_bps=sigma_bps, common_share=common)
    else:
        base = known or _OTHER
    if mode == "real":
        return base
    return msgspec.structs.replace(
        base,
        depth_usd=min(base.depth_usd, _DEPTH_LIVELY_MAX_USD),
        bursts_per_min=max(_BURSTS_LIVELY_PER_MIN, 2.0 * base.bursts_per_min),
        sweep_share=_SWEEP_LIVELY,
    )
