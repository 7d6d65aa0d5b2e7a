"""What a block of the embedded exchange lets the world see, in the venue's own row shapes."""

import msgspec

from agents.market.types import Coin
from agents.sim.accounts import OrderEvent


class UnknownRequest(Exception):
    """The request's type or shape is none the venue knows: HTTP 422, text below."""

    TEXT = "Failed to deserialize the JSON body into the target type"

    def __init__(self) -> None:
        super().__init__(self.TEXT)


class TradePrint(msgspec.Struct, frozen=True, gc=False):
    """One row of the ``trades`` channel; encodes to JSON as the wire has it."""

    coin: Coin
    side: str
    px: str
    sz: str
    time: int
    hash: str
    tid: int
    users: tuple[str, str]


class Answered(msgspec.Struct, frozen=True):
    """The whole ``/exchange`` answer to the action submitted under ``ticket``."""

    ticket: int
    payload: dict[str, object]


class Printed(msgspec.Struct, frozen=True):
    """Trades of one coin in this block, in order. Never sent for matches a tape made itself."""

    coin: Coin
    trades: tuple[TradePrint, ...]


class TouchChanged(msgspec.Struct, frozen=True):
    """Best bid or ask of an order book changed (price, size or count). Not sent for tapes."""

    coin: Coin


class OrderRow(msgspec.Struct, frozen=True):
    """One ``orderUpdates`` row for ``user``, and the line of its history that it comes from."""

    user: str
    row: dict[str, object]
    event: OrderEvent


class FillRow(msgspec.Struct, frozen=True):
    """One ``userFills`` row for ``user``."""

    user: str
    row: dict[str, object]


class FundingRow(msgspec.Struct, frozen=True):
    """One hour's funding of one position: the row of the channel and, ``kept``, of the request."""

    user: str
    row: dict[str, object]
    kept: dict[str, object]


class LedgerRow(msgspec.Struct, frozen=True):
    """One row of ``userNonFundingLedgerUpdates``."""

    user: str
    row: dict[str, object]


class LiquidationRow(msgspec.Struct, frozen=True):
    """The ``liquidation`` event of ``userEvents``."""

    user: str
    row: dict[str, object]


class NonUserCancel(msgspec.Struct, frozen=True):
    """The venue itself cancelled an order (self-trade, reduce-only, scheduled)."""

    user: str
    coin: Coin
    oid: int


class AccountChanged(msgspec.Struct, frozen=True):
    """The account differs on this DEX. ``money``: state beyond what open orders hold."""

    user: str
    dex: str
    orders: bool
    money: bool


Output = (
    Answered
    | Printed
    | TouchChanged
    | OrderRow
    | FillRow
    | NonUserCancel
    | FundingRow
    | LedgerRow
    | LiquidationRow
    | AccountChanged
)
