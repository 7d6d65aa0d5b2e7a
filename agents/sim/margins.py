"""Leverage and isolated margin: what an account sets for a coin, and moving cash to match."""

from decimal import ROUND_DOWN, ROUND_UP, Decimal

from agents.sim.accounts import Account
from agents.sim.actions_account import (
    TopUpIsolatedOnlyMargin,
    UpdateIsolatedMargin,
    UpdateLeverage,
)
from agents.sim.clearing import ZERO, Clearing, Leverage, Position
from agents.sim.fees import MICRO
from agents.sim.floor import Floor
from agents.sim.tiers import leverage_allowed
from agents.sim.universe import Listing

TRANSFER_SHARE = Decimal("0.1")
STRICT = "Cannot remove isolated margin for this asset. To remove margin, reduce the position."
SHORT = "Account does not have sufficient margin available for increase."


def update_leverage(floor: Floor, account: Account, action: UpdateLeverage) -> str | None:
    """Set a coin's leverage and mode; the venue's text where it refuses."""
    listing = floor.universe.by_asset_id.get(action.asset)
    if listing is None or not 1 <= action.leverage <= listing.spec.leverage_max:
        return "Invalid leverage value"
    if action.is_cross and listing.isolated_only:
        return "Cross margin is not allowed for this asset."
    clearing = account.clearing(listing.dex)
    value_usd = abs(clearing.szi(listing.coin)) * floor.mark_px(listing.coin)
    if value_usd and action.leverage > leverage_allowed(listing.spec, value_usd):
        return "Invalid leverage value"
    before = clearing.leverage(listing)
    after = Leverage(action.leverage, not action.is_cross)
    if before.isolated != after.isolated and _engaged(account, clearing, listing):
        return "Cannot switch leverage type with open position."
    clearing.leverages[listing.coin] = after
    refusal = _fit(floor, clearing, listing, before, after)
    if refusal is not None:
        clearing.leverages[listing.coin] = before
        return refusal
    floor.tell_change(account, listing.dex, orders=False, money=True)
    return None


def _engaged(account: Account, clearing: Clearing, listing: Listing) -> bool:
    return listing.coin in clearing.positions or any(
        record.coin == listing.coin for record in account.open.values()
    )


def _fit(
    floor: Floor, clearing: Clearing, listing: Listing, before: Leverage, after: Leverage
) -> str | None:
    """Lowering leverage needs margin: an isolated position is topped up, a cross one re-counted."""
    if after.value >= before.value:
        return None
    position = clearing.positions.get(listing.coin)
    top_up_usd = ZERO
    if after.isolated and position is not None:
        value_usd = position.szi * floor.mark_px(listing.coin)
        wanted_usd = (abs(value_usd) / after.value).quantize(MICRO, rounding=ROUND_UP)
        top_up_usd = max(ZERO, wanted_usd - (position.raw_usd + value_usd))
    if _free_usd(floor, clearing) < top_up_usd:
        return SHORT
    if position is not None:
        clearing.raw_usd -= top_up_usd
        position.raw_usd += top_up_usd
    return None


def _free_usd(floor: Floor, clearing: Clearing) -> Decimal:
    equity_usd = clearing.cross_equity_usd(floor.mark_px)
    return equity_usd - clearing.bound_usd(floor.mark_px, floor.listing)


def withdrawable_usd(floor: Floor, clearing: Clearing) -> Decimal:
    """What may leave the DEX: what is left above max(initial margin, 10 % of notional) and holds.

    Of the cross part alone, truncated at six decimals.
    """
    notional_usd, used_usd = ZERO, ZERO
    for coin, position in clearing.positions.items():
        if not clearing.isolated(coin):
            value_usd = abs(position.szi) * floor.mark_px(coin)
            notional_usd += value_usd
            used_usd += value_usd / clearing.leverages[coin].value
    bound_usd = clearing.bound_usd(floor.mark_px, floor.listing)
    kept_usd = max(used_usd, TRANSFER_SHARE * notional_usd)
    held_usd = max(ZERO, bound_usd - used_usd)
    free_usd = clearing.cross_equity_usd(floor.mark_px) - kept_usd - held_usd
    return max(ZERO, free_usd).quantize(MICRO, ROUND_DOWN)


def top_up(floor: Floor, account: Account, action: TopUpIsolatedOnlyMargin) -> str | None:
    """Add margin to a strict-isolated position until its leverage is down to this."""
    listing = floor.universe.by_asset_id.get(action.asset)
    if listing is None or listing.spec.margin_mode != "strictIsolated":
        return "Asset not strict isolated"
    leverage, clearing = Decimal(action.leverage), account.clearing(listing.dex)
    position = clearing.positions.get(listing.coin)
    if position is None:
        return "Cannot update margin for empty position."
    if not 1 <= leverage <= listing.spec.leverage_max:
        return "Invalid leverage value"
    value_usd = position.szi * floor.mark_px(listing.coin)
    wanted_usd = (abs(value_usd) / leverage).quantize(MICRO, rounding=ROUND_UP)
    amount_usd = max(ZERO, wanted_usd - (position.raw_usd + value_usd))
    amount_usd = amount_usd.quantize(MICRO, rounding=ROUND_UP)
    if _free_usd(floor, clearing) < amount_usd:
        return SHORT
    clearing.raw_usd -= amount_usd
    position.raw_usd += amount_usd
    floor.tell_change(account, listing.dex, orders=False, money=True)
    return None


def update_isolated(floor: Floor, account: Account, action: UpdateIsolatedMargin) -> str | None:
    """Move USD between the balance and an isolated position; the text where it is refused."""
    listing = floor.universe.by_asset_id.get(action.asset)
    clearing = account.clearing(listing.dex) if listing is not None else Clearing()
    position = clearing.positions.get(listing.coin) if listing is not None else None
    amount_usd = Decimal(action.ntli).scaleb(-6)
    if listing is None or position is None:
        return "Cannot update margin for empty position."
    refusal = _immovable(floor, clearing, listing, position, amount_usd)
    if refusal is not None:
        return refusal
    clearing.raw_usd -= amount_usd
    position.raw_usd += amount_usd
    floor.tell_change(account, listing.dex, orders=False, money=True)
    return None


def _immovable(
    floor: Floor, clearing: Clearing, listing: Listing, position: Position, amount_usd: Decimal
) -> str | None:
    leverage = clearing.leverage(listing)
    value_usd = position.szi * floor.mark_px(listing.coin)
    kept_usd = abs(value_usd) * max(Decimal(1) / leverage.value, TRANSFER_SHARE)
    if not leverage.isolated:
        return "Position does not use isolated margin."
    if not amount_usd:
        return "Update to isolated margin cannot be zero."
    if amount_usd > 0:
        return SHORT if _free_usd(floor, clearing) < amount_usd else None
    if listing.spec.margin_mode == "strictIsolated":
        return STRICT
    short = position.raw_usd + value_usd + amount_usd < kept_usd
    return "Position does not have sufficient margin for reduction." if short else None
