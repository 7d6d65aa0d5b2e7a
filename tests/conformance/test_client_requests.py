"""What unmodified clients really sent is taken by the venue, and refused as the real one would."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.conformance import recorded
from tests.conformance.recorded import ABSENT
from tests.conformance.venue import VenueProcess

SENT = recorded.client_requests()
ACTIONS = [row for row in SENT if row["kind"] == "exchange"]
# What the account's state, or the venue's, has to say against the rest.
REFUSED = {
    "batchModify": "Cannot modify canceled or filled order",
    "cancelByCloid": "Order was never placed, already canceled, or filled.",
    "cancel": "Order was never placed, already canceled, or filled.",
    "updateIsolatedMargin": "Cannot update margin for empty position.",
    "scheduleCancel": "Cannot set scheduled cancel time until enough volume traded.",
    "setReferrer": "Referral code not registered",
    "usdClassTransfer": "Insufficient balance",
    "agentEnableDexAbstraction": "Abstraction transition not allowed",
    "userDexAbstraction": "Abstraction transition not allowed",
    "agentSetAbstraction": "Abstraction transition not allowed",
    "userSetAbstraction": "Abstraction transition not allowed",
}
ORDERS_REFUSED = (
    "Order price cannot be more than 95%",
    "Post only order would have immediately matched",
    "Builder fee has not been approved.",
)

pytestmark = pytest.mark.skipif(not SENT, reason=ABSENT)


@pytest.fixture(scope="module")
def then(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """A venue that stands at the time of the requests, their signer funded."""
    config: Path = tmp_path_factory.mktemp("requests") / "venue.json"
    options = {"clock": "manual", "start_ms": ACTIONS[0]["body"]["nonce"], "block_ms": 0}
    options |= {"latency_ms": {"ack": 0, "feed": 0, "jitter": 0}}
    options |= {"fund": {ACTIONS[0]["expected_signer"]: 100_000}}
    config.write_text(json.dumps(options))
    venue = VenueProcess.start("--config", str(config))
    yield venue
    venue.kill()


@pytest.mark.parametrize("row", [row for row in SENT if row["kind"] == "info"])
def test_an_info_request_is_answered(then: VenueProcess, row: dict[str, Any]) -> None:
    assert then.post("/info", row["body"])


def test_subscriptions_are_acknowledged(then: VenueProcess) -> None:
    asked = [row["body"] for row in SENT if row["kind"] == "ws"]
    acknowledged: list[str] = []
    with connect(then.ws) as link:
        for body in asked:
            link.send(json.dumps(body))
        while len(acknowledged) < len(asked):
            frame = json.loads(link.recv(timeout=10))
            if frame["channel"] == "subscriptionResponse":
                acknowledged.append(frame["data"]["subscription"]["type"])
    assert acknowledged == [body["subscription"]["type"] for body in asked]


@pytest.mark.parametrize("row", ACTIONS, ids=lambda row: row["via"])
def test_an_action_is_taken(then: VenueProcess, row: dict[str, Any]) -> None:
    answer = then.post("/exchange", row["body"])
    action = row["body"]["action"]
    said = json.dumps(answer)
    if row["body"].get("vaultAddress") is not None:
        assert answer["response"].startswith("Vault not registered: 0x")
    elif action["type"] in REFUSED:
        assert REFUSED[action["type"]] in said
    elif action["type"] == "order":
        for status in answer["response"]["data"]["statuses"]:
            text = status.get("error", "") if isinstance(status, dict) else ""
            assert not text or text.startswith(ORDERS_REFUSED)
    else:
        assert answer == {"status": "ok", "response": {"type": "default"}}
