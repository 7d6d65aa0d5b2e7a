"""``/info`` about accounts: clearing state, orders, fills, limits and rates."""

from decimal import ROUND_DOWN, Decimal

from agents.market.types import Coin
from agents.sim import rows
from agents.sim.accounts import HISTORY_KEPT, Account
from agents.sim.allowance import cap, used
from agents.sim.clearing import ZERO, Clearing, Leverage, Position
from agents.sim.fees import MICRO
from agents.sim.floor import Floor
from agents.sim.margins import withdrawable_usd
from agents.sim.tiers import leverage_allowed, maintenance_usd
from agents.sim.universe import Listing


def clearing_state(floor: Floor, clearing: Clearing, now_ms: int) -> rows.Row:
    """``clearinghouseState`` of one DEX; the identities of its sums hold to the last digit.

    accountValue = totalRawUsd + sum(szi * mark);   totals = cross + sum of isolated
    """
    cross_usd = clearing.cross_equity_usd(floor.mark_px)
    totals = _Totals(cross_usd, clearing.raw_usd)
    positions = []
    for coin, position in clearing.positions.items():
        listing = floor.listing(coin)
        leverage = clearing.leverage(listing)
        mark_px = floor.mark_px(coin)
        totals.add(position, leverage, listing, mark_px)
        positions.append((listing, position, leverage, mark_px))
    asset_positions = [
        {
            "type": "oneWay",
            "position": _position_row(
                listing,
                position,
                leverage,
                mark_px,
                totals,
                clearing.paid_usd.get(listing.coin, ZERO),
            ),
        }
        for listing, position, leverage, mark_px in positions
    ]
    return {
        "marginSummary": totals.summary(),
        "crossMarginSummary": totals.cross_summary(),
        "crossMaintenanceMarginUsed": rows.micro(totals.maintenance_usd),
        "withdrawable": rows.number(withdrawable_usd(floor, clearing)),
        "assetPositions": asset_positions,
        "time": now_ms,
    }


class _Totals:
    """The sums of a clearing state, cross and whole."""

    def __init__(self, cross_usd: Decimal, raw_usd: Decimal) -> None:
        self.cross_usd = self.usd = cross_usd
        self.cross_raw_usd = self.raw_usd = raw_usd
        self.cross_notional_usd = self.notional_usd = ZERO
        self.cross_used_usd = self.used_usd = ZERO
        self.maintenance_usd = ZERO

    def add(
        self, position: Position, leverage: Leverage, listing: Listing, mark_px: Decimal
    ) -> None:
        value_usd = abs(position.szi) * mark_px
        self.notional_usd += value_usd
        if leverage.isolated:
            equity_usd = position.raw_usd + position.szi * mark_px
            self.usd += equity_usd
            self.raw_usd += position.raw_usd
            self.used_usd += equity_usd
            return
        used_usd = _floored(value_usd / leverage.value)
        self.cross_notional_usd += value_usd
        self.cross_used_usd += used_usd
        self.used_usd += used_usd
        self.maintenance_usd += _floored(maintenance_usd(listing.spec, value_usd))

    def summary(self) -> rows.Row:
        return _summary(self.usd, self.notional_usd, self.raw_usd, self.used_usd)

    def cross_summary(self) -> rows.Row:
        return _summary(
            self.cross_usd, self.cross_notional_usd, self.cross_raw_usd, self.cross_used_usd
        )


def _floored(usd: Decimal) -> Decimal:
    """What a position binds is told truncated, and summed as told."""
    return usd.quantize(MICRO, ROUND_DOWN)


def _summary(usd: Decimal, notional_usd: Decimal, raw_usd: Decimal, used_usd: Decimal) -> rows.Row:
    return {
        "accountValue": rows.number(usd),
        "totalNtlPos": rows.number(notional_usd),
        "totalRawUsd": rows.number(raw_usd),
        "totalMarginUsed": rows.micro(used_usd),
    }


def _position_row(
    listing: Listing,
    position: Position,
    leverage: Leverage,
    mark_px: Decimal,
    totals: _Totals,
    paid_usd: Decimal,
) -> rows.Row:
    value_usd = abs(position.szi) * mark_px
    equity_usd = position.raw_usd + position.szi * mark_px
    pnl_usd = position.szi * (mark_px - position.entry_px)
    margin_usd = equity_usd if leverage.isolated else _floored(value_usd / leverage.value)
    stake_usd = abs(position.szi) * position.entry_px / leverage.value
    liquidation_px = _liquidation_px(listing, position, leverage, mark_px, totals)
    return {
        "coin": listing.coin,
        "szi": rows.number(position.szi),
        "leverage": rows.leverage_row(leverage, position),
        "entryPx": rows.px_number(position.entry_px, listing),
        "positionValue": rows.number(value_usd),
        "unrealizedPnl": rows.micro(pnl_usd),
        "returnOnEquity": rows.fine(pnl_usd / stake_usd),
        "liquidationPx": None if liquidation_px is None else rows.fine(liquidation_px),
        "marginUsed": rows.micro(margin_usd),
        "maxLeverage": listing.spec.leverage_max,
        "cumFunding": {
            "allTime": rows.number(paid_usd),
            "sinceOpen": rows.number(position.paid_open_usd),
            "sinceChange": rows.number(position.paid_change_usd),
        },
    }


