"""Runs one signed action against the floor: who signs, whether it may, what it does, its answer."""

from agents.sim.accounts import Account
from agents.sim.actions import (
    Action,
    BatchModify,
    Cancel,
    CancelByCloid,
    Modify,
    Noop,
    Order,
    ScheduleCancel,
    UpdateIsolatedMargin,
    UpdateLeverage,
    action_count,
)
from agents.sim.cancelling import (
    cancel_each,
    cancel_each_cloid,
    modify_each,
    modify_one,
    schedule_cancel,
)
from agents.sim.floor import Floor
from agents.sim.margins import update_isolated, update_leverage
from agents.sim.nonces import NonceWindow
from agents.sim.placing import place_batch

Payload = dict[str, object]
EXPIRED_COST = 5


class Refused(Exception):
    """The whole action is refused with one text; nothing happened."""


def run(
    floor: Floor,
    signer: str,
    action: Action,
    nonce: int,
    *,
    vault: str | None,
    expires_after_ms: int | None,
) -> Payload:
    """The ``/exchange`` answer. Nonce, signer, vault and expiry are judged in this order."""
    try:
        account = _admit(floor, signer, nonce, vault)
        if expires_after_ms is not None and floor.now_ms > expires_after_ms:
            account.requests += EXPIRED_COST
            raise Refused("Action already expired")
        account.requests += action_count(action)
        return {"status": "ok", "response": _respond(floor, account, action)}
    except Refused as refused:
        return {"status": "err", "response": str(refused)}


def _admit(floor: Floor, signer: str, nonce: int, vault: str | None) -> Account:
    window = floor.nonces.get(signer)
    refusal = (window or NonceWindow()).refusal(nonce, floor.now_ms)
    if refusal is not None:
        raise Refused(refusal)
    account = floor.accounts.get(signer)
    if account is None:
        raise Refused(f"User or API Wallet {signer} does not exist.")
    floor.nonces.setdefault(signer, NonceWindow()).use(nonce)
    if vault is not None:
        raise Refused(f"Vault not registered: {vault}")
    return account


def _respond(floor: Floor, account: Account, action: Action) -> Payload:
    """Actions that answer a status an item; the others answer default or one refusal."""
    match action:
        case Order():
            return _statuses("order", _order_statuses(floor, account, action))
        case Cancel():
            return _statuses("cancel", cancel_each(floor, account, action))
        case CancelByCloid():
            return _statuses("cancel", cancel_each_cloid(floor, account, action))
        case BatchModify():
            return _statuses("order", modify_each(floor, account, action))
        case _:
            refusal = _change(floor, account, action)
    if refusal is not None:
        raise Refused(refusal)
    return {"type": "default"}


def _order_statuses(floor: Floor, account: Account, action: Order) -> object:
    if action.builder is not None and action.builder.f:
        return [{"error": "Builder fee has not been approved."} for _ in action.orders]
    return place_batch(floor, account, action.orders)


def _change(
    floor: Floor,
    account: Account,
    action: Modify | UpdateLeverage | UpdateIsolatedMargin | ScheduleCancel | Noop,
) -> str | None:
    match action:
        case Modify():
            status = modify_one(floor, account, action.oid, action.order, always=action.a)
            return str(status["error"]) if "error" in status else None
        case UpdateLeverage():
            return update_leverage(floor, account, action)
        case UpdateIsolatedMargin():
            return update_isolated(floor, account, action)
        case ScheduleCancel():
            return schedule_cancel(floor, account, action)
        case Noop():
            return None


def _statuses(kind: str, statuses: object) -> Payload:
    return {"type": kind, "data": {"statuses": statuses}}
