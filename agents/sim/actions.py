"""The actions of ``/exchange`` as typed values; what doesn't fit is refused with 422."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec

from agents.sim.actions_account import AccountAction, Address, AssetId, UserSigned
from agents.sim.outputs import UnknownRequest

CloidText = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{32}$")]
NumberText = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,12})?$")]
OrderTif = Literal["Alo", "Ioc", "Gtc", "FrontendMarket"]


class LimitTerms(msgspec.Struct, frozen=True):
    tif: OrderTif


class TriggerTerms(msgspec.Struct, frozen=True):
    """Armed until the mark reaches ``triggerPx``; then a market order, or one at the limit."""

    is_market: bool = msgspec.field(name="isMarket")
    trigger_px: NumberText = msgspec.field(name="triggerPx")
    tpsl: Literal["tp", "sl"]


class OrderTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of the two."""

    limit: LimitTerms | None = None
    trigger: TriggerTerms | None = None


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

    @property
    def tif(self) -> OrderTif | None:
        """None for a trigger order."""
        return None if self.t.limit is None else self.t.limit.tif


class Builder(msgspec.Struct, frozen=True):
    b: Address
    f: Annotated[int, msgspec.Meta(ge=0)]


class PriorityRate(msgspec.Struct, frozen=True):
    """The grouping of orders that pay for their place."""

    p: Annotated[int, msgspec.Meta(ge=0)]


class Order(msgspec.Struct, frozen=True, tag_field="type", tag="order"):
    orders: tuple[OrderWire, ...]
    grouping: Literal["na", "normalTpsl", "positionTpsl"] | PriorityRate
    builder: Builder | None = None


class CancelWire(msgspec.Struct, frozen=True):
    a: AssetId
    o: AssetId


class Cancel(msgspec.Struct, frozen=True, tag_field="type", tag="cancel"):
    cancels: tuple[CancelWire, ...]
    f: bool = False


class CancelCloidWire(msgspec.Struct, frozen=True):
    asset: AssetId
    cloid: CloidText


class CancelByCloid(msgspec.Struct, frozen=True, tag_field="type", tag="cancelByCloid"):
    cancels: tuple[CancelCloidWire, ...]
    f: bool = False


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


Action = Order | Cancel | CancelByCloid | Modify | BatchModify | AccountAction

_RESTING: Final = frozenset({"Alo", None})
_ADDRESS: Final = re.compile(r"^(0x)?[0-9a-fA-F]{40}$")


class _Holder(msgspec.Struct, frozen=True):
    """A struct's decoder is built once; that of a bare union at each call."""

    action: Action


def parse_action(action: Mapping[str, object]) -> Action:
    """Raises UnknownRequest where type or shape is none of the above."""
    try:
        parsed = msgspec.convert({"action": action}, type=_Holder).action
    except (msgspec.ValidationError, TypeError, RecursionError):
        raise UnknownRequest from None
    if not all((wire.t.limit is None) != (wire.t.trigger is None) for wire in _wires(parsed)):
        raise UnknownRequest
    return parsed


def _wires(action: Action) -> tuple[OrderWire, ...]:
    match action:
        case Order():
            return action.orders
        case Modify():
            return (action.order,)
        case BatchModify():
            return tuple(item.order for item in action.modifies)
        case _:
            return ()


def signed_nonce(action: Action) -> int | None:
    """The nonce inside a user-signed action, which its envelope must repeat; None for others."""
    if not isinstance(action, UserSigned):
        return None
    nonce = getattr(action, "nonce", None)
    return getattr(action, "time", None) if nonce is None else nonce


def parse_address(text: str) -> str:
    """Lowercase with ``0x``; raises UnknownRequest where it is no address."""
    if not _ADDRESS.match(text):
        raise UnknownRequest
    lowered = text.lower()
    return lowered if lowered.startswith("0x") else "0x" + lowered


def place_class(action: Action) -> int:
    """When within its block an action runs: 1 ALO and accounts, 2 cancels, 3 GTC and IOC.

    Trigger orders rest outside the book when they come: they count with class 1.
    """
    match action:
        case Cancel() | CancelByCloid():
            return 2
        case Order():
            return 1 if all(order.tif in _RESTING for order in action.orders) else 3
        case Modify():
            return 1 if _modified_tif(action.order, always=action.a) in _RESTING else 3
        case BatchModify():
            tifs = {_modified_tif(item.order, always=action.a) for item in action.modifies}
            return 1 if tifs <= _RESTING else 3
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
    if tif is None or tif == order.tif:
        return order
    return msgspec.structs.replace(order, t=OrderTerms(LimitTerms(tif)))


def may_replace(order: OrderWire, *, always: bool) -> bool:
    """Without ``always_place`` a replacement must be neither a trigger nor one that takes."""
    return always or order.tif in {"Alo", "Gtc"}


def _modified_tif(order: OrderWire, *, always: bool) -> OrderTif | None:
    return "Alo" if order.tif == "Gtc" and not always else order.tif
