"""What the venue says of an account: orders, fills, funding, margin and positions.

All are ours, so all are Decimal. A number that is no number, or is absurdly large or small, is
refused while decoding: it would poison sums, or take forever to print.
"""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from agents.market.types import Cloid, Coin, Oid, Side, Tid

_DIGITS_MAX: Final = 40


class _Exact(msgspec.Struct, frozen=True, rename="camel"):
    """Base: camel case on the wire, and every Decimal finite and of a sane magnitude."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if type(value) is Decimal and not (
                value.is_finite() and -_DIGITS_MAX < value.adjusted() < _DIGITS_MAX
            ):
                raise ValueError(f"{name} is not a usable number")


class OpenOrder(_Exact, frozen=True):
    """An order as ``openOrders`` and ``orderUpdates`` show it. ``sz`` is what remains."""

    coin: Coin
    side: Side
    limit_px: Decimal
    sz: Decimal
    oid: Oid
    timestamp: int
    orig_sz: Decimal
    cloid: Cloid | None = None
    reduce_only: bool | None = None


class FrontendOrder(OpenOrder, frozen=True, kw_only=True):
    """An order as ``frontendOpenOrders`` and the ``openOrders`` channel show it."""

    is_trigger: bool = False
    trigger_px: Decimal = Decimal(0)
    trigger_condition: str = "N/A"
    is_position_tpsl: bool = False
    order_type: str = "Limit"
    tif: str | None = None
    children: tuple["FrontendOrder", ...] = ()


class OrderUpdateWire(_Exact, frozen=True):
    """A row of ``orderUpdates`` and of ``historicalOrders``."""

    order: OpenOrder
    status: str
    status_timestamp: int


class OrderStatusWire(_Exact, frozen=True):
    """``orderStatus``: ``order`` is None when the venue knows no such order.

    ``order.order.sz`` stands as of the last change of status, not of the last fill.
    """

    status: Literal["order", "unknownOid"]
    order: OrderUpdateWire | None = None


class FillLiquidation(msgspec.Struct, frozen=True, rename="camel"):
    """Of either side of a liquidation's trade; who was liquidated is the side that took."""

    method: str = ""


class WsFill(_Exact, frozen=True):
    """A row of ``userFills``. ``fee`` includes the builder's; a rebate is negative."""

    coin: Coin
    px: Decimal
    sz: Decimal
    side: Side
    time: int
    start_position: Decimal
    closed_pnl: Decimal
    oid: Oid
    crossed: bool
    fee: Decimal
    tid: Tid
    fee_token: str = "USDC"
    cloid: Cloid | None = None
    dir: str = ""
    liquidation: FillLiquidation | None = None


class FundingWire(_Exact, frozen=True):
    """One hour's funding of one position; ``usdc`` is negative when paid."""

    time: int
    coin: Coin
    usdc: Decimal
    szi: Decimal
    funding_rate: Decimal


class LedgerDelta(_Exact, frozen=True):
    """What moved money other than trades and funding; which fields are there depends on ``type``.

    ``usdc``, ``amount``, ``fee``: positive, whoever pays. ``account_value``: a liquidation's.
    """

    type: str
    usdc: Decimal | None = None
    amount: Decimal | None = None
    fee: Decimal | None = None
    token: str | None = None
    user: str | None = None
    destination: str | None = None
    source_dex: str | None = None
    destination_dex: str | None = None
    to_perp: bool | None = None
    account_value: Decimal | None = None


class LedgerUpdateWire(_Exact, frozen=True):
    """One row of ``userNonFundingLedgerUpdates``."""

    time: int
    hash: str
    delta: LedgerDelta


class MarginSummary(_Exact, frozen=True):
    account_value: Decimal
    total_ntl_pos: Decimal
    total_raw_usd: Decimal
    total_margin_used: Decimal


class Leverage(_Exact, frozen=True):
    """``raw_usd`` only for isolated positions."""

    type: Literal["cross", "isolated"]
    value: int
    raw_usd: Decimal | None = None


class CumFunding(_Exact, frozen=True):
    all_time: Decimal
    since_open: Decimal
    since_change: Decimal


class PositionWire(_Exact, frozen=True):
    """``szi`` is signed. ``liquidation_px`` is None where no positive price liquidates."""

    coin: Coin
    szi: Decimal
    leverage: Leverage
    position_value: Decimal
    unrealized_pnl: Decimal
    margin_used: Decimal
    max_leverage: int
    entry_px: Decimal | None = None
    liquidation_px: Decimal | None = None
    return_on_equity: Decimal | None = None
    cum_funding: CumFunding | None = None


class AssetPosition(_Exact, frozen=True):
    position: PositionWire
    type: str = "oneWay"


class ClearinghouseState(_Exact, frozen=True):
    """An account's margin and positions on one DEX; ``time`` is the venue's, ms."""

    margin_summary: MarginSummary
    cross_margin_summary: MarginSummary
    withdrawable: Decimal
    asset_positions: tuple[AssetPosition, ...]
    time: int
    cross_maintenance_margin_used: Decimal = Decimal(0)


class SpotBalance(_Exact, frozen=True):
    coin: str
    token: int
    total: Decimal
    hold: Decimal


class SpotState(_Exact, frozen=True):
    """``spotClearinghouseState``; free is total less hold."""

    balances: tuple[SpotBalance, ...]


class UserRateLimit(_Exact, frozen=True):
    """``userRateLimit``: the account's lifetime allowance of requests (protocol 8.2)."""

    cum_vlm: Decimal
    n_requests_used: int
    n_requests_cap: int
    n_requests_surplus: int = 0


class ExtraAgent(_Exact, frozen=True):
    """A row of ``extraAgents``: a named API wallet; the unnamed one is never listed."""

    address: str
    name: str = ""
    valid_until: int | None = None
