"""The actions of ``/exchange`` as typed values; what doesn't fit is refused with 422.

Trigger orders and groupings of orders are not taken yet: they have no place in the matching.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec

from agents.sim.outputs import UnknownRequest

AssetId = Annotated[int, msgspec.Meta(ge=0)]
CloidText = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{32}$")]
NumberText = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,12})?$")]
OrderTif = Literal["Alo", "Ioc", "Gtc", "FrontendMarket"]


class LimitTerms(msgspec.Struct, frozen=True):
    tif: OrderTif


class OrderTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: LimitTerms


class OrderWire(msgspec.Struct, frozen=True):
    a: AssetId
    b: bool
    p: NumberText
    s: NumberText
    r: bool
    t: OrderTerms
    c: CloidText | None = None

    @property
    def px(self) -> Decimal:
        return Decimal(self.p)

    @property
    def sz(self) -> Decimal:
        return Decimal(self.s)


class Builder(msgspec.Struct, frozen=True):
    b: str
    f: Annotated[int, msgspec.Meta(ge=0)]


class Order(msgspec.Struct, frozen=True, tag_field="type", tag="order"):
    orders: tuple[OrderWire, ...]
    grouping: Literal["na"]
    builder: Builder | None = None


class CancelWire(msgspec.Struct, frozen=True):
    a: AssetId
    o: AssetId


class Cancel(msgspec.Struct, frozen=True, tag_field="type", tag="cancel"):
    cancels: tuple[CancelWire, ...]


class CancelCloidWire(msgspec.Struct, frozen=True):
    asset: AssetId
    cloid: CloidText


class CancelByCloid(msgspec.Struct, frozen=True, tag_field="type", tag="cancelByCloid"):
    cancels: tuple[CancelCloidWire, ...]


class ModifyWire(msgspec.Struct, frozen=True):
    oid: AssetId | CloidText
    order: OrderWire


class Modify(msgspec.Struct, frozen=True, tag_field="type", tag="modify"):
    oid: AssetId | CloidText
    order: OrderWire
    a: bool = False


class BatchModify(msgspec.Struct, frozen=True, tag_field="type", tag="batchModify"):
    modifies: tuple[ModifyWire, ...]
    a: bool = False


class Noop(msgspec.Struct, frozen=True, tag_field="type", tag="noop"):
    pass


class UpdateLeverage(msgspec.Struct, frozen=True, tag_field="type", tag="updateLeverage"):
    asset: AssetId
    is_cross: bool = msgspec.field(name="isCross")
    leverage: int


class UpdateIsolatedMargin(
    msgspec.Struct, frozen=True, tag_field="type", tag="updateIsolatedMargin"
):
    asset: AssetId
    is_buy: bool = msgspec.field(name="isBuy")
    ntli: int


class ScheduleCancel(msgspec.Struct, frozen=True, tag_field="type", tag="scheduleCancel"):
    time: AssetId | None = None


Action = (
    Order
    | Cancel
    | CancelByCloid
    | Modify
    | BatchModify
    | Noop
    | UpdateLeverage
    | UpdateIsolatedMargin
    | ScheduleCancel
)

_RESTS_ONLY: Final = "Alo"
_ADDRESS: Final = re.compile(r"^(0x)?[0-9a-fA-F]{40}$")


def parse_action(action: Mapping[str, object]) -> Action:
    """Raises UnknownRequest where type or shape is none of the above."""
    try:
        parsed: Action = msgspec.convert(action, type=Action)
        return parsed
    except (msgspec.ValidationError, TypeError, RecursionError):
        raise UnknownRequest from None


def parse_address(text: str) -> str:
    """Lowercase with ``0x``; raises UnknownRequest where it is no address."""
    if not _ADDRESS.match(text):
        raise UnknownRequest
    lowered = text.lower()
    return lowered if lowered.startswith("0x") else "0x" + lowered


def place_class(action: Action) -> int:
    """When within its block an action runs: 1 ALO and accounts, 2 cancels, 3 GTC and IOC."""
    match action:
        case Cancel() | CancelByCloid():
            return 2
        case Order():
            return 1 if all(order.t.limit.tif == _RESTS_ONLY for order in action.orders) else 3
        case Modify():
            return 1 if _modified_tif(action.order, always=action.a) == _RESTS_ONLY else 3
        case BatchModify():
            tifs = {_modified_tif(item.order, always=action.a) for item in action.modifies}
            return 1 if tifs <= {_RESTS_ONLY} else 3
        case _:
            return 1


def action_count(action: Action) -> int:
    """How many requests of the address's allowance an action costs."""
    match action:
        case Order():
            return max(1, len(action.orders))
        case Cancel() | CancelByCloid():
            return max(1, len(action.cancels))
        case BatchModify():
            return max(1, len(action.modifies))
        case _:
            return 1


def modified(order: OrderWire, *, always: bool) -> OrderWire:
    """The order a modify really places: without ``always_place`` a GTC becomes an ALO."""
    tif = _modified_tif(order, always=always)
    if tif == order.t.limit.tif:
        return order
    return msgspec.structs.replace(order, t=OrderTerms(LimitTerms(tif)))


def _modified_tif(order: OrderWire, *, always: bool) -> OrderTif:
    tif = order.t.limit.tif
    return "Alo" if tif == "Gtc" and not always else tif
