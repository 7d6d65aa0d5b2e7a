"""Who may act, and in which order the door judges."""

from typing import Any

import pytest

from tests.unit.agents.sim.desk import ALICE, BTC, Desk, order, orders

NOOP: dict[str, Any] = {"type": "noop"}
STRANGER = "0x" + "5e" * 20


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_unknown_signer_does_not_exist(desk: Desk) -> None:
    answer = desk.act(STRANGER, NOOP)
    text = f"User or API Wallet {STRANGER} does not exist."
    assert answer == {"status": "err", "response": text}
    assert STRANGER not in desk.exchange.floor.nonces


def test_an_action_runs_once_a_nonce(desk: Desk) -> None:
    nonce = desk.now_ms
    assert desk.act(ALICE, NOOP, nonce=nonce) == {"status": "ok", "response": {"type": "default"}}
    again = desk.act(ALICE, NOOP, nonce=nonce)
    assert again == {"status": "err", "response": f"Invalid nonce: duplicate nonce {nonce}"}


def test_a_noop_of_the_same_nonce_voids_an_action_in_flight(desk: Desk) -> None:
    nonce = desk.now_ms + 1
    gtc = orders(order(BTC, "B", "83000", "0.1", tif="Gtc"))
    desk.submit(ALICE, gtc, nonce=nonce)
    noop = desk.act(ALICE, NOOP, nonce=nonce)
    assert noop["status"] == "ok"
    assert not desk.open_oids(ALICE)


def test_late_actions_expire_and_cost_five_requests(desk: Desk) -> None:
    place = orders(order(BTC, "B", "83000", "0.1"))
    late = desk.act(ALICE, place, expires_after_ms=desk.now_ms + 69)
    assert late == {"status": "err", "response": "Action already expired"}
    assert desk.ask("userRateLimit", user=ALICE)["nRequestsUsed"] == 5
    assert desk.act(ALICE, place, expires_after_ms=desk.now_ms + 70)["status"] == "ok"
    assert desk.ask("userRateLimit", user=ALICE)["nRequestsUsed"] == 6


def test_there_are_no_vaults(desk: Desk) -> None:
    answer = desk.act(ALICE, NOOP, vault=STRANGER[2:].upper())
    assert answer == {"status": "err", "response": f"Vault not registered: {STRANGER}"}


def test_nonce_errors_come_before_all_others(desk: Desk) -> None:
    answer = desk.act(STRANGER, NOOP, nonce=5, expires_after_ms=1)
    assert answer["response"].startswith("Invalid nonce: nonce too low 5 < ")


def test_builders_are_not_approved(desk: Desk) -> None:
    action = orders(order(BTC, "B", "83000", "0.1"))
    paid = action | {"builder": {"b": STRANGER, "f": 10}}
    refused = desk.statuses(desk.act(ALICE, paid))
    assert refused == [{"error": "Builder fee has not been approved."}]
    free = action | {"builder": {"b": STRANGER, "f": 0}}
    assert "resting" in desk.statuses(desk.act(ALICE, free))[0]


def test_what_an_account_signs_itself_cannot_expire(desk: Desk) -> None:
    action = {"type": "usdClassTransfer", "amount": "1", "toPerp": False, "nonce": desk.nonce + 1}
    action |= {"signatureChainId": "0x66eee", "hyperliquidChain": "Testnet"}
    answer = desk.act(ALICE, action, expires_after_ms=desk.now_ms + 60_000)
    text = "User-signed actions do not support expiresAfter."
    assert answer == {"status": "err", "response": text}
    assert desk.ask("spotClearinghouseState", user=ALICE)["balances"] == []
