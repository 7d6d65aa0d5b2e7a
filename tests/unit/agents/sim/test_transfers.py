"""Transfers: money arrives where it was sent, never more than is free, and none is made."""

from decimal import Decimal
from typing import Any

import pytest

from agents.sim.exchange import Exchange
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, Desk, order

USDC = "USDC:0x6d1e7cde53ba9467b783cb7c530ce054"
STRANGER = "0x" + "77" * 20


@pytest.fixture
def desk() -> Desk:
    return Desk(usd=1_000)


def signed(desk: Desk, kind: str, **fields: Any) -> dict[str, Any]:
    chain = {"signatureChainId": "0x66eee", "hyperliquidChain": "Testnet"}
    key = "time" if kind in {"usdSend", "spotSend", "withdraw3"} else "nonce"
    return {"type": kind, **chain, **fields, key: desk.nonce + 1}


def send(
    desk: Desk, source: str, target: str, amount: str, to: str = ALICE, token: str = USDC
) -> Any:
    fields = {"destination": to, "sourceDex": source, "destinationDex": target, "token": token}
    return desk.act(ALICE, signed(desk, "sendAsset", **fields, amount=amount, fromSubAccount=""))


def free(desk: Desk, who: str, dex: str = "") -> str:
    return str(desk.state(who, dex)["withdrawable"])


def total_usd(exchange: Exchange) -> Decimal:
    floor = exchange.floor
    held = sum(
        (
            clearing.raw_usd
            for account in floor.accounts.values()
            for clearing in account.clearings.values()
        ),
        Decimal(0),
    )
    spot = sum((sum(a.spot.values()) for a in floor.accounts.values()), Decimal(0))
    return held + spot + floor.withdrawn_usd + sum(floor.collected_usd.values())


def test_collateral_moves_between_dexes_spot_and_addresses(desk: Desk) -> None:
    before = total_usd(desk.exchange)
    assert send(desk, "", "xyz", "25.5")["status"] == "ok"
    assert (free(desk, ALICE), free(desk, ALICE, "xyz")) == ("974.5", "1025.5")
    assert send(desk, "", "spot", "4.5")["status"] == "ok"
    assert send(desk, "spot", "xyz", "1.5")["status"] == "ok"
    assert send(desk, "", "", "10", to=STRANGER)["status"] == "ok"
    assert free(desk, STRANGER) == "10.0"
    (balance,) = desk.ask("spotClearinghouseState", user=ALICE)["balances"]
    assert (balance["coin"], balance["total"]) == ("USDC", "3.0")
    assert (
        desk.act(ALICE, signed(desk, "usdClassTransfer", amount="3", toPerp=True))["status"] == "ok"
    )
    sent = signed(desk, "usdSend", destination=BOB, amount="1.5")
    assert desk.act(ALICE, sent)["status"] == "ok"
    assert free(desk, BOB) == "1001.5"
    taken = signed(desk, "withdraw3", destination=ALICE, amount="20")
    assert desk.act(ALICE, taken)["status"] == "ok"
    assert total_usd(desk.exchange) == before
    rows = desk.ask("userNonFundingLedgerUpdates", user=ALICE, startTime=0)
    assert [row["delta"]["type"] for row in rows] == [
        "deposit", "send", "send", "send", "send", "accountClassTransfer", "internalTransfer",
        "withdraw",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "target", "amount", "token", "text"),
    [
        ("", "xyz", "1000.000001", USDC, "Insufficient balance for token transfer"),
        ("", "hyna", "1", USDC, "Invalid send"),
        ("", "nope", "1", USDC, "Invalid send"),
        ("", "", "1", USDC, "Invalid send"),
        ("", "xyz", "0", USDC, "Invalid send"),
        ("", "xyz", "1", "PEPE:0x00", "Invalid send"),
        ("spot", "", "11.38693826", USDC, "Invalid send"),
        ("spot", "", "1", USDC, "Insufficient balance for token transfer"),
    ],
)
def test_refusals(desk: Desk, source: str, target: str, amount: str, token: str, text: str) -> None:
    assert send(desk, source, target, amount, token=token)["response"] == text


def test_what_positions_and_orders_bind_stays(desk: Desk) -> None:
    desk.place(ALICE, order(BTC, "B", "80000", "0.1"))
    assert free(desk, ALICE) == "600.0"
    assert send(desk, "", "xyz", "600.1")["status"] == "err"
    assert send(desk, "", "xyz", "600")["status"] == "ok"


def test_an_agent_sends_only_within_the_family(desk: Desk) -> None:
    action = {"type": "agentSendAsset", "destination": BOB, "sourceDex": "", "token": USDC}
    action |= {"destinationDex": "xyz", "amount": "1", "fromSubAccount": "", "nonce": 5}  # type: ignore[dict-item]
    text = "Agent can only send asset to same user or their sub-accounts."
    assert desk.act(ALICE, action)["response"] == text
    assert desk.act(ALICE, action | {"destination": ALICE})["status"] == "ok"


def test_requests_can_be_bought(desk: Desk) -> None:
    assert desk.act(ALICE, {"type": "reserveRequestWeight", "weight": 1000})["status"] == "ok"
    assert free(desk, ALICE) == "999.5"
    limit = desk.ask("userRateLimit", user=ALICE)
    assert (limit["nRequestsUsed"], limit["nRequestsSurplus"]) == (0, 999)


def test_other_modes_are_kept_but_not_traded_in(desk: Desk) -> None:
    mode = signed(desk, "userSetAbstraction", user=ALICE, abstraction="unifiedAccount")
    assert desk.act(ALICE, mode)["status"] == "ok"
    assert desk.ask("userAbstraction", user=ALICE) == "unifiedAccount"
    refused = desk.act(
        ALICE,
        {"type": "order", "orders": [order(BTC, "B", "83000", "0.1")], "grouping": "na"},
    )
    assert refused["status"] == "err"
    back = desk.act(ALICE, {"type": "agentSetAbstraction", "abstraction": "i"})
    assert back["status"] == "ok"
    desk.place(ALICE, order(BTC, "B", "83000", "0.1"))
    refused = desk.act(ALICE, {"type": "agentSetAbstraction", "abstraction": "u"})
    assert refused["response"] == "Abstraction transition not allowed"


def test_a_unified_account_has_no_classes_to_move_between(desk: Desk) -> None:
    assert desk.act(ALICE, {"type": "agentSetAbstraction", "abstraction": "u"})["status"] == "ok"
    answer = desk.act(ALICE, signed(desk, "usdClassTransfer", amount="1", toPerp=False))
    assert answer["response"] == "Action disabled when unified account is active"
