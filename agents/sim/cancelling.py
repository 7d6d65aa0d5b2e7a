"""Cancels by order id and client id, modifies, and the account-wide scheduled cancel."""

from agents.sim.accounts import Account
from agents.sim.actions import (
    BatchModify,
    Cancel,
    CancelByCloid,
    ModifyWire,
    OrderWire,
    ScheduleCancel,
    modified,
)
from agents.sim.floor import Floor
from agents.sim.placing import Refusal, Status, check_form, place_one
from agents.sim.settle import close_order, venue_cancel

SCHEDULE_VOLUME_USD = 1_000_000
SCHEDULE_LEAD_MS = 5_000
GONE = "Cannot modify canceled or filled order"
INVALID = "Attempted to modify to invalid new order"


def cancel_each(floor: Floor, account: Account, action: Cancel) -> list[object]:
    """One status an item: ``"success"`` or an error."""
    return [_cancelled(floor, account, item.a, item.o) for item in action.cancels]


def cancel_each_cloid(floor: Floor, account: Account, action: CancelByCloid) -> list[object]:
    """As ``cancel_each``, found by the client's id among live orders."""
    return [
        _cancelled(floor, account, item.asset, account.live_cloids.get(item.cloid.lower()))
        for item in action.cancels
    ]


def _cancelled(floor: Floor, account: Account, asset_id: int, oid: int | None) -> object:
    listing = floor.universe.by_asset_id.get(asset_id)
    record = account.open.get(oid) if oid is not None else None
    if listing is None or record is None or record.coin != listing.coin:
        text = "Order was never placed, already canceled, or filled."
        return {"error": f"{text} asset={asset_id}"}
    _cancel(floor, account, record.order.oid)
    return "success"


def _cancel(floor: Floor, account: Account, oid: int) -> None:
    record = account.open[oid]
    floor.disturb(record.coin).cancel(oid)
    close_order(floor, account, oid, "canceled", record.order.sz)


def modify_one(
    floor: Floor, account: Account, oid: int | str, wire: OrderWire, *, always: bool
) -> Status:
    """Cancel, then place anew: the old order is gone even where the new one is refused."""
    live = account.live_cloids.get(oid.lower()) if isinstance(oid, str) else oid
    new = modified(wire, always=always)
    listing = floor.universe.by_asset_id.get(wire.a)
    if live in account.open:
        if listing is None or listing.coin != account.open[live].coin:
            return {"error": INVALID}
        try:
            check_form(listing, new)
        except Refusal:
            return {"error": INVALID}
        _cancel(floor, account, live)
    elif not always:
        return {"error": GONE}
    status = place_one(floor, account, new)
    if "error" in status:
        return {"error": f"Error placing new order during modify: {status['error']}"}
    return status


def modify_each(floor: Floor, account: Account, action: BatchModify) -> list[Status]:
    """One status an item, as for orders."""

    def one(item: ModifyWire) -> Status:
        return modify_one(floor, account, item.oid, item.order, always=action.a)

    return [one(item) for item in action.modifies]


def schedule_cancel(floor: Floor, account: Account, action: ScheduleCancel) -> str | None:
    """Arm or clear the account's dead man's switch; the venue's text where it refuses."""
    if account.volume_usd < SCHEDULE_VOLUME_USD:
        return (
            "Cannot set scheduled cancel time until enough volume traded. "
            f"Required: ${SCHEDULE_VOLUME_USD}. Traded: ${account.volume_usd:.2f}."
        )
    if action.time is not None and action.time < floor.now_ms + SCHEDULE_LEAD_MS:
        return "Scheduled cancel time must be at least 5 seconds in the future."
    account.cancel_at_ms = action.time
    return None


def cancel_scheduled(floor: Floor) -> None:
    """Cancel every order of the accounts whose switch is due."""
    for account in floor.accounts.values():
        if account.cancel_at_ms is not None and account.cancel_at_ms <= floor.now_ms:
            account.cancel_at_ms = None
            for oid in tuple(account.open):
                venue_cancel(floor, account, oid, "scheduledCancel")