def _liquidation_px(
    listing: Listing, position: Position, leverage: Leverage, mark_px: Decimal, totals: _Totals
) -> Decimal | None:
    """Mark - side * margin available / |size| / (1 - l * side), l = 1 / (2 * max leverage)."""
    side = position.side.sign
    value_usd = abs(position.szi) * mark_px
    maintenance_share = Decimal(1) / (2 * leverage_allowed(listing.spec, value_usd))
    if leverage.isolated:
        needed_usd = maintenance_usd(listing.spec, value_usd)
        available_usd = position.raw_usd + position.szi * mark_px - needed_usd
    else:
        available_usd = totals.cross_usd - totals.maintenance_usd
    px = mark_px - side * available_usd / abs(position.szi) / (1 - maintenance_share * side)
    return px if px > 0 else None


def open_orders(floor: Floor, account: Account, dex: str, *, frontend: bool) -> list[rows.Row]:
    """Open orders of a DEX, newest first, with what remains of them; children in their parents."""
    shown = [
        record
        for record in reversed(account.open.values())
        if floor.listing(record.coin).dex == dex
        and not (record.trigger is not None and record.trigger.waiting)
    ]
    if not frontend:
        return [rows.order_row(record, record.order.sz) for record in shown]
    return [
        rows.frontend_row(
            record,
            record.order.sz,
            [account.open[oid] for oid in record.children if oid in account.open],
        )
        for record in shown
    ]


def order_status(account: Account, oid: int | str) -> rows.Row:
    """By oid or cloid, live or dead; the size as of the last change of status."""
    known = oid
    if isinstance(oid, str):
        cloid = oid.lower()
        known = account.known_cloids.get(cloid, account.past_cloids.get(cloid, -1))
    assert isinstance(known, int)
    record = account.known.get(known)
    if record is None:
        past = account.past_oids.get(known)
        return {"status": "unknownOid"} if past is None else {"status": "order", "order": past}
    order = {
        "order": rows.frontend_row(record, record.status_sz),
        "status": record.status,
        "statusTimestamp": record.status_ms,
    }
    return {"status": "order", "order": order}


def historical_orders(account: Account) -> list[rows.Row]:
    """Newest first, those of before a restart included."""
    found = [rows.history_row(event) for event in reversed(account.history)]
    return [*found, *reversed(account.past)][:HISTORY_KEPT]


def user_rate_limit(floor: Floor, account: Account) -> rows.Row:
    return {
        "cumVlm": rows.number(account.volume_usd),
        "nRequestsUsed": used(account),
        "nRequestsCap": cap(floor, account),
        "nRequestsSurplus": max(0, account.reserved - account.requests),
    }


def active_asset_data(floor: Floor, account: Account, coin: Coin) -> rows.Row:
    """Leverage, and what could be bought and sold at the mark."""
    listing = floor.listing(coin)
    clearing = account.clearing(listing.dex)
    leverage, position = clearing.leverage(listing), clearing.positions.get(coin)
    mark_px = floor.mark_px(coin)
    bound_usd = clearing.bound_usd(floor.mark_px, floor.listing)
    free_usd = max(ZERO, clearing.cross_equity_usd(floor.mark_px) - bound_usd)
    value_usd = position.szi * mark_px if position else ZERO
    available = [
        (free_usd + max(ZERO, 2 * sign * value_usd) / leverage.value).quantize(MICRO, ROUND_DOWN)
        for sign in (-1, 1)
    ]
    lot = Decimal(1).scaleb(-listing.spec.sz_decimals)
    sizes = [(usd * leverage.value / mark_px).quantize(lot, ROUND_DOWN) for usd in available]
    return {
        "user": account.address,
        "coin": coin,
        "leverage": rows.leverage_row(leverage, position),
        "maxTradeSzs": [rows.number(sz) for sz in sizes],
        "availableToTrade": [rows.number(usd) for usd in available],
        "markPx": rows.px_number(mark_px, listing),
    }
