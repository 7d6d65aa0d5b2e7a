"""What the exchange needs of a market, whether its book is made of orders or read from a tape."""

from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from agents.market.types import Side

Tif = Literal["Alo", "Ioc", "Gtc"]


class RestingOrder(msgspec.Struct):
    """One order at the venue. ``sz`` is what remains; ``owner`` an address, or a flow's name."""

    oid: int
    owner: str
    side: Side
    px: Decimal
    sz: Decimal
    orig_sz: Decimal
    placed_ms: int
    cloid: str | None = None
    reduce_only: bool = False
    tif: Tif = "Gtc"


class Execution(msgspec.Struct, frozen=True):
    """One match. ``side``: the aggressor's; ``maker`` or ``taker`` None where the tape traded."""

    side: Side
    px: Decimal
    sz: Decimal
    maker: RestingOrder | None
    taker: RestingOrder | None
    maker_sz_before: Decimal | None = None


class Placement(msgspec.Struct, frozen=True):
    """What became of an order at arrival. ``refusal``: ``alo`` = post-only would have matched,
    ``ioc`` = nothing to match; ``resting`` = its remainder rests now; ``self_cancelled``: own
    resting orders removed by self-trade prevention.
    """

    executions: tuple[Execution, ...] = ()
    resting: bool = False
    refusal: Literal["alo", "ioc"] | None = None
    self_cancelled: tuple[RestingOrder, ...] = ()


class Touch(msgspec.Struct, frozen=True):
    """Best price, its size and number of orders, a side."""

    px: Decimal
    sz: Decimal
    n: int


class Market(Protocol):
    """One market's matching. All calls happen inside a block; ``now_ms`` is the block's time."""

    coin: str

    def place(self, order: RestingOrder, now_ms: int) -> Placement:
        """Match, then rest what the tif lets rest. Mutates ``order.sz``."""

    def cancel(self, oid: int) -> RestingOrder | None:
        """Take an order out; None if it does not rest."""

    def trim(self, oid: int, sz: Decimal) -> None:
        """Lower what rests of an order to ``sz`` (> 0, at most what rests); its place stays."""

    def order(self, oid: int) -> RestingOrder | None:
        """A resting order by id."""

    def touch(self) -> tuple[Touch | None, Touch | None]:
        """Best bid and best ask as displayed."""

    def levels(self, depth: int = 20) -> tuple[list[Touch], list[Touch]]:
        """Displayed levels, best first."""

    def dark(self) -> bool:
        """True in a recorded outage: the venue then sends no market data for this coin."""
