"""From our commands to the venue's actions, and from its answers to what became of them.

An answer that cannot be read leaves the outcome unknown: what was sent may rest.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from agents.commands import NewOrder
from agents.events import OrderResult
from agents.exchange.errors import OutcomeUnknown
from agents.exchange.wire_actions import (
    BatchModifyAction,
    CancelByCloidAction,
    CancelByCloidWire,
    LimitTif,
    ModifyWire,
    OrderAction,
    OrderKind,
    OrderWire,
)
from agents.market.instrument import wire
from agents.market.types import Cloid, Oid, Side

# ── answers to our actions ───────────────────────────────────────────────────────────────────


class _Resting(msgspec.Struct, frozen=True):
    oid: Oid


class _Filled(msgspec.Struct, frozen=True, rename="camel"):
    oid: Oid
    total_sz: Decimal
    avg_px: Decimal


class _Status(msgspec.Struct, frozen=True):
    """One of the three."""

    resting: _Resting | None = None
    filled: _Filled | None = None
    error: str | None = None


class _Statuses(msgspec.Struct, frozen=True):
    statuses: tuple[str | _Status, ...]


class _Response(msgspec.Struct, frozen=True):
    type: str
    data: _Statuses | None = None


class _Answer(msgspec.Struct, frozen=True):
    status: str
    response: str | _Response


_answer: Final = msgspec.json.Decoder(_Answer, strict=False).decode


def _statuses(payload: bytes | msgspec.Raw, count: int) -> tuple[str | _Status, ...]:
    """One status an item; a refusal of the whole batch stands for each of its items."""
    try:
        answer = _answer(bytes(payload))
    except (msgspec.MsgspecError, ValueError) as error:
        raise OutcomeUnknown(f"an answer that cannot be read: {error}") from error
    if isinstance(answer.response, str):
        if answer.status != "err":
            raise OutcomeUnknown(f"an answer of status {answer.status!r}: {answer.response}")
        return (_Status(error=answer.response),) * count
    statuses = answer.response.data.statuses if answer.response.data else ()
    if len(statuses) == 1 and isinstance(statuses[0], _Status) and statuses[0].error is not None:
        return statuses * count
    if answer.status != "ok" or len(statuses) != count:
        raise OutcomeUnknown(f"{count} items were sent and {len(statuses)} statuses came back")
    return statuses


def decode_order_answer(payload: bytes | msgspec.Raw, count: int) -> tuple[OrderResult, ...]:
    """The venue's word on each of the ``count`` orders of one action, in the order sent.

    One error for the whole batch is repeated ``count`` times. ``OutcomeUnknown`` if the answer
    cannot be read or does not fit: what was sent may rest.
    """
    return tuple(_order_result(status) for status in _statuses(payload, count))


def _order_result(status: str | _Status) -> OrderResult:
    if isinstance(status, str):  # waitingForFill, waitingForTrigger: accepted, no oid told
        return OrderResult("resting", text=status)
    if status.resting is not None:
        return OrderResult("resting", oid=status.resting.oid)
    if status.filled is not None:
        filled = status.filled
        if not (filled.total_sz.is_finite() and filled.avg_px.is_finite()):
            raise OutcomeUnknown(f"filled {filled.total_sz} at {filled.avg_px}")
        return OrderResult(
            "filled", oid=filled.oid, filled_sz=filled.total_sz, avg_px=filled.avg_px
        )
    if status.error is not None:
        return OrderResult("refused", text=status.error)
    raise OutcomeUnknown("a status that says neither resting, filled nor error")


def decode_cancel_answer(payload: bytes | msgspec.Raw, count: int) -> tuple[str | None, ...]:
    """None for each item cancelled, else the venue's text; errors as ``decode_order_answer``."""
    return tuple(_cancel_error(status) for status in _statuses(payload, count))


def _cancel_error(status: str | _Status) -> str | None:
    if status == "success":
        return None
    if isinstance(status, _Status) and status.error is not None:
        return status.error
    raise OutcomeUnknown(f"a cancel's status is {status!r}")


# ── what we send ─────────────────────────────────────────────────────────────────────────────

_KINDS: Final = {tif: OrderKind(limit=LimitTif(tif)) for tif in ("Alo", "Ioc")}


def encode_place(orders: Sequence[NewOrder], asset_id: int) -> OrderAction:
    """The action that places these orders in one market."""
    return OrderAction(orders=tuple(_wire(order, asset_id) for order in orders), grouping="na")


def encode_replace(orders: Sequence[NewOrder], asset_id: int) -> BatchModifyAction:
    """The action that puts each of these orders in the place of the one it replaces."""
    return BatchModifyAction(
        tuple(
            ModifyWire(order.replaces, _wire(order, asset_id))
            for order in orders
            if order.replaces is not None
        )
    )


def _wire(order: NewOrder, asset_id: int) -> OrderWire:
    return OrderWire(
        a=asset_id,
        b=order.side is Side.BID,
        p=wire(order.px),
        s=wire(order.sz),
        r=order.reduce_only,
        t=_KINDS[order.tif],
        c=order.cloid,
    )


def encode_cancel(cloids: Sequence[Cloid], asset_id: int) -> CancelByCloidAction:
    """The action that cancels these orders of one market."""
    return CancelByCloidAction(tuple(CancelByCloidWire(asset_id, cloid) for cloid in cloids))
