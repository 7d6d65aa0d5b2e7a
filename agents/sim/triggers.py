"""Trigger orders: taken beside the book, fired by the mark, tied to parents and siblings."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from agents.market.types import Side
from agents.sim.accounts import Account, Fee, OrderRecord, Trigger
from agents.sim.actions import Order, OrderWire, PriorityRate
from agents.sim.checks import (
    BAND_TEXT,
    NOTIONAL_MIN_USD,
    Refusal,
    check_form,
    check_open_orders,
    check_value,
    out_of_band,
)
from agents.sim.floor import Floor
from agents.sim.market import RestingOrder
from agents.sim.placing import Status, match, new_record, place_one, refuse
from agents.sim.settle import close_order
from agents.sim.standing import BUILDER_FEE_MAX
from agents.sim.universe import Listing

SLIPPAGE_SHARE: Final = Decimal("0.1")
CHILDREN_MAX: Final = 2
UNPAID: Final = "Insufficient delegatable balance for priority order"
NO_CLOID_TEXT: Final = "Client order id is already in use by a live order."

Answer = Status | str


def place_batch(floor: Floor, account: Account, action: Order) -> list[Answer]:
    """One status an order, in order; one for all where pre-validation refuses the batch."""
    orders = action.orders
    text = _malformed(floor, action)
    if text is not None:
        return [{"error": text}]
    fee = _fee(account, action)
    if isinstance(action.grouping, PriorityRate):
        return [{"error": UNPAID} for _ in orders]
    if isinstance(fee, str):
        return [{"error": fee} for _ in orders]
    if action.grouping == "normalTpsl":
        return _with_children(floor, account, orders, fee)
    whole = action.grouping == "positionTpsl"
    group = floor.last_oid + 1 if whole else 0
    return [place_any(floor, account, order, fee, whole=whole, group=group) for order in orders]


def place_any(
    floor: Floor,
    account: Account,
    wire: OrderWire,
    fee: Fee | None = None,
    *,
    whole: bool = False,
    group: int = 0,
) -> Answer:
    """A limit order into the book, a trigger order beside it.

    One that stands alone answers its id, as what rests does; one that follows the position waits.
    """
    if wire.t.trigger is None:
        return place_one(floor, account, wire, fee)
    record = _place_trigger(floor, account, wire, whole=whole, group=group, waiting=False)
    if isinstance(record, OrderRecord):
        record.fee = fee
        return "waitingForTrigger" if whole else {"resting": _named(record.order)}
    return record


def _named(order: RestingOrder) -> Status:
    named: Status = {"oid": order.oid}
    return named if order.cloid is None else named | {"cloid": order.cloid}


def _fee(account: Account, action: Order) -> Fee | str | None:
    """What a builder gets, or the text where the account never allowed it."""
    if action.builder is None or not action.builder.f:
        return None
    builder = action.builder.b.lower()
    if action.builder.f > min(BUILDER_FEE_MAX, account.builders.get(builder, 0)):
        return "Builder fee has not been approved."
    return Fee(builder, action.builder.f)


def _malformed(floor: Floor, action: Order) -> str | None:
    """Pre-validation: what the batch alone decides."""
    orders = action.orders
    if not orders:
        return "Orders are empty"
    if any(out_of_band(floor, order) for order in orders):
        return BAND_TEXT
    triggers = [order for order in orders if order.t.trigger is not None]
    if any(not order.r for order in triggers):
        return "Trigger order is not reduce only."
    return _misgrouped(action, triggers)


def _misgrouped(action: Order, triggers: list[OrderWire]) -> str | None:
    parents = {"positionTpsl": 0, "normalTpsl": 1}.get(str(action.grouping))
    if parents is None:
        return None
    children = list(action.orders[parents:])
    if triggers != children or not 1 <= len(children) <= CHILDREN_MAX:
        return "Unexpected number of trigger orders"
    if parents and any(child.b == action.orders[0].b for child in children):
        return "Trigger order has unexpected side."
    return None


def _with_children(
    floor: Floor, account: Account, orders: Sequence[OrderWire], fee: Fee | None
) -> list[Answer]:
    """A parent and its take-profit and stop-loss, which wait until it is filled."""
    first = place_one(floor, account, orders[0], fee)
    if "error" in first:
        return [first, *({"error": first["error"]} for _ in orders[1:])]
    placed = first.get("resting") or first["filled"]
    assert isinstance(placed, dict)
    oid = placed["oid"]
    parent = account.open.get(oid)
    answers: list[Answer] = [first]
    children: list[int] = []
    for wire in orders[1:]:
        record = _place_trigger(
            floor, account, wire, whole=False, group=oid, waiting=parent is not None
        )
        if not isinstance(record, OrderRecord):
            answers.append(record)
            continue
        record.fee = fee
        children.append(record.order.oid)
        answers.append("waitingForTrigger" if parent is None else "waitingForFill")
    if parent is not None:
        parent.children = tuple(children)
    return answers


def _place_trigger(
    floor: Floor, account: Account, wire: OrderWire, *, whole: bool, group: int, waiting: bool
) -> OrderRecord | Status:
    listing = floor.universe.by_asset_id.get(wire.a)
    if listing is None:
        return {"error": f"Unknown asset. asset={wire.a}"}
    try:
        check_form(floor, listing, wire, whole=whole)
        _check(floor, account, listing, wire, waiting=waiting)
    except Refusal as refusal:
        return refuse(floor, account, listing, wire, refusal)
    terms = wire.t.trigger
    assert terms is not None
    record = new_record(floor, account, listing, wire, wire.sz)
    record.trigger = Trigger(
        px=Decimal(terms.trigger_px),
        is_market=terms.is_market,
        tpsl=terms.tpsl,
        whole=whole or not wire.sz,
        waiting=waiting,
        group=group,
    )
    oid = record.order.oid
    account.remember(record)
    account.open[oid] = record
    if record.order.cloid is not None:
        account.live_cloids[record.order.cloid] = oid
    floor.arm(listing.coin, oid, account.address)
    floor.tell_order(account, record, "open", record.order.orig_sz)
    floor.tell_change(account, listing.dex, orders=True, money=False)
    return record


def _check(
    floor: Floor, account: Account, listing: Listing, wire: OrderWire, *, waiting: bool
) -> None:
    terms = wire.t.trigger
    assert terms is not None
    trigger_px = Decimal(terms.trigger_px)
    if wire.sz and trigger_px * wire.sz < NOTIONAL_MIN_USD:
        raise Refusal("Order must have minimum value of $10.", "minTradeNtlRejected")
    check_value(listing, trigger_px * wire.sz, takes=terms.is_market)
    if wire.c is not None and wire.c.lower() in account.live_cloids:
        raise Refusal(NO_CLOID_TEXT)
    check_open_orders(account, only_reduces=True)
    mark_px = floor.mark_px(listing.coin)
    falls = wire.b == (terms.tpsl == "tp")
    passed = mark_px <= trigger_px if falls else mark_px >= trigger_px
    if passed and not waiting:
        raise Refusal("Invalid TP/SL price.", "badTriggerPxRejected")


def condition(record: OrderRecord) -> str:
    """``Above`` or ``Below``: from where the mark must come to fire it."""
    assert record.trigger is not None
    buys = record.order.side is Side.BID
    return "below" if buys == (record.trigger.tpsl == "tp") else "above"


def fire_due(floor: Floor) -> None:
    """Fire every armed trigger order whose price the mark has reached, by coin, then by age."""
    for coin in floor.triggers:
        armed = floor.triggers[coin]
        if not armed or coin in floor.halted:
            continue
        mark_px = floor.mark_px(coin)
        for oid in tuple(armed):
            owner = armed.get(oid)
            record = floor.accounts[owner].open.get(oid) if owner is not None else None
            if owner is None or record is None or record.trigger is None:
                continue
            if not record.trigger.waiting and _reached(record, mark_px):
                _fire(floor, floor.accounts[owner], record)


def _reached(record: OrderRecord, mark_px: Decimal) -> bool:
    assert record.trigger is not None
    if condition(record) == "below":
        return mark_px <= record.trigger.px
    return mark_px >= record.trigger.px


def _fire(floor: Floor, account: Account, record: OrderRecord) -> None:
    """It turns into a limit or market order of the same id, as far as there is a position."""
    order, trigger, listing = record.order, record.trigger, floor.listing(record.coin)
    assert trigger is not None
    floor.disarm(record.coin, order.oid)
    del account.open[order.oid]
    if order.cloid is not None:
        account.live_cloids.pop(order.cloid, None)
    floor.tell_order(account, record, "triggered", order.sz)
    szi = account.clearing(listing.dex).szi(record.coin)
    if szi * order.side.sign >= 0:
        floor.tell_order(account, record, "reduceOnlyRejected", order.sz)
        floor.tell_change(account, listing.dex, orders=True, money=False)
        return
    order.sz = order.orig_sz = abs(szi) if trigger.whole else min(order.sz, abs(szi))
    if trigger.is_market:
        order.tif, record.tif = "Ioc", "FrontendMarket"
        _loosen(floor, listing, order)
    else:
        order.tif, record.tif = "Gtc", "Gtc"
    floor.firing = trigger.group or None
    match(floor, account, record, announced=True)
    floor.firing = None
    if record.status == "filled" and trigger.group:
        _cancel_siblings(floor, account, record, trigger.group)


def _loosen(floor: Floor, listing: Listing, order: RestingOrder) -> None:
    """A market order takes up to a tenth through the mark."""
    mark_px = floor.mark_px(listing.coin)
    step = Decimal(1).scaleb(-listing.px_decimals)
    order.px = (mark_px * (1 + order.side.sign * SLIPPAGE_SHARE)).quantize(step)


def _cancel_siblings(floor: Floor, account: Account, fired: OrderRecord, group: int) -> None:
    for oid in tuple(floor.triggers[fired.coin]):
        record = account.open.get(oid)
        if record is None or record.trigger is None or record.trigger.group != group:
            continue
        close_order(floor, account, oid, "siblingFilledCanceled", record.order.sz)
        floor.tell_venue_cancel(account, record)
