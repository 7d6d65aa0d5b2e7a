"""What the venue asks of an order before it may match: its checks, in order, and their texts."""

from decimal import Decimal
from typing import Final

from agents.market.types import Side
from agents.sim.accounts import Account
from agents.sim.actions import OrderWire
from agents.sim.floor import Floor
from agents.sim.open_interest import refusal as open_interest_refusal
from agents.sim.tiers import leverage_allowed
from agents.sim.universe import Listing

NOTIONAL_MIN_USD: Final = Decimal(10)
BAND_SHARE: Final = Decimal("0.95")
BAND_TEXT: Final = "Order price cannot be more than 95% away from the reference price"
OPEN_ORDERS_FREE: Final = 1_000
OPEN_ORDERS_MAX: Final = 5_000
USD_PER_OPEN_ORDER: Final = 5_000_000
VALUE_MAX_USD: Final = ((25, 30_000_000), (20, 5_000_000), (10, 2_000_000), (0, 500_000))
LIMIT_VALUE_FACTOR: Final = 10
HALTED: Final = "Trading is halted."
POST_ONLY: Final = "Only post-only orders allowed immediately after a network upgrade"
ORACLE_SHARE: Final = Decimal("0.5")
"""How far beyond the oracle an order may reach when it executes."""
FAR: Final = "Order price too far from oracle"


class Refusal(Exception):
    """An order is refused: its text, and the ``orderUpdates`` status where it gets a row."""

    def __init__(self, text: str, status: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


def out_of_band(floor: Floor, wire: OrderWire) -> bool:
    """Pre-validation: a limit price that is nowhere near the oracle."""
    listing = floor.universe.by_asset_id.get(wire.a)
    if listing is None or listing.spec.delisted or not wire.px:
        return False
    reference = floor.oracle_px(listing.coin)
    return abs(wire.px - reference) > BAND_SHARE * reference


def check_form(floor: Floor, listing: Listing, wire: OrderWire, *, whole: bool = False) -> None:
    """What the order's own digits decide; ``whole``: size 0 means the position. Raises Refusal."""
    if listing.spec.delisted or listing.coin in floor.halted:
        raise Refusal(HALTED)
    sz, px, instrument = wire.sz, wire.px, listing.instrument
    if not sz and not whole:
        raise Refusal("Order has zero size.")
    if sz and not instrument.accepts_sz(sz):
        raise Refusal("Order has invalid size.")
    if not px:
        raise Refusal("Order has invalid price.")
    if not instrument.accepts_px(px):
        raise Refusal("Price must be divisible by tick size.", "tickRejected")
    trigger = wire.t.trigger
    if trigger is None:
        return
    trigger_px = Decimal(trigger.trigger_px)
    if not trigger_px:
        raise Refusal("Invalid TP/SL price.", "badTriggerPxRejected")
    if not instrument.accepts_px(trigger_px):
        raise Refusal("Price must be divisible by tick size.", "tickRejected")


def check_window(floor: Floor, wire: OrderWire) -> None:
    """After an upgrade nothing may take for a while. Raises Refusal."""
    if floor.post_only and wire.tif != "Alo":
        raise Refusal(POST_ONLY, "rejected")


def check_account(floor: Floor, account: Account, listing: Listing, wire: OrderWire) -> Decimal:
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
    check_value(listing, px * sz, takes=wire.tif in {"Ioc", "FrontendMarket"})
    if wire.c is not None and wire.c.lower() in account.live_cloids:
        raise Refusal("Client order id is already in use by a live order.")
    check_open_orders(account, only_reduces=wire.r)
    oracle_px = floor.oracle_px(listing.coin)
    if side.sign * (px - oracle_px) > ORACLE_SHARE * oracle_px:
        raise Refusal(FAR, "oracleRejected")
    if not wire.r:
        _check_open_interest(floor, account, listing, side, px, sz)
        _check_tier(floor, account, listing, side, sz)
        _check_margin(floor, account, listing, side, px * sz)
    return sz


def check_value(listing: Listing, notional_usd: Decimal, *, takes: bool) -> None:
    """The most one order may be worth, by the market's leverage. Raises Refusal."""
    value_max = next(
        usd for leverage, usd in VALUE_MAX_USD if listing.spec.leverage_max >= leverage
    )
    factor = 1 if takes else LIMIT_VALUE_FACTOR
    if notional_usd > value_max * factor:
        raise Refusal(f"Order value too large. Max is ${value_max * factor}.")


def check_open_orders(account: Account, *, only_reduces: bool) -> None:
    """The cap on open orders; beyond 1000, none that only reduces. Raises Refusal."""
    count = len(account.open)
    if count < OPEN_ORDERS_FREE:
        return
    allowed = OPEN_ORDERS_FREE + int(account.volume_usd / USD_PER_OPEN_ORDER)
    if only_reduces or count >= min(allowed, OPEN_ORDERS_MAX):
        raise Refusal("Too many open orders", "tooManyOpenOrdersRejected")


def _check_open_interest(
    floor: Floor, account: Account, listing: Listing, side: Side, px: Decimal, sz: Decimal
) -> None:
    szi = account.clearing(listing.dex).szi(listing.coin)
    if abs(szi + side.sign * sz) <= abs(szi):
        return
    refused = open_interest_refusal(floor, listing, szi, side, px)
    if refused is not None:
        raise Refusal(*refused)


def _check_tier(floor: Floor, account: Account, listing: Listing, side: Side, sz: Decimal) -> None:
    spec = listing.spec
    if not spec.margin_table:
        return
    clearing = account.clearing(listing.dex)
    szi = clearing.szi(listing.coin)
    after = abs(szi + side.sign * sz)
    if after <= abs(szi):
        return
    notional_usd = after * floor.mark_px(listing.coin)
    if clearing.leverage(listing).value > leverage_allowed(spec, notional_usd):
        text = "Order would cause position to exceed margin tier limit at current leverage"
        raise Refusal(text, "perpMaxPositionRejected")


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
