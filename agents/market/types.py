"""The nouns that every part shares: sides, levels, fills, quotes, and ids not to be mixed up."""

from decimal import Decimal
from enum import Enum
from typing import Annotated, NewType

import msgspec

Coin = NewType("Coin", str)
"""Hyperliquid's public name: ``BTC`` or ``hyna:BTC``; also the market's id in Fleet."""
Cloid = NewType("Cloid", str)
"""``0x`` and 32 hex digits, lowercase: the client's order id."""
Oid = NewType("Oid", int)
Tid = NewType("Tid", int)


class Side(Enum):
    """The side of the book an order rests on; the value is the wire's letter.

    ``sign``: +1 for a bid, -1 for an ask: what a fill on this side does to the position.
    """

    BID = "B"
    ASK = "A"
    sign: int

    def __init__(self, letter: str) -> None:
        self.sign = 1 if letter == "B" else -1

    __hash__ = object.__hash__  # of the two there are no copies; the Enum's own is Python

    @property
    def opposite(self) -> "Side":
        return Side.ASK if self is Side.BID else Side.BID


# Checked where frames are decoded: NaN, a negative and a price of zero never enter a book. Only a
# lower bound: an upper one would cost 6 % of a book's decoding; the codec looks for infinity.
_Px = Annotated[float, msgspec.Meta(gt=0)]
_Sz = Annotated[float, msgspec.Meta(ge=0)]


class Level(msgspec.Struct, frozen=True, gc=False):
    """One price level of a book: a belief, so floats. ``n`` counts its orders (0: not told)."""

    px: _Px
    sz: _Sz
    n: int = 0


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One public print. ``side`` is the aggressor's; ``time_ms`` the venue's block time."""

    coin: Coin
    side: Side
    px: _Px
    sz: _Sz
    time_ms: int = msgspec.field(name="time")
    tid: Tid = Tid(0)


class Quote(msgspec.Struct, frozen=True, gc=False):
    """A wanted order: exact, on the venue's grid."""

    side: Side
    px: Decimal
    sz: Decimal


class Fill(msgspec.Struct, frozen=True, gc=False):
    """One fill of an order of ours, exact. ``fee`` is signed as paid: a rebate is negative.

    ``liquidated``: the venue's own order, that closed a position of ours.
    """

    coin: Coin
    side: Side
    px: Decimal
    sz: Decimal
    time_ms: int
    tid: Tid
    oid: Oid
    cloid: Cloid | None
    fee: Decimal
    fee_token: str
    crossed: bool
    start_position_sz: Decimal
    closed_pnl: Decimal
    liquidated: bool = False
