"""What every placement must pass before it is signed, whatever its agent believes."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

import msgspec

from agents.exchange.wire import OrderAction, OrderWire
from agents.market.instrument import Instrument
from agents.market.types import Side
from fleet.gateway.core.limits import Exposure, within

DIRECTIVE_MAX_MS: Final = 120_000
ORDERS_MAX: Final = 40
COLLAR_BPS: Final = 1_000.0
BPS: Final = 10_000.0
_SZ_MAX: Final = Decimal(10) ** 15


class Refused(msgspec.Struct, frozen=True):
    """Nothing is sent. ``reason`` is typed (downstream protocol), ``text`` for people."""

    reason: str
    text: str


class Door(msgspec.Struct, frozen=True):
    """What the door knows of a market at the moment of a placement.

    ``shut``: why the fence is closed. ``latched``: the fleet is halted, or the caretaker closes
    the position: nothing passes. ``mode`` None: no directive was ever given.
    ``mark_usd``: USD per coin; ``references``: mark and oracle by name, in the DEX's collateral.
    ``caution``: why the whole fleet adds nothing; ``stale``: what is wrong with the market's data;
    ``runs_away``: why the market is to slow down. ``sends``: whether so many orders may leave now.
    ``capped``: by the sizes added on each side, which of the fleet's caps would break.
    """

    instrument: Instrument
    cloid_prefix: str
    shut: str | None
    latched: bool
    paused: bool
    draining: bool
    mode: Literal["normal", "reduce_only", "halt"] | None
    directive_age_ms: int
    exposure: Exposure
    mark_usd: float | None
    position_max_usd: float
    is_duplicate: Callable[[str], bool]
    collar_bps: float = COLLAR_BPS
    order_value_max_usd: float | None = None
    references: tuple[tuple[str, float], ...] = ()
    caution: str | None = None
    stale: str | None = None
    runs_away: str | None = None
    sends: Callable[[int], bool] = lambda _: True
    capped: Callable[[Mapping[Side, Decimal]], str | None] = lambda _: None


class Checked(msgspec.Struct, frozen=True):
    """One order that passed, as numbers."""

    cloid: str
    side: Side
    px: Decimal
    sz: Decimal
    reduce_only: bool


def check(action: OrderAction, door: Door) -> tuple[Checked, ...] | Refused:  # noqa: PLR0911  (one return a refusal)
    """Every order of the action, or why none of it is sent.

    What only reduces passes every control but the latch, the fence and the grid (I14).
    """
    if not 0 < len(action.orders) <= ORDERS_MAX or action.builder is not None:
        return Refused("malformed", f"1 to {ORDERS_MAX} orders, no builder")
    if action.grouping != "na":
        return Refused("malformed", "grouping must be na")
    if door.latched:
        return Refused("fenced", door.shut or "halted")
    added = {Side.BID: Decimal(0), Side.ASK: Decimal(0)}
    checked: list[Checked] = []
    for wire in action.orders:
        order = _read(wire, door)
        if isinstance(order, Refused):
            return order
        if any(order.cloid == other.cloid for other in checked):
            return Refused("duplicate", f"{order.cloid} stands twice in the batch")
        if not order.reduce_only:
            added[order.side] += order.sz
            refused = _risk(order, added[order.side], door)
            if refused is not None:
                return refused
        checked.append(order)
    return _whole(added, len(checked), door) or tuple(checked)


def _whole(added: Mapping[Side, Decimal], orders: int, door: Door) -> Refused | None:
    """What is judged of the batch at once, if any of it adds."""
    grows = {s: sz for s, sz in added.items() if sz and not door.exposure.reduces(s, sz)}
    if not grows:
        return None
    broken = door.capped(grows)
    if broken is not None:
        return Refused(f"limit:{broken.partition(':')[0]}", broken)
    if not door.sends(orders):
        return Refused("throttle", "more orders a second than a market may send")
    return None


def _read(wire: OrderWire, door: Door) -> Checked | Refused:  # noqa: PLR0911  (one return a refusal)
    if wire.a != door.instrument.asset_id:
        return Refused("malformed", f"asset {wire.a} is not {door.instrument.coin}'s")
    limit = wire.t.limit
    if limit is None or (limit.tif != "Alo" and not wire.r):
        return Refused("not_post_only", "only Alo, unless reduce-only")
    takes = limit.tif != "Alo"
    cloid = (wire.c or "").lower()
    if len(cloid) != 34 or not cloid.startswith("0x" + door.cloid_prefix) or cloid != wire.c:
        return Refused("malformed", f"cloid {wire.c} is not of this lease")
    if door.is_duplicate(cloid):
        return Refused("duplicate", f"{cloid} was used before")
    try:
        px, sz = Decimal(wire.p), Decimal(wire.s)
    except InvalidOperation:
        return Refused("malformed", f"price {wire.p!r}, size {wire.s!r}")
    if not (px.is_finite() and sz.is_finite() and 0 < sz < _SZ_MAX):
        return Refused("malformed", f"price {wire.p!r}, size {wire.s!r}")
    if not door.instrument.accepts_px(px) or not door.instrument.accepts_sz(sz):
        return Refused("malformed", f"{wire.p} x {wire.s} is off the venue's grid")
    side = Side.BID if wire.b else Side.ASK
    beyond = _beyond(px, side, door) if takes else None
    if beyond is not None:  # a close that takes is no quote: at a price gone wrong it would lose
        return Refused("collar", beyond)
    return Checked(cloid=cloid, side=side, px=px, sz=sz, reduce_only=wire.r)


def _beyond(px: Decimal, side: Side, door: Door) -> str | None:
    """Why a price is too bad for us: a bid too high, an ask too low, against mark or oracle."""
    for name, reference_px in door.references:
        beyond_bps = side.sign * (float(px) / reference_px - 1.0) * BPS
        if beyond_bps > door.collar_bps:
            return f"{px} is {beyond_bps:.0f} bps beyond the {name}, {reference_px:g}"
    return None


def _risk(order: Checked, added_sz: Decimal, door: Door) -> Refused | None:  # noqa: PLR0911  (one return a refusal)
    """``added_sz``: this order and those before it in the batch, on its side."""
    if door.shut is not None:
        return Refused("fenced", door.shut)
    if door.mode == "halt":
        return Refused("fenced", "risk says halt")
    if door.paused:
        return Refused("fenced", "paused")
    if door.exposure.reduces(order.side, added_sz):
        return None
    why = _not_now(door) or door.caution
    if why is not None:
        return Refused("fenced", why)
    if door.stale is not None:
        return Refused("stale", door.stale)
    return _limits(order, added_sz, door)


def _limits(order: Checked, added_sz: Decimal, door: Door) -> Refused | None:
    """What an order that adds must keep to."""
    if door.mark_usd is None:
        return Refused("limit:no_mark", "no mark price is known yet")
    if not within(
        door.exposure, order.side, added_sz,
        mark_usd=door.mark_usd, position_max_usd=door.position_max_usd,
    ):  # fmt: skip
        return Refused("limit:position", f"position_max_usd {door.position_max_usd:g}")
    value_usd = float(order.sz) * door.mark_usd
    if door.order_value_max_usd is not None and value_usd > door.order_value_max_usd:
        text = f"{value_usd:.0f} USD in one order, order_value_max_usd {door.order_value_max_usd:g}"
        return Refused("limit:order_value", text)
    beyond = _beyond(order.px, order.side, door)
    if beyond is not None:
        return Refused("collar", beyond)
    return None if door.runs_away is None else Refused("throttle", door.runs_away)


def _not_now(door: Door) -> str | None:
    """Why nothing is added to this market."""
    if door.draining:
        return "draining: only what reduces"
    if door.mode is None or door.directive_age_ms > DIRECTIVE_MAX_MS:
        return "no directive of the risk actor within 120 s"
    if door.mode == "reduce_only":
        return "risk says reduce-only"
    return None
