"""The venue's row shapes: key names, their order, and numbers as its answers carry them."""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b

from agents.market.instrument import wire
from agents.market.types import Side
from agents.sim.accounts import OrderEvent, OrderRecord
from agents.sim.clearing import Leverage, Position
from agents.sim.market import Touch
from agents.sim.universe import Listing

Row = dict[str, object]

_MICRO = Decimal("0.000001")
_TENTH_NANO = Decimal("1e-10")


def number(value: Decimal) -> str:
    """Shortest decimal form with at least one fractional digit; no exponent, no plus."""
    text = format(value, "f")
    if "." not in text:
        return "0.0" if text == "-0" else text + ".0"
    text = text.rstrip("0")
    if text.endswith("."):
        text += "0"
    return "0.0" if text == "-0.0" else text


def micro(value: Decimal) -> str:
    """A USD amount: at most six decimals."""
    return number(value.quantize(_MICRO))


def fine(value: Decimal) -> str:
    """A rate or a liquidation price: at most ten decimals."""
    return number(value.quantize(_TENTH_NANO))


def px_number(value: Decimal, listing: Listing) -> str:
    """A mark, oracle, entry or average price: at most ``6 - sz_decimals`` decimals."""
    return number(value.quantize(Decimal(1).scaleb(-listing.px_decimals)))


def pseudo_address(name: str) -> str:
    """A stable address for a participant that has only a name."""
    return "0x" + blake2b(name.encode(), digest_size=20).hexdigest()


def trade_id(buyer_oid: int, seller_oid: int) -> int:
    """50 bits of a hash of both order ids: the same on both sides of a trade."""
    digest = blake2b(f"{buyer_oid}:{seller_oid}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 14


def transaction_hash(block: int, sequence: int) -> str:
    """A stable hash for one action of one block."""
    return "0x" + blake2b(f"{block}:{sequence}".encode(), digest_size=32).hexdigest()


def order_row(record: OrderRecord, sz: Decimal) -> Row:
    """An order as ``openOrders`` and ``orderUpdates`` show it."""
    order = record.order
    row: Row = {
        "coin": record.coin,
        "side": order.side.value,
        "limitPx": number(order.px),
        "sz": number(sz),
        "oid": order.oid,
        "timestamp": order.placed_ms,
        "origSz": number(order.orig_sz),
    }
    if order.cloid is not None:
        row["cloid"] = order.cloid
    if order.reduce_only:
        row["reduceOnly"] = True
    return row


def order_update(record: OrderRecord) -> Row:
    """An ``orderUpdates`` row of the record's present status."""
    return {
        "order": order_row(record, record.status_sz),
        "status": record.status,
        "statusTimestamp": record.status_ms,
    }


def frontend_row(record: OrderRecord, sz: Decimal, children: Sequence[OrderRecord] = ()) -> Row:
    """An order as ``frontendOpenOrders`` shows it."""
    order, trigger = record.order, record.trigger
    kind, condition = "Limit", "N/A"
    if trigger is not None:
        kind = "Take Profit " if trigger.tpsl == "tp" else "Stop "
        kind += "Market" if trigger.is_market else "Limit"
        falls = (order.side is Side.BID) == (trigger.tpsl == "tp")
        condition = f"Price {'below' if falls else 'above'} {wire(trigger.px)}"
    elif record.tif == "FrontendMarket":
        kind = "Market"
    return {
        "coin": record.coin,
        "side": order.side.value,
        "limitPx": number(order.px),
        "sz": number(sz),
        "oid": order.oid,
        "timestamp": order.placed_ms,
        "triggerCondition": condition,
        "isTrigger": trigger is not None,
        "triggerPx": "0.0" if trigger is None else number(trigger.px),
        "children": [frontend_row(child, child.order.sz) for child in children],
        "isPositionTpsl": trigger is not None and trigger.whole,
        "reduceOnly": order.reduce_only,
        "orderType": kind,
        "origSz": number(order.orig_sz),
        "tif": record.tif,
        "cloid": order.cloid,
    }


def history_row(event: OrderEvent) -> Row:
    """A line of ``historicalOrders``."""
    return {
        "order": frontend_row(event.record, event.sz),
        "status": event.status,
        "statusTimestamp": event.status_ms,
    }


def level_row(px: Decimal, sz: Decimal, n: int) -> Row:
    return {"px": number(px), "sz": number(sz), "n": n}


def touch_row(touch: Touch | None) -> Row | None:
    return None if touch is None else level_row(touch.px, touch.sz, touch.n)


def leverage_row(leverage: Leverage, position: Position | None) -> Row:
    row: Row = {"type": "isolated" if leverage.isolated else "cross", "value": leverage.value}
    if leverage.isolated:
        row["rawUsd"] = "0.0" if position is None else number(position.raw_usd)
    return row
