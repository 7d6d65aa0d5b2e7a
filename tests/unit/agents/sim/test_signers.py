"""Agents and sub-accounts: who may act for whom, and the venue's words where not."""

from decimal import Decimal
from typing import Any

import pytest

from agents.sim.exchange import Exchange
from agents.sim.rules import Rules
from agents.sim.universe import default_universe
from tests.unit.agents.sim.desk import ALICE, BOB, BTC, Desk, order, orders

AGENT, OTHER = "0x" + "a9" * 20, "0x" + "a8" * 20
DAY_MS = 86_400_000
NOBODY = "0x" + "00" * 20


@pytest.fixture
def desk() -> Desk:
    return Desk()


def approve(desk: Desk, agent: str, name: str | None = "mm-01", who: str = ALICE) -> Any:
    action = {"type": "approveAgent", "signatureChainId": "0x66eee", "hyperliquidChain": "Testnet"}
    action |= {"agentAddress": agent, "nonce": desk.nonce + 1}  # type: ignore[dict-item]
    return desk.act(who, action if name is None else action | {"agentName": name})


def trade(desk: Desk, signer: str, **options: Any) -> Any:
    return desk.act(signer, orders(order(BTC, "B", "83000", "0.1")), **options)


def test_an_agent_acts_for_its_master(desk: Desk) -> None:
    assert trade(desk, AGENT)["response"] == f"User or API Wallet {AGENT} does not exist."
    assert approve(desk, AGENT)["status"] == "ok"
    assert desk.ask("userRole", user=AGENT) == {"role": "agent", "data": {"user": ALICE}}
    (row,) = desk.ask("extraAgents", user=ALICE)
    assert (row["name"], row["address"]) == ("mm-01", AGENT)
    assert row["validUntil"] == desk.now_ms + 90 * DAY_MS
    assert trade(desk, AGENT)["status"] == "ok"
    assert len(desk.open_oids(ALICE)) == 1
    assert desk.exchange.knows(AGENT)


def test_an_agent_is_nobody_to_user_signed_actions(desk: Desk) -> None:
    approve(desk, AGENT)
    text = f"Must deposit before performing actions. User: {AGENT}"
    assert approve(desk, OTHER, who=AGENT)["response"] == text


def test_a_replaced_agent_names_its_master_a_removed_unnamed_one_itself(desk: Desk) -> None:
    approve(desk, AGENT)
    approve(desk, OTHER)
    assert trade(desk, AGENT)["response"].endswith(f"User: {ALICE}")
    unnamed = "0x" + "a7" * 20
    assert approve(desk, unnamed, None)["status"] == "ok"
    assert trade(desk, unnamed)["status"] == "ok"
    assert [row["address"] for row in desk.ask("extraAgents", user=ALICE)] == [OTHER]
    approve(desk, NOBODY, None)
    assert trade(desk, unnamed)["response"] == f"User or API Wallet {unnamed} does not exist."
    pending = approve(desk, "0x" + "a6" * 20, None)
    assert pending["response"] == "User has pending agent removal"
    desk.now_ms += 5_000
    assert approve(desk, AGENT)["response"] == "Extra agent already used."


def test_names_and_lives_of_agents_are_limited(desk: Desk) -> None:
    for number in range(3):
        assert approve(desk, f"0x{number + 1:040x}", f"mm-{number}")["status"] == "ok"
    refused = approve(desk, AGENT, "mm-9")
    assert refused["response"].startswith("Too many extra agents")
    assert refused["response"].endswith("Current limit is 3")
    for until in (desk.now_ms - 1, desk.now_ms + 181 * DAY_MS):
        refused = approve(desk, AGENT, f"mm-0 valid_until {until}")
        assert refused["response"] == "Agent valid_until already expired."
    until = desk.now_ms + DAY_MS
    assert approve(desk, AGENT, f"mm-0 valid_until {until}")["status"] == "ok"
    assert desk.ask("extraAgents", user=ALICE)[0]["validUntil"] == until
    desk.now_ms = until + 10 * 60_000
    desk.nonce = desk.now_ms
    assert trade(desk, AGENT)["status"] == "ok"
    desk.now_ms = until + 16 * 60_000
    assert trade(desk, AGENT)["response"].startswith("Must deposit")


def test_a_sub_account_trades_with_its_masters_keys() -> None:
    desk = Desk()
    refused = desk.act(ALICE, {"type": "createSubAccount", "name": "one"})
    assert refused["response"].endswith("Required: $100000. Traded: $0.00.")
    desk.exchange = Exchange(default_universe(), rules=Rules(sub_account_volume_usd=Decimal(0)))
    desk.exchange.fund(ALICE, Decimal(1_000))
    answer = desk.act(ALICE, {"type": "createSubAccount", "name": "one"})
    sub = answer["response"]["data"]
    approve(desk, AGENT)
    move = {"type": "subAccountTransfer", "subAccountUser": sub, "isDeposit": True}
    assert desk.act(ALICE, move | {"usd": 600_000_000})["status"] == "ok"
    assert desk.ask("userRole", user=sub) == {"role": "subAccount", "data": {"master": ALICE}}
    (row,) = desk.ask("subAccounts", user=ALICE)
    assert row["clearinghouseState"]["withdrawable"] == "600.0"
    assert trade(desk, AGENT, vault=sub)["status"] == "ok"
    assert len(desk.open_oids(sub)) == 1
    assert trade(desk, AGENT, vault=BOB)["response"] == f"Vault not registered: {BOB}"
    state = desk.exchange.snapshot()
    twin = Exchange(default_universe())
    twin.restore(state)
    assert twin.snapshot() == state
