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
    bursts_per_min  arrivals of takers who know nothing
    burst_usd       median notional of a burst
    burst_sd        spread of its logarithm: most are tiny, a few are most of the volume
    burst_max_usd   the largest
    """

    sigma_bps: float
    common_share: float
    half_spread_bps: float
    depth_usd: float
    bursts_per_min: float
    burst_usd: float
    burst_sd: float
    burst_max_usd: float


# The first four are close to recordings of September and December 2025, all figures of them.
_BY_TICKER: Final[dict[str, Profile]] = {
    "BTC": Profile(0.5, 0.60, 0.0, 700_000.0, 64.0, 550.0, 3.5, 5e6),
    "ETH": Profile(1.15, 0.85, 0.0, 220_000.0, 76.0, 350.0, 2.6, 2.5e6),
    "SOL": Profile(1.35, 0.55, 0.0, 90_000.0, 70.0, 600.0, 2.6, 1e6),
    "WLFI": Profile(2.9, 0.60, 1.6, 2_500.0, 7.0, 10.0, 3.3, 2.5e4),
}
_OTHER: Final = Profile(1.6, 0.55, 0.7, 15_000.0, 30.0, 200.0, 2.5, 1e5)
_BUILDER: Final = Profile(1.0, 0.30, 1.1, 8_000.0, 20.0, 150.0, 2.5, 5e4)
_BURST_SD_LIVELY: Final = 1.3
_BURST_MAX_LIVELY: Final = 30.0
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
    depth_usd = min(base.depth_usd, _DEPTH_LIVELY_MAX_USD)
    return msgspec.structs.replace(
        base,
        depth_usd=depth_usd,
        bursts_per_min=max(_BURSTS_LIVELY_PER_MIN, 2.0 * base.bursts_per_min),
        burst_usd=depth_usd,
        burst_sd=_BURST_SD_LIVELY,
        burst_max_usd=_BURST_MAX_LIVELY * depth_usd,
    )
