"""Runs one signed action against the floor: who signs, whether it may, what it does, its answer."""

from agents.sim.accounts import STANDARD, Account
from agents.sim.actions import (
    Action,
    BatchModify,
    Cancel,
    CancelByCloid,
    Modify,
    Order,
    action_count,
)
from agents.sim.actions_account import AccountAction, UserSigned
from agents.sim.allowance import refusal as allowance_refusal
from agents.sim.cancelling import cancel_each, cancel_each_cloid, modify_each, modify_one
from agents.sim.changing import change
from agents.sim.floor import Floor
from agents.sim.nonces import NonceWindow
from agents.sim.signers import UnknownSigner, on_behalf, principal
from agents.sim.triggers import place_batch

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
    """The ``/exchange`` answer. Nonce, signer, vault, expiry and allowance are judged in order."""
    try:
        account = _admit(floor, signer, action, nonce, vault)
        if expires_after_ms is not None and isinstance(action, UserSigned):
            raise Refused("User-signed actions do not support expiresAfter.")
        if expires_after_ms is not None and floor.now_ms > expires_after_ms:
            account.requests += EXPIRED_COST
            raise Refused("Action already expired")
        _charge(floor, account, action)
        return {"status": "ok", "response": _respond(floor, account, action)}
    except (Refused, UnknownSigner) as refused:
        return {"status": "err", "response": str(refused)}


def _admit(floor: Floor, signer: str, action: Action, nonce: int, vault: str | None) -> Account:
    window = floor.nonces.get(signer)
    refusal = (window or NonceWindow()).refusal(nonce, floor.now_ms)
    if refusal is not None:
        raise Refused(refusal)
    account = principal(floor, signer, action)
    floor.nonces.setdefault(signer, NonceWindow()).use(nonce)
    if isinstance(action, UserSigned):
        return account
    return on_behalf(floor, account, vault)


def _charge(floor: Floor, account: Account, action: Action) -> None:
    """Orders, cancels and modifies cost requests of the address's allowance."""
    match action:
        case Order() | Modify() | BatchModify():
            if account.abstraction != STANDARD:
                raise Refused(f"Trading is not offered in account mode {account.abstraction}.")
            cancels = False
        case Cancel() | CancelByCloid():
            cancels = True
        case _:
            account.requests += action_count(action)
            return
    text = allowance_refusal(floor, account, cancels=cancels)
    if text is not None:
        raise Refused(text)
    account.requests += action_count(action)


def _respond(floor: Floor, account: Account, action: Action) -> Payload:
    """Actions that answer a status an item; the others answer default or one refusal."""
    match action:
        case Order():
            return _statuses("order", place_batch(floor, account, action))
        case Cancel():
            return _statuses("cancel", cancel_each(floor, account, action))
        case CancelByCloid():
            return _statuses("cancel", cancel_each_cloid(floor, account, action))
        case BatchModify():
            return _statuses("order", modify_each(floor, account, action))
        case Modify():
            status = modify_one(floor, account, action.oid, action.order, always=action.a)
            if isinstance(status, dict) and "error" in status:
                raise Refused(str(status["error"]))
            return {"type": "default"}
        case _:
            return _changed(floor, account, action)


def _changed(floor: Floor, account: Account, action: AccountAction) -> Payload:
    outcome = change(floor, account, action)
    if isinstance(outcome, str):
        raise Refused(outcome)
    return outcome


def _statuses(kind: str, statuses: object) -> Payload:
    return {"type": kind, "data": {"statuses": statuses}}
