"""Which action on an account does what: all that are neither orders nor cancels."""

from agents.sim.accounts import Account
from agents.sim.actions_account import (
    AccountAction,
    AgentEnableDexAbstraction,
    AgentSendAsset,
    AgentSetAbstraction,
    ApproveAgent,
    ApproveBuilderFee,
    CreateSubAccount,
    Noop,
    ReserveRequestWeight,
    ScheduleCancel,
    SendAsset,
    SetReferrer,
    SpotSend,
    SubAccountSpotTransfer,
    SubAccountTransfer,
    TopUpIsolatedOnlyMargin,
    TwapCancel,
    TwapOrder,
    UpdateIsolatedMargin,
    UpdateLeverage,
    UsdClassTransfer,
    UsdSend,
    UserDexAbstraction,
    UserSetAbstraction,
    VaultTransfer,
    Withdraw,
)
from agents.sim.cancelling import schedule_cancel
from agents.sim.floor import Floor
from agents.sim.margins import top_up, update_isolated, update_leverage
from agents.sim.signers import approve_agent
from agents.sim.standing import (
    approve_builder_fee,
    create_sub_account,
    enable_dex_abstraction,
    reserve_requests,
    set_abstraction,
)
from agents.sim.transfers import (
    send_asset,
    spot_send,
    sub_account_transfer,
    usd_class_transfer,
    usd_send,
    withdraw,
)

NO_TWAP = "TWAP orders are not offered by this venue."


def change(floor: Floor, account: Account, action: AccountAction) -> dict[str, object] | str:
    """The response, or the venue's text where it refuses."""
    match action:
        case CreateSubAccount():
            try:
                address = create_sub_account(floor, account, action)
            except ValueError as refused:
                return str(refused)
            return {"type": "createSubAccount", "data": address}
        case TwapOrder():
            return {
                "type": "twapOrder",
                "data": {"status": {"error": _twap(floor, account, action)}},
            }
        case TwapCancel():
            text = "TWAP was never placed, already canceled, or filled."
            return {"type": "twapCancel", "data": {"status": {"error": text}}}
        case _:
            refusal = _setting(floor, account, action)
    return {"type": "default"} if refusal is None else refusal


def _setting(floor: Floor, account: Account, action: AccountAction) -> str | None:
    match action:
        case SetReferrer():
            return "Referral code not registered"
        case VaultTransfer():
            return f"Vault not registered: {action.vault_address.lower()}"
        case Noop():
            return None
        case UpdateLeverage():
            return update_leverage(floor, account, action)
        case _:
            return _margin(floor, account, action)


def _margin(floor: Floor, account: Account, action: AccountAction) -> str | None:
    match action:
        case UpdateIsolatedMargin():
            return update_isolated(floor, account, action)
        case TopUpIsolatedOnlyMargin():
            return top_up(floor, account, action)
        case ScheduleCancel():
            return schedule_cancel(floor, account, action)
        case ReserveRequestWeight():
            return reserve_requests(floor, account, action)
        case _:
            return _right(floor, account, action)


def _right(floor: Floor, account: Account, action: AccountAction) -> str | None:
    match action:
        case ApproveAgent():
            return approve_agent(floor, account, action)
        case ApproveBuilderFee():
            return approve_builder_fee(floor, account, action)
        case AgentEnableDexAbstraction():
            return enable_dex_abstraction(floor, account)
        case AgentSetAbstraction() | UserSetAbstraction() | UserDexAbstraction():
            return set_abstraction(floor, account, action)
        case _:
            return _transfer(floor, account, action)


def _transfer(floor: Floor, account: Account, action: AccountAction) -> str | None:
    match action:
        case UsdClassTransfer():
            return usd_class_transfer(floor, account, action)
        case SendAsset() | AgentSendAsset():
            return send_asset(floor, account, action)
        case UsdSend():
            return usd_send(floor, account, action)
        case SpotSend():
            return spot_send(floor, account, action)
        case Withdraw():
            return withdraw(floor, account, action)
        case _:
            assert isinstance(action, SubAccountTransfer | SubAccountSpotTransfer)
            return sub_account_transfer(floor, account, action)


def _twap(floor: Floor, account: Account, action: TwapOrder) -> str:
    """Why a TWAP is refused: what the venue would find wrong with it, else that none are run."""
    terms = action.twap
    listing = floor.universe.by_asset_id.get(terms.a)
    if listing is not None and terms.r:
        szi = account.clearing(listing.dex).szi(listing.coin)
        if szi * (1 if terms.b else -1) >= 0:
            return "Reduce-only TWAP order would increase position."
    return NO_TWAP
