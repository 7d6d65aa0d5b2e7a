"""Cancels by order id and client id, modifies, and the account-wide scheduled cancel."""

from typing import Final

from agents.market.types import Coin
from agents.sim.accounts import Account
from agents.sim.actions import (
    BatchModify,
    Cancel,
    CancelByCloid,
    ModifyWire,
    OrderWire,
    may_replace,
    modified,
)
from agents.sim.actions_account import ScheduleCancel
from agents.sim.checks import BAND_TEXT, Refusal, check_form, out_of_band
from agents.sim.floor import Floor
from agents.sim.settle import close_order, venue_cancel
from agents.sim.triggers import Answer, place_any

DAY_MS: Final = 86_400_000
SCHEDULE_LEAD_MS: Final = 5_000
GONE = "Cannot modify canceled or filled order"
INVALID = "Attempted to modify to invalid new order"


def cancel_each(floor: Floor, account: Account, action: Cancel) -> list[object]:
    """One status an item: ``"success"`` or an error."""
    return [_cancelled(floor, account, item.a, item.o, fast=action.f) for item in action.cancels]


def cancel_each_cloid(floor: Floor, account: Account, action: CancelByCloid) -> list[object]:
    """As ``cancel_each``, found by the client's id among live orders."""
    return [
        _cancelled(
            floor,
            account,
            item.asset,
            account.live_cloids.get(item.cloid.lower()),
            fast=action.f,
        )
        for item in action.cancels
    ]


def _cancelled(
    floor: Floor, account: Account, asset_id: int, oid: int | None, *, fast: bool
) -> object:
    """``fast`` is refused for trigger orders."""
    listing = floor.universe.by_asset_id.get(asset_id)
    record = account.open.get(oid) if oid is not None else None
    if listing is None or record is None or record.coin != listing.coin:
        text = "Order was never placed, already canceled, or filled."
        return {"error": f"{text} asset={asset_id}"}
    if fast and record.order.oid in floor.triggers.get(record.coin, {}):
        return {"error": f"Fast cancel is not allowed for trigger orders. asset={asset_id}"}
    _cancel(floor, account, record.order.oid)
    return "success"


def _cancel(floor: Floor, account: Account, oid: int) -> None:
    record = account.open[oid]
    floor.disturb(record.coin).cancel(oid)
    close_order(floor, account, oid, "canceled", record.order.sz)


def modify_one(
    floor: Floor, account: Account, oid: int | str, wire: OrderWire, *, always: bool
) -> Answer:
    """Cancel, then place anew: the old order is gone even where the new one is refused."""
    live = account.live_cloids.get(oid.lower()) if isinstance(oid, str) else oid
    new = modified(wire, always=always)
    if live in account.open:
        refusal = _unfit(floor, account.open[live].coin, wire, new, always=always)
        if refusal is not None:
            return {"error": refusal}
        _cancel(floor, account, live)
    elif not always:
        return {"error": GONE}
    answer = place_any(floor, account, new)
    if isinstance(answer, dict) and "error" in answer:
        return {"error": f"Error placing new order during modify: {answer['error']}"}
    return answer


def _unfit(
    floor: Floor, coin: Coin, wire: OrderWire, new: OrderWire, *, always: bool
) -> str | None:
    """Why the old order is left alone: what the replacement's own digits decide."""
    listing = floor.universe.by_asset_id.get(wire.a)
    if listing is None or listing.coin != coin or not may_replace(wire, always=always):
        return INVALID
    if wire.t.trigger is not None and not wire.r:
        return INVALID
    try:
        check_form(floor, listing, new)
    except Refusal:
        return INVALID
    return BAND_TEXT if out_of_band(floor, new) else None


def modify_each(floor: Floor, account: Account, action: BatchModify) -> list[Answer]:
    """One status an item, as for orders."""

    def one(item: ModifyWire) -> Answer:
        return modify_one(floor, account, item.oid, item.order, always=action.a)

    return [one(item) for item in action.modifies]


def schedule_cancel(floor: Floor, account: Account, action: ScheduleCancel) -> str | None:
    """Arm or clear the account's dead man's switch; the venue's text where it refuses."""
    required_usd, per_day = floor.rules.schedule_volume_usd, floor.rules.schedules_per_day
    if account.volume_usd < required_usd:
        return (
            "Cannot set scheduled cancel time until enough volume traded. "
            f"Required: ${required_usd}. Traded: ${account.volume_usd:.2f}."
        )
    if action.time is not None:
        if action.time < floor.now_ms + SCHEDULE_LEAD_MS:
            return "Scheduled cancel time must be at least 5 seconds in the future."
        if account.schedules == (floor.now_ms // DAY_MS, per_day):
            return f"Too many scheduled cancels triggered for the day. Limit is {per_day}"
    account.cancel_at_ms = action.time
    return None


def cancel_scheduled(floor: Floor) -> None:
    """Cancel every order of the accounts whose switch is due."""
    for account in floor.accounts.values():
        if account.cancel_at_ms is None or account.cancel_at_ms > floor.now_ms:
            continue
        account.cancel_at_ms = None
        today = floor.now_ms // DAY_MS
        day, count = account.schedules
        account.schedules = (today, count + 1 if day == today else 1)
        for oid in tuple(account.open):
            if oid in account.open:
                venue_cancel(floor, account, oid, "scheduledCancel")
