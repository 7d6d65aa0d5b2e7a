"""Actions of ``/exchange`` with their fields in hash order, and the envelope that carries them.

The msgpack bytes of these structs are what is signed: the tag ``type`` comes first, then the fields
as declared; an optional that is None is left out, never null (protocol 3, 4.1).
"""

from typing import Literal

import msgspec

Tif = Literal["Alo", "Ioc", "Gtc", "FrontendMarket"]


class _Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part of an action; whatever has a default is left out while it has it."""


class LimitTif(_Part, frozen=True):
    tif: Tif


class Trigger(_Part, frozen=True, rename="camel"):
    is_market: bool
    trigger_px: str
    tpsl: Literal["tp", "sl"]


class OrderKind(_Part, frozen=True):
    """One of the two: ``limit`` or ``trigger``."""

    limit: LimitTif | None = None
    trigger: Trigger | None = None


class OrderWire(_Part, frozen=True):
    """One order: asset, is-buy, price, size, reduce-only, kind, cloid."""

    a: int
    b: bool
    p: str
    s: str
    r: bool
    t: OrderKind
    c: str | None = None


class Priority(_Part, frozen=True):
    """Grouping of a priority order; the rate is ``p``/1e8."""

    p: int


class Builder(_Part, frozen=True):
    """Builder's address and fee in tenths of a basis point."""

    b: str
    f: int


class CancelWire(_Part, frozen=True):
    """One cancel by oid: asset, oid."""

    a: int
    o: int


class CancelByCloidWire(_Part, frozen=True):
    asset: int
    cloid: str


class ModifyWire(_Part, frozen=True):
    """Cancel-replace of the order with this oid or cloid."""

    oid: int | str
    order: OrderWire


class _Action(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Base of the actions; the tag is the venue's word."""


class OrderAction(_Action, frozen=True, tag="order"):
    orders: tuple[OrderWire, ...]
    grouping: Literal["na", "normalTpsl", "positionTpsl"] | Priority
    builder: Builder | None = None


class CancelAction(_Action, frozen=True, tag="cancel"):
    """Cancel by oid. ``f``: fast cancel, sent only when true."""

    cancels: tuple[CancelWire, ...]
    f: bool = False


class CancelByCloidAction(_Action, frozen=True, tag="cancelByCloid"):
    """Cancel by cloid. ``f``: fast cancel, sent only when true."""

    cancels: tuple[CancelByCloidWire, ...]
    f: bool = False


class ModifyAction(_Action, frozen=True, tag="modify"):
    """``a``: place the new order even if the old one is gone; sent only when true."""

    oid: int | str
    order: OrderWire
    a: bool = False


class BatchModifyAction(_Action, frozen=True, tag="batchModify"):
    """``a``: place the new orders even if the old ones are gone; sent only when true."""

    modifies: tuple[ModifyWire, ...]
    a: bool = False


def placed(action: object) -> tuple[OrderWire, ...]:
    """The orders that an action may bring to rest; none for any that only takes away."""
    match action:
        case OrderAction(orders=orders):
            return orders
        case ModifyAction(order=order):
            return (order,)
        case BatchModifyAction(modifies=modifies):
            return tuple(modify.order for modify in modifies)
        case _:
            return ()


class UpdateLeverageAction(_Action, frozen=True, tag="updateLeverage", rename="camel"):
    asset: int
    is_cross: bool
    leverage: int


class UpdateIsolatedMarginAction(_Action, frozen=True, tag="updateIsolatedMargin", rename="camel"):
    """``ntli``: USD times 1e6, negative to remove margin; ``is_buy`` is ignored by the venue."""

    asset: int
    is_buy: bool
    ntli: int


class TopUpIsolatedOnlyMarginAction(_Action, frozen=True, tag="topUpIsolatedOnlyMargin"):
    """Add margin until ``leverage`` (a string) is reached."""

    asset: int
    leverage: str


class ScheduleCancelAction(_Action, frozen=True, tag="scheduleCancel"):
    """The dead man's switch: cancel everything at ``time`` (ms); None clears it."""

    time: int | None = None


class NoopAction(_Action, frozen=True, tag="noop"):
    """Burns its nonce, and with it an action in flight that was signed with the same one."""


class ReserveRequestWeightAction(_Action, frozen=True, tag="reserveRequestWeight"):
    weight: int


class AgentSendAssetAction(_Action, frozen=True, tag="agentSendAsset", rename="camel"):
    """Move collateral between our own DEXs; ``""`` is the main one, ``spot`` is spot."""

    destination: str
    source_dex: str
    destination_dex: str
    token: str
    amount: str
    from_sub_account: str
    nonce: int


Action = (
    OrderAction
    | CancelAction
    | CancelByCloidAction
    | ModifyAction
    | BatchModifyAction
    | UpdateLeverageAction
    | UpdateIsolatedMarginAction
    | TopUpIsolatedOnlyMarginAction
    | ScheduleCancelAction
    | NoopAction
    | ReserveRequestWeightAction
    | AgentSendAssetAction
)


class Signature(msgspec.Struct, frozen=True):
    """``r``, ``s``: ``0x`` and hex digits; ``v``: 27 or 28."""

    r: str
    s: str
    v: int


class ExchangeBody(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A signed action as ``/exchange`` takes it."""

    action: object
    nonce: int
    signature: Signature
    vault_address: str | None = None
    expires_after: int | None = None
