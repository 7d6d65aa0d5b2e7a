"""``/info`` about what lies beside trading: referrals, vaults, staking. Nobody has any of it."""

from collections.abc import Mapping
from typing import Final

from agents.sim import rows
from agents.sim.accounts import Account
from agents.sim.floor import Floor
from agents.sim.info_spot import sz_decimals, token_id
from agents.sim.outputs import UnknownRequest
from agents.sim.universe import TOKEN_INDEX

AUCTION_S: Final = 111_600
MS_PER_S: Final = 1_000
NO_DELEGATION: Final = {
    "delegated": "0.0",
    "undelegated": "0.0",
    "totalPendingWithdrawal": "0.0",
    "nPendingWithdrawals": 0,
}
OF_USER: Final[Mapping[str, object]] = {
    "twapHistory": [],
    "userTwapSliceFills": [],
    "userTwapSliceFillsByTime": [],
    "userVaultEquities": [],
    "leadingVaults": [],
    "delegations": [],
    "delegatorHistory": [],
    "delegatorRewards": [],
    "delegatorSummary": NO_DELEGATION,
    "isVip": False,
    "legalCheck": {"ipAllowed": True, "acceptedTerms": True, "userAllowed": True},
    "userToMultiSigSigners": None,
}
"""What every address is answered alike."""


def auction(now_ms: int) -> rows.Row:
    """An auction without a bidder, begun with its period."""
    start_s = now_ms // MS_PER_S // AUCTION_S * AUCTION_S
    return {
        "startTimeSeconds": start_s,
        "durationSeconds": AUCTION_S,
        "startGas": "500.0",
        "currentGas": "500.0",
        "endGas": None,
    }


def token_details(wanted: str | None) -> rows.Row:
    """A collateral token by its id, always worth 1. Raises UnknownRequest for any other."""
    name = next((name for name in TOKEN_INDEX if token_id(name) == wanted), None)
    if name is None:
        raise UnknownRequest
    supply = dict.fromkeys(("maxSupply", "totalSupply", "circulatingSupply"), "1000000000.0")
    prices = dict.fromkeys(("midPx", "markPx", "prevDayPx"), "1.0")
    return {
        "name": name,
        **supply,
        "szDecimals": sz_decimals(name),
        "weiDecimals": 8,
        **prices,
        "genesis": None,
        "deployer": None,
        "deployGas": None,
        "deployTime": None,
        "seededUsdc": "0.0",
        "nonCirculatingUserBalances": [],
        "futureEmissions": "0.0",
    }


def transfer_check(floor: Floor, account: Account) -> rows.Row:
    return {
        "fee": "0.0",
        "isSanctioned": False,
        "userExists": account.address in floor.accounts,
        "userHasSentTx": account.requests > 0,
    }


def referral(account: Account) -> rows.Row:
    """Referred by nobody, referring nobody."""
    return {
        "referredBy": None,
        "cumVlm": rows.number(account.volume_usd),
        "unclaimedRewards": "0.0",
        "claimedRewards": "0.0",
        "builderRewards": "0.0",
        "referrerState": {"stage": "needToTrade", "data": {"required": "10000.0"}},
        "rewardHistory": [],
        "tokenToState": [],
    }
