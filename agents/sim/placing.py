"""Placing an account's orders: the checks in the venue's order, matching, and the answer."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from agents.market.instrument import wire as wire_text
from agents.market.types import Side
from agents.sim import rows
from agents.sim.accounts import Account, OrderRecord
from agents.sim.actions import OrderWire
from agents.sim.clearing import ZERO
from agents.sim.floor import Floor
from agents.sim.market import Placement, RestingOrder, Tif
from agents.sim.settle import book_executions, close_order, keep_reduce_only, venue_cancel
from agents.sim.universe import Listing

NOTIONAL_MIN_USD: Final = Decimal(10)
BAND_SHARE: Final = Decimal("0.95")
BAND_TEXT: Final = "Order price cannot be more than 95% away from the reference price"
OPEN_ORDERS_FREE: Final = 1_000
OPEN_ORDERS_MAX: Final = 5_000
USD_PER_OPEN_ORDER: Final = 5_000_000
VALUE_MAX_USD: Final = ((25, 30_000_000), (20, 5_000_000), (10, 2_000_000), (0, 500_000))
LIMIT_VALUE_FACTOR: Final = 10

Status = dict[str, object]


class Refusal(Exception):
    """An order is refused: its text, and the ``orderUpdates`` status where it gets a row."""

    def __init__(self, text: str, status: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


def place_batch(floor: Floor, account: Account, orders: Sequence[OrderWire]) -> list[Status]:
    """One status an order, in order; one for all where pre-validation refuses the batch."""
    if not orders:
        return [{"error": "Orders are empty"}]
    if any(_out_of_band(floor, order) for order in orders):
        return [{"error": BAND_TEXT}]
    return [place_one(floor, account, order) for order in orders]


def place_one(floor: Floor, account: Account, wire: OrderWire) -> Status:
    """Check, match and rest one order; the status of its answer."""
    listing = floor.universe.by_asset_id.get(wire.a)
    if listing is None:
        return {"error": f"Unknown asset. asset={wire.a}"}
    try:
        check_form(listing, wire)
        sz = _check_account(floor, account, listing, wire)
    except Refusal as refusal:
        return _refuse(floor, account, listing, wire, refusal)
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
        tif=_matching_tif(wire),
    )
    market = floor.disturb(listing.coin)
    before = market.touch()
    placement = market.place(order, floor.now_ms)
    record = OrderRecord(listing.coin, order, wire.t.limit.tif, "open", floor.now_ms, sz)
    account.remember(record)
    if placement.refusal == "alo":
        bid, ask = (wire_text(side.px) if side else "0" for side in before)
        text = f"Post only order would have immediately matched, bbo was {bid}@{ask}."
        return _reject(floor, account, record, Refusal(text, "badAloPxRejected"), wire.a)
    _take_out_own(floor, account, placement)
    if placement.refusal == "ioc":
        text = "Order could not immediately match against any resting orders."
        return _reject(floor, account, record, Refusal(text, "iocCancelRejected"), wire.a)
    return _settle(floor, account, record, placement)


def check_form(listing: Listing, wire: OrderWire) -> None:
    """What the order's own digits decide. Raises Refusal."""
    if listing.spec.delisted:
        raise Refusal("Trading is halted.")
    sz, px, instrument = wire.sz, wire.px, listing.instrument
    if not sz:
        raise Refusal("Order has zero size.")
    if not instrument.accepts_sz(sz):
        raise Refusal("Order has invalid size.")
    if not px:
        raise Refusal("Order has invalid price.")
    if not instrument.accepts_px(px):
        raise Refusal("Price must be divisible by tick size.", "tickRejected")


