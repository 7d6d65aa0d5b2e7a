"""Requests beside trading: answered, so that a client that asks for all at its start gets on."""

from typing import Any

import pytest

from agents.sim.info_spot import token_id
from agents.sim.info_sundry import OF_USER, auction
from agents.sim.outputs import UnknownRequest
from tests.unit.agents.sim.desk import ALICE, START_MS, Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("kind", sorted(OF_USER))
def test_every_address_is_answered_alike(desk: Desk, kind: str) -> None:
    stranger = "0x" + "77" * 20
    assert desk.ask(kind, user=ALICE) == desk.ask(kind, user=stranger) == OF_USER[kind]
    with pytest.raises(UnknownRequest):
        desk.ask(kind)


def test_an_auction_runs_at_every_time() -> None:
    found: Any = auction(START_MS)
    since_s = START_MS // 1_000 - found["startTimeSeconds"]
    assert 0 <= since_s < found["durationSeconds"]


def test_a_token_is_found_by_its_id(desk: Desk) -> None:
    assert desk.ask("tokenDetails", tokenId=token_id("USDE"))["name"] == "USDE"
    with pytest.raises(UnknownRequest):
        desk.ask("tokenDetails", tokenId="0x00")


def test_a_transfer_may_be_checked_before(desk: Desk) -> None:
    stranger = "0x" + "77" * 20
    assert desk.ask("preTransferCheck", user=ALICE, source=ALICE)["userExists"]
    assert not desk.ask("preTransferCheck", user=stranger, source=ALICE)["userExists"]


def test_nobody_was_referred(desk: Desk) -> None:
    assert desk.ask("referral", user=ALICE)["referredBy"] is None


def test_the_ledger_needs_no_start(desk: Desk) -> None:
    (row,) = desk.ask("userNonFundingLedgerUpdates", user=ALICE)
    assert row["delta"]["type"] == "deposit"
    assert desk.ask("userFunding", user=ALICE) == []
