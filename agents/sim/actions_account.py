"""The actions that concern an account rather than its orders: leverage, agents, transfers."""

from typing import Annotated, Literal

import msgspec

AssetId = Annotated[int, msgspec.Meta(ge=0)]
Address = Annotated[str, msgspec.Meta(pattern="^(0x)?[0-9a-fA-F]{40}$")]
AmountText = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,12})?$")]
ClassAmountText = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9]{1,15}(\.[0-9]{1,12})?( subaccount:0x[0-9a-fA-F]{40})?$")
]
Nonce = Annotated[int, msgspec.Meta(ge=0)]


class Noop(msgspec.Struct, frozen=True, tag_field="type", tag="noop"):
    pass


class UpdateLeverage(msgspec.Struct, frozen=True, tag_field="type", tag="updateLeverage"):
    asset: AssetId
    is_cross: bool = msgspec.field(name="isCross")
    leverage: int


class UpdateIsolatedMargin(
    msgspec.Struct, frozen=True, tag_field="type", tag="updateIsolatedMargin"
):
    asset: AssetId
    is_buy: bool = msgspec.field(name="isBuy")
    ntli: int


class TopUpIsolatedOnlyMargin(
    msgspec.Struct, frozen=True, tag_field="type", tag="topUpIsolatedOnlyMargin"
):
    asset: AssetId
    leverage: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,6})?$")]


class ScheduleCancel(msgspec.Struct, frozen=True, tag_field="type", tag="scheduleCancel"):
    time: Nonce | None = None


class ReserveRequestWeight(
    msgspec.Struct, frozen=True, tag_field="type", tag="reserveRequestWeight"
):
    weight: Annotated[int, msgspec.Meta(ge=1)]
    destination: Address | None = None


class CreateSubAccount(msgspec.Struct, frozen=True, tag_field="type", tag="createSubAccount"):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]


class SubAccountTransfer(
    msgspec.Struct, frozen=True, tag_field="type", tag="subAccountTransfer", rename="camel"
):
    sub_account_user: Address
    is_deposit: bool
    usd: Annotated[int, msgspec.Meta(ge=0)]


class SubAccountSpotTransfer(
    msgspec.Struct, frozen=True, tag_field="type", tag="subAccountSpotTransfer", rename="camel"
):
    sub_account_user: Address
    is_deposit: bool
    token: str
    amount: AmountText


class VaultTransfer(
    msgspec.Struct, frozen=True, tag_field="type", tag="vaultTransfer", rename="camel"
):
    vault_address: Address
    is_deposit: bool
    usd: Annotated[int, msgspec.Meta(ge=0)]


class AgentSendAsset(
    msgspec.Struct, frozen=True, tag_field="type", tag="agentSendAsset", rename="camel"
):
    destination: Address
    source_dex: str
    destination_dex: str
    token: str
    amount: AmountText
    nonce: Nonce
    from_sub_account: str = ""


class SetReferrer(msgspec.Struct, frozen=True, tag_field="type", tag="setReferrer"):
    code: str


class AgentSetAbstraction(msgspec.Struct, frozen=True, tag_field="type", tag="agentSetAbstraction"):
    abstraction: Literal["i", "u", "p"]


class AgentEnableDexAbstraction(
    msgspec.Struct, frozen=True, tag_field="type", tag="agentEnableDexAbstraction"
):
    pass


class TwapTerms(msgspec.Struct, frozen=True):
    a: AssetId
    b: bool
    s: AmountText
    r: bool
    m: Annotated[int, msgspec.Meta(ge=1)]
    t: bool


class TwapOrder(msgspec.Struct, frozen=True, tag_field="type", tag="twapOrder"):
    twap: TwapTerms


class TwapCancel(msgspec.Struct, frozen=True, tag_field="type", tag="twapCancel"):
    a: AssetId
    t: Nonce


class UserSigned(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What every user-signed action names beside its own fields."""

    signature_chain_id: Annotated[str, msgspec.Meta(pattern="^0x[0-9a-fA-F]{1,16}$")]
    hyperliquid_chain: Literal["Mainnet", "Testnet"]


class UsdSend(UserSigned, frozen=True, tag_field="type", tag="usdSend"):
    destination: Address
    amount: AmountText
    time: Nonce


class SpotSend(UserSigned, frozen=True, tag_field="type", tag="spotSend"):
    destination: Address
    token: str
    amount: AmountText
    time: Nonce


class Withdraw(UserSigned, frozen=True, tag_field="type", tag="withdraw3"):
    destination: Address
    amount: AmountText
    time: Nonce


class UsdClassTransfer(UserSigned, frozen=True, tag_field="type", tag="usdClassTransfer"):
    amount: ClassAmountText
    to_perp: bool
    nonce: Nonce


class SendAsset(UserSigned, frozen=True, tag_field="type", tag="sendAsset"):
    destination: Address
    source_dex: str
    destination_dex: str
    token: str
    amount: AmountText
    from_sub_account: str
    nonce: Nonce


class ApproveAgent(UserSigned, frozen=True, kw_only=True, tag_field="type", tag="approveAgent"):
    agent_address: Address
    agent_name: str | None = None
    nonce: Nonce


class ApproveBuilderFee(UserSigned, frozen=True, tag_field="type", tag="approveBuilderFee"):
    max_fee_rate: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,6})?%$")]
    builder: Address
    nonce: Nonce


class UserDexAbstraction(UserSigned, frozen=True, tag_field="type", tag="userDexAbstraction"):
    user: Address
    enabled: bool
    nonce: Nonce


class UserSetAbstraction(UserSigned, frozen=True, tag_field="type", tag="userSetAbstraction"):
    user: Address
    abstraction: Literal["disabled", "unifiedAccount", "portfolioMargin"]
    nonce: Nonce


AccountAction = (
    Noop
    | UpdateLeverage
    | UpdateIsolatedMargin
    | TopUpIsolatedOnlyMargin
    | ScheduleCancel
    | ReserveRequestWeight
    | CreateSubAccount
    | SubAccountTransfer
    | SubAccountSpotTransfer
    | VaultTransfer
    | AgentSendAsset
    | SetReferrer
    | AgentSetAbstraction
    | AgentEnableDexAbstraction
    | TwapOrder
    | TwapCancel
    | UsdSend
    | SpotSend
    | Withdraw
    | UsdClassTransfer
    | SendAsset
    | ApproveAgent
    | ApproveBuilderFee
    | UserDexAbstraction
    | UserSetAbstraction
)
