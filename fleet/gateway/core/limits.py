"""The position limit at the door: position and everything open on a side, at the mark (I1)."""

from decimal import Decimal

import msgspec

from agents.market.types import Side


class Exposure(msgspec.Struct, frozen=True, gc=False):
    """What a market holds and may still come to hold. Sizes in coins; open ones unsigned."""

    position_sz: Decimal
    open_bid_sz: Decimal
    open_ask_sz: Decimal

    def side_sz(self, side: Side, new_sz: Decimal = Decimal(0)) -> Decimal:
        """Position in the side's direction if all that is open on it, and ``new_sz``, fills."""
        if side is Side.BID:
            return self.position_sz + self.open_bid_sz + new_sz
        return -self.position_sz + self.open_ask_sz + new_sz

    def reduces(self, side: Side, new_sz: Decimal) -> bool:
        """Whether the side only takes inventory away, however much of it fills."""
        return self.side_sz(side, new_sz) <= 0


def within(
    exposure: Exposure, side: Side, new_sz: Decimal, *, mark_usd: float, position_max_usd: float
) -> bool:
    """Whether an order keeps the side's worst case inside the limit.

    ``mark_usd``: USD per coin. A side that would still be reducing passes whatever the limit.
    """
    return float(exposure.side_sz(side, new_sz)) * mark_usd <= position_max_usd


class Limits:
    """The limits in force by market, USD: lowering takes effect at once, raising is authorised."""

    def __init__(self, position_max_usd: dict[str, float] | None = None) -> None:
        self.position_max_usd = dict(position_max_usd or {})

    def raises(self, market: str, position_max_usd: float) -> bool:
        held = self.position_max_usd.get(market)
        return held is not None and position_max_usd > held

    def put(self, market: str, position_max_usd: float, *, authorised: bool) -> bool:
        """Take a limit; False if it would raise the one in force without authority."""
        if self.raises(market, position_max_usd) and not authorised:
            return False
        self.position_max_usd[market] = position_max_usd
        return True

    def drop(self, market: str) -> None:
        self.position_max_usd.pop(market, None)
