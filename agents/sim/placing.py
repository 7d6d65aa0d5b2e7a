"""Placing an account's limit orders: the checks, matching, and the answer."""

from decimal import Decimal

from agents.market.instrument import wire as wire_text
from agents.market.types import Side
from agents.sim import rows
from agents.sim.accounts import Account, Fee, OrderRecord
from agents.sim.actions import OrderTif, OrderWire
from agents.sim.checks import Refusal, check_account, check_form, check_window
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor
from agents.sim.market import Placement, RestingOrder, Tif
from agents.sim.settle import (
    book_executions,
    close_order,
    keep_reduce_only,
    margin_cancels,
    venue_cancel,
)
from agents.sim.universe import Listing

Status = dict[str, object]


def place_one(floor: Floor, account: Account, wire: OrderWire, fee: Fee | None = None) -> Status:
    """Check, match and rest one limit order; the status of its answer."""
    listing = floor.universe.by_asset_id.get(wire.a)
    if listing is None:
        return {"error": f"Unknown asset. asset={wire.a}"}
    try:
        check_form(floor, listing, wire)
        check_window(floor, wire)
        sz = check_account(floor, account, listing, wire)
    except Refusal as refusal:
        return refuse(floor, account, listing, wire, refusal)
    record = new_record(floor, account, listing, wire, sz)
    record.fee = fee
    return match(floor, account, record, announced=False)


def new_record(
    floor: Floor, account: Account, listing: Listing, wire: OrderWire, sz: Decimal
) -> OrderRecord:
    """The record of an order that arrives now, under a fresh id; nobody knows of it yet."""
    order = RestingOrder(
        oid=floor.next_oid(),
        owner=account.address,
        side=Side.BID if wire.b else Side.ASK,
        px=wire.px,
        sz=sz,
        orig_sz=sz,
        placed_ms=floor.now_ms,
        cloid=wire.c.lower() if wire.c else None,
        reduce_only=wire.r,
        tif=_matching_tif(wire.tif),
    )
    return OrderRecord(listing.coin, order, wire.tif, "open", floor.now_ms, sz)


def match(floor: Floor, account: Account, record: OrderRecord, *, announced: bool) -> Status:
    """Let an order meet the book. ``announced``: its ``open`` row went out before."""
    order, listing = record.order, floor.listing(record.coin)
    market = floor.disturb(record.coin)
    before = market.touch()
    placement = market.place(order, floor.now_ms)
    floor.forget_mark(record.coin)
    account.remember(record)
    margin_cancels(floor)
    if placement.refusal == "alo":
        bid, ask = (wire_text(side.px) if side else "0" for side in before)
        text = f"Post only order would have immediately matched, bbo was {bid}@{ask}."
        return reject(floor, account, record, Refusal(text, "badAloPxRejected"))
    _take_out_own(floor, account, placement)
    if placement.refusal == "ioc":
        refusal = Refusal(
            "Order could not immediately match against any resting orders.", "iocCancelRejected"
        )
        unmet = record.tif == "FrontendMarket" and before[order.side is Side.BID] is None
        if record.trigger is not None or unmet:
            text = "No liquidity available for market order."
            refusal = Refusal(text, "marketOrderNoLiquidityRejected")
        return reject(floor, account, record, refusal)
    return _settle(floor, account, listing, record, placement, announced=announced)


def _take_out_own(floor: Floor, account: Account, placement: Placement) -> None:
    for order in placement.self_cancelled:
        venue_cancel(floor, account, order.oid, "selfTradeCanceled")


def _settle(
    floor: Floor,
    account: Account,
    listing: Listing,
    record: OrderRecord,
    placement: Placement,
    *,
    announced: bool,
) -> Status:
    order = record.order
    if not announced:
        floor.tell_order(account, record, "open", order.orig_sz)
    account.open[order.oid] = record
    if order.cloid is not None:
        account.live_cloids[order.cloid] = order.oid
    if order.reduce_only:
        account.reduce_only.setdefault(record.coin, []).append(order.oid)
    else:
        clearing = account.clearing(listing.dex)
        clearing.hold(record.coin).add(order.side, order.px * order.sz)
    floor.tell_change(account, listing.dex, orders=True, money=False)
    if placement.executions:
        book_executions(floor, record.coin, placement.executions, printed=True)
    if not placement.resting:
        status = "canceled" if order.sz else "filled"
        close_order(floor, account, order.oid, status, order.sz)
    keep_reduce_only(floor, account, listing)
    answer: Status = {"oid": order.oid}
    if placement.executions and not placement.resting:
        filled_sz = sum((execution.sz for execution in placement.executions), ZERO)
        paid_usd = sum((execution.px * execution.sz for execution in placement.executions), ZERO)
        answer = {
            "totalSz": rows.number(filled_sz),
            "avgPx": rows.px_number(paid_usd / filled_sz, listing),
            "oid": order.oid,
        }
    if order.cloid is not None:
        answer["cloid"] = order.cloid
    return {"resting" if placement.resting else "filled": answer}


def refuse(
    floor: Floor, account: Account, listing: Listing, wire: OrderWire, refusal: Refusal
) -> Status:
    """A refusal before matching; it has a row only where the venue names a status for it."""
    if refusal.status is None:
        return {"error": refusal.text}
    record = new_record(floor, account, listing, wire, wire.sz)
    account.remember(record)
    return reject(floor, account, record, refusal)


def reject(floor: Floor, account: Account, record: OrderRecord, refusal: Refusal) -> Status:
    """A refusal that has a row of its own."""
    assert refusal.status is not None
    floor.tell_order(account, record, refusal.status, record.order.orig_sz)
    asset_id = floor.listing(record.coin).asset_id
    suffix = "" if refusal.status == "tooManyOpenOrdersRejected" else f" asset={asset_id}"
    return {"error": refusal.text + suffix}


def _matching_tif(tif: OrderTif | None) -> Tif:
    """A trigger order has none until it fires; it rests nowhere meanwhile."""
    if tif is None:
        return "Gtc"
    return "Ioc" if tif == "FrontendMarket" else tif
