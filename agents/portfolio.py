"""What other markets' positions do to this one's quotes, as values: a row of Gamma, the holdings.

The row comes from the risk actor, rarely; the holdings from the gateway, with every fill. Their
product is what the reservation price moves by beyond what the market's own inventory does.
"""

import math
from typing import Final

import msgspec

ROW_MAX_MS: Final = 300_000
HOLDINGS_MAX_MS: Final = 10_000
CROSS_SHARE_MAX: Final = 1.0  # of the half-spread
RATIO_MAX: Final = 1_000.0
USD_MAX: Final = 1e10
"""Beyond these a number is a mistake: nobody holds so much, or so weighs on another market."""


class GammaRow(msgspec.Struct, frozen=True, gc=False):
    """One market's row of Gamma, in bps of its price a USD held in each market, itself included.

    ``own_bps_per_usd``: the diagonal that the market has on its own, by the beliefs that the row
    was made with; what the agent believes since then scales the row. ``bps_per_usd`` empty: there
    is no row any more. ``in_force``: False where it is only to be looked at (shadow).
    """

    as_of_ms: int
    own_bps_per_usd: float
    bps_per_usd: dict[str, float]
    in_force: bool = True

    def usable(self, market: str, now_ms: int) -> bool:
        """Young enough, and every number what it must be."""
        diagonal = self.bps_per_usd.get(market)
        own = self.own_bps_per_usd
        return (
            diagonal is not None
            and abs(now_ms - self.as_of_ms) <= ROW_MAX_MS
            and math.isfinite(own)
            and own > 0
            and diagonal > 0
            and all(abs(bps) <= RATIO_MAX * own for bps in self.bps_per_usd.values())
        )


class Holdings(msgspec.Struct, frozen=True, gc=False):
    """The account's positions in USD at their marks, signed, as of ``as_of_ms``; flat ones left
    out.
    """

    as_of_ms: int
    usd: dict[str, float]

    def usable(self, now_ms: int) -> bool:
        young = abs(now_ms - self.as_of_ms) <= HOLDINGS_MAX_MS
        return young and all(abs(usd) <= USD_MAX for usd in self.usd.values())


class CrossSkew(msgspec.Struct, frozen=True, gc=False):
    """``own_share``: the true diagonal over the local one, 1 where the row's is not in force.
    ``clips``: positions elsewhere as if so many clips more were held here.
    """

    own_share: float
    clips: float


NOTHING: Final = CrossSkew(own_share=1.0, clips=0.0)


def cross_skew(
    row: GammaRow | None, holdings: Holdings | None, *, market: str, clip_usd: float, now_ms: int
) -> CrossSkew | None:
    """What to add to the local skew; None where row or holdings are missing, old or no numbers.

    A clip held moves the quotes by the local skew; a USD in market j by ``row_j / own`` of what a
    USD here does. So the product is in clips of this market, and scales with what is believed of
    it at this moment.
    """
    if row is None or holdings is None or clip_usd <= 0:
        return None
    if not row.usable(market, now_ms) or not holdings.usable(now_ms):
        return None
    own = row.own_bps_per_usd
    total = 0.0
    for other, bps_per_usd in row.bps_per_usd.items():
        if other != market:
            total += bps_per_usd / own * holdings.usd.get(other, 0.0)
    clips = total / clip_usd
    own_share = row.bps_per_usd[market] / own
    if not math.isfinite(clips) or not math.isfinite(own_share):
        return None
    return CrossSkew(own_share=own_share, clips=clips)
