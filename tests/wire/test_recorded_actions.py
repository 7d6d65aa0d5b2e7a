"""Recorded actions decode at the exchange, and its answers have the recorded shape and words."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agents.sim.actions import parse_action
from agents.sim.exchange import Exchange
from agents.sim.outputs import Answered
from agents.sim.universe import default_universe

SHARED = Path(os.environ.get("FLEET_SHARED", "../shared"))
TRANSCRIPT = SHARED / "fixtures/exchange/testnet_transcript_2026-09-07.json"
MASTER = "0xe7c2adb44064e705a2e955770440c527373967a1"
NOW_MS = 1_788_779_900_000

pytestmark = pytest.mark.skipif(not TRANSCRIPT.is_file(), reason="the fixtures are not here")


def recorded() -> dict[str, dict[str, Any]]:
    if not TRANSCRIPT.is_file():
        return {}
    pairs: list[dict[str, Any]] = json.loads(TRANSCRIPT.read_text())["pairs"]
    return {pair["name"]: pair for pair in pairs if "envelope" in pair}


def shape(value: Any) -> Any:
    """Keys and types, texts without their addresses and amounts."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return value.split("0x")[0] if isinstance(value, str) else type(value)


@pytest.mark.parametrize("name", sorted(recorded()))
def test_a_recorded_action_is_answered_as_it_was(name: str) -> None:
    pair = recorded()[name]
    sent = pair["envelope"]
    parse_action(sent["action"])
    exchange = Exchange(default_universe())
    exchange.fund(MASTER, Decimal(1_000))
    exchange.block(NOW_MS)
    approve = {"type": "approveAgent", "signatureChainId": "0x1", "hyperliquidChain": "Testnet"}
    signer = pair["signer"]
    if signer != MASTER:
        approve |= {"agentAddress": signer, "agentName": "shield-probe"}
        exchange.submit(1, MASTER, approve | {"nonce": NOW_MS}, NOW_MS)
    # BTC is asset 3 on testnet, where here a delisted one stands.
    action = json.loads(json.dumps(sent["action"]).replace('"a": 3', '"a": 0'))
    exchange.submit(2, signer, action, sent["nonce"], expires_after_ms=sent.get("expiresAfter"))
    answers = {o.ticket: o.payload for o in exchange.block(NOW_MS) if isinstance(o, Answered)}
    expected = json.loads(json.dumps(pair["response"]).replace("asset=3", "asset=0"))
    assert shape(answers[2]) == shape(expected)