def _check_account(floor: Floor, account: Account, listing: Listing, wire: OrderWire) -> Decimal:
    """What position and money decide; the size that may be placed. Raises Refusal."""
    side, px, sz = Side.BID if wire.b else Side.ASK, wire.px, wire.sz
    szi = account.clearing(listing.dex).szi(listing.coin)
    if wire.r:
        if szi * side.sign >= 0:
            text = "Reduce only order would increase position."
            raise Refusal(text, "reduceOnlyRejected")
        sz = min(sz, abs(szi))
    closes_all = wire.r and sz == abs(szi)
    if px * sz < NOTIONAL_MIN_USD and not closes_all:
        raise Refusal("Order must have minimum value of $10.", "minTradeNtlRejected")
    value_max = next(
        usd for leverage, usd in VALUE_MAX_USD if listing.spec.leverage_max >= leverage
    )
    factor = 1 if _matching_tif(wire) == "Ioc" else LIMIT_VALUE_FACTOR
    if px * sz > value_max * factor:
        raise Refusal(f"Order value too large. Max is ${value_max * factor}.")
    if wire.c is not None and wire.c.lower() in account.live_cloids:
        raise Refusal("Client order id is already in use by a live order.")
    _check_open_orders(account, wire)
    if not wire.r:
        _check_margin(floor, account, listing, side, px * sz)
    return sz


def _check_open_orders(account: Account, wire: OrderWire) -> None:
    count = len(account.open)
    if count < OPEN_ORDERS_FREE:
        return
    allowed = OPEN_ORDERS_FREE + int(account.volume_usd / USD_PER_OPEN_ORDER)
    if wire.r or count >= min(allowed, OPEN_ORDERS_MAX):
        raise Refusal("Too many open orders", "tooManyOpenOrdersRejected")


def _check_margin(
    floor: Floor, account: Account, listing: Listing, side: Side, notional_usd: Decimal
) -> None:
    """Initial margin of positions and resting orders, this one included, within cross equity."""
    clearing = account.clearing(listing.dex)
    leverage, hold = clearing.leverage(listing), clearing.hold(listing.coin)
    before_usd = clearing.margin_usd(listing.coin, leverage, floor.mark_px)
    hold.add(side, notional_usd)
    after_usd = clearing.margin_usd(listing.coin, leverage, floor.mark_px)
    bound_usd = clearing.bound_usd(floor.mark_px, floor.listing)
    hold.add(side, -notional_usd)
    if after_usd > before_usd and bound_usd > clearing.cross_equity_usd(floor.mark_px):
        raise Refusal("Insufficient margin to place order.", "perpMarginRejected")


def _take_out_own(floor: Floor, account: Account, placement: Placement) -> None:
    for order in placement.self_cancelled:
        venue_cancel(floor, account, order.oid, "selfTradeCanceled")


def _settle(floor: Floor, account: Account, record: OrderRecord, placement: Placement) -> Status:
    order, listing = record.order, floor.listing(record.coin)
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


def _refuse(
    floor: Floor, account: Account, listing: Listing, wire: OrderWire, refusal: Refusal
) -> Status:
    """A refusal before matching; it has a row only where the venue names a status for it."""
    if refusal.status is None:
        return {"error": refusal.text}
    order = RestingOrder(
        oid=floor.next_oid(),
        owner=account.address,
        side=Side.BID if wire.b else Side.ASK,
        px=wire.px,
        sz=wire.sz,
        orig_sz=wire.sz,
        placed_ms=floor.now_ms,
        cloid=wire.c.lower() if wire.c else None,
        reduce_only=wire.r,
    )
    tif = wire.t.limit.tif
    record = OrderRecord(listing.coin, order, tif, refusal.status, floor.now_ms, order.sz)
    account.remember(record)
    return _reject(floor, account, record, refusal, wire.a)


def _reject(
    floor: Floor, account: Account, record: OrderRecord, refusal: Refusal, asset_id: int
) -> Status:
    assert refusal.status is not None
    floor.tell_order(account, record, refusal.status, record.order.orig_sz)
    suffix = "" if refusal.status == "tooManyOpenOrdersRejected" else f" asset={asset_id}"
    return {"error": refusal.text + suffix}


def _out_of_band(floor: Floor, wire: OrderWire) -> bool:
    listing = floor.universe.by_asset_id.get(wire.a)
    if listing is None or listing.spec.delisted:
        return False
    reference = floor.oracle_px(listing.coin)
    return abs(wire.px - reference) > BAND_SHARE * reference


def _matching_tif(wire: OrderWire) -> Tif:
    tif = wire.t.limit.tif
    return "Ioc" if tif == "FrontendMarket" else tif
