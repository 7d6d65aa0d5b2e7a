"""Every published signing vector: what is packed, hashed, signed and recovered."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from agents.exchange import signing
from agents.exchange.codec import decode_cancel_answer, decode_order_answer
from agents.exchange.wire import Action, Signature
from agents.market.instrument import wire

TYPED = {
    "order",
    "cancel",
    "cancelByCloid",
    "modify",
    "batchModify",
    "updateLeverage",
    "updateIsolatedMargin",
    "topUpIsolatedOnlyMargin",
    "scheduleCancel",
    "noop",
    "reserveRequestWeight",
    "agentSendAsset",
}


@pytest.fixture(scope="module")
def vectors(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared / "fixtures/signing_vectors.json").read_text())
    return found


def _key(vectors: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(vectors["keys"][name]["private_key"][2:])


@pytest.mark.shared
def test_every_l1_vector_is_signed_and_recovered(vectors: dict[str, Any]) -> None:
    assert len(vectors["l1"]) >= 37
    for vector in vectors["l1"]:
        name, nonce = vector["name"], vector["nonce"]
        vault, expires_ms = vector["vaultAddress"], vector["expiresAfter"]
        packed = signing.pack(vector["action"])
        assert packed.hex() == vector["msgpack_hex"], name
        hashed = signing.connection_id(packed, nonce, vault=vault, expires_after_ms=expires_ms)
        assert "0x" + hashed.hex() == vector["connectionId"], name
        for network in ("mainnet", "testnet"):
            expected, mainnet = vector[network], network == "mainnet"
            signer = signing.L1Signer(_key(vectors, vector["key"]), mainnet=mainnet)
            made = signer.sign(packed, nonce, vault=vault, expires_after_ms=expires_ms)
            assert (made.r, made.s, made.v) == (
                expected["r_padded"],
                expected["s_padded"],
                expected["v"],
            ), name
            stripped = Signature(expected["r"], expected["s"], expected["v"])
            for signature in (made, stripped):
                recovered = signing.recover_l1(
                    packed,
                    signature,
                    nonce,
                    mainnet=mainnet,
                    vault=vault,
                    expires_after_ms=expires_ms,
                )
                assert recovered == vectors["keys"][vector["key"]]["address"], name


@pytest.mark.shared
def test_every_action_we_type_packs_to_the_vectors_bytes(vectors: dict[str, Any]) -> None:
    seen = set()
    for vector in vectors["l1"]:
        if vector["action"]["type"] in TYPED:
            typed: object = msgspec.convert(vector["action"], Action)
            assert signing.pack(typed).hex() == vector["msgpack_hex"], vector["name"]
            from_json = msgspec.json.decode(msgspec.json.encode(vector["action"]), type=Action)
            assert from_json == typed
            seen.add(vector["action"]["type"])
    assert seen == TYPED


@pytest.mark.shared
def test_every_user_signed_vector_is_recovered(vectors: dict[str, Any]) -> None:
    words = {"UsdSend": "usdSend"}
    assert len(vectors["user_signed"]) >= 19
    for vector in vectors["user_signed"]:
        # One published vector leaves the type out of its action; it is not part of the hash.
        word = words.get(vector["primaryType"].split(":")[1], "")
        action = {"type": word} | vector["action"]
        for r, s in (("r", "s"), ("r_padded", "s_padded")):
            signature = Signature(vector[r], vector[s], vector["v"])
            recovered = signing.recover_user_signed(action, signature)
            assert recovered == vectors["keys"][vector["key"]]["address"], vector["name"]


@pytest.mark.shared
def test_every_user_signed_vector_is_signed_alike_by_the_official_way(
    vectors: dict[str, Any],
) -> None:
    for vector in vectors["user_signed"]:
        message = {each["name"]: vector["action"][each["name"]] for each in vector["types"]}
        typed = encode_typed_data(
            domain_data={
                "name": "HyperliquidSignTransaction",
                "version": "1",
                "chainId": int(vector["action"]["signatureChainId"], 16),
                "verifyingContract": "0x" + "0" * 40,
            },
            message_types={vector["primaryType"]: vector["types"]},
            message_data=message,
        )
        made = Account.sign_message(typed, _key(vectors, vector["key"]))
        signed = (f"0x{made.r:064x}", f"0x{made.s:064x}", made.v)
        assert signed == (vector["r_padded"], vector["s_padded"], vector["v"]), vector["name"]
        action = {"type": "usdSend"} | vector["action"]
        recovered = signing.recover_user_signed(action, Signature(*signed))
        assert recovered == vectors["keys"][vector["key"]]["address"], vector["name"]


@pytest.mark.shared
def test_our_numbers_are_written_as_the_official_client_writes_them(
    vectors: dict[str, Any],
) -> None:
    seen = 0
    for row in vectors["number_format"]:
        if row["fn"] != "float_to_wire" or str(row["out"]).startswith("ERROR") or not row["in"]:
            continue  # what is too fine cannot be ours, nor can a negative zero
        assert wire(Decimal(f"{row['in']:.8f}")) == row["out"]
        seen += 1
    assert seen >= 10


@pytest.mark.shared
def test_what_was_changed_after_signing_recovers_to_a_stranger(vectors: dict[str, Any]) -> None:
    signer = signing.L1Signer(_key(vectors, "K1"), mainnet=True)
    assert len(vectors["negative"]) >= 3
    first = vectors["negative"][0]
    signed = first["action_signed"]
    order = signed["orders"][0]
    sent = {
        "key_order_changed": first["action_sent"],
        "trailing_zero": signed | {"orders": [order | {"p": "100.0"}]},
        "explicit_null_cloid": signed | {"orders": [order | {"c": None}]},
    }
    made = signer.sign(signing.pack(signed), 0)
    for negative in vectors["negative"]:
        packed = signing.pack(sent[negative["name"]])
        assert "0x" + signing.connection_id(packed, 0).hex() == negative["connectionId_sent"]
        assert negative["connectionId_signed"] != negative["connectionId_sent"]
        assert signing.recover_l1(packed, made, 0, mainnet=True) != signer.address


def _signer_of(body: dict[str, Any], *, mainnet: bool) -> str:
    signature, action = msgspec.convert(body["signature"], Signature), body["action"]
    if "signatureChainId" in action:
        return signing.recover_user_signed(action, signature)
    return signing.recover_l1(
        signing.pack(action),
        signature,
        body["nonce"],
        mainnet=mainnet,
        vault=body.get("vaultAddress"),
        expires_after_ms=body.get("expiresAfter"),
    )


@pytest.mark.shared
def test_the_official_clients_requests_recover_to_their_signer(shared: Path) -> None:
    path = shared / "fixtures/client_requests/sdk_0.23.0.json"
    sent = [item for item in json.loads(path.read_text())["requests"] if item["kind"] == "exchange"]
    assert len(sent) >= 23
    for request in sent:
        found = _signer_of(request["body"], mainnet="'a'" in request["signed"])
        assert found == request["expected_signer"], request["body"]["action"]["type"]


@pytest.mark.shared
def test_what_the_testnet_accepted_recovers_and_its_answers_are_read(shared: Path) -> None:
    path = shared / "fixtures/exchange/testnet_transcript_2026-09-07.json"
    recovered = answered = 0
    for pair in json.loads(path.read_text())["pairs"]:
        if "envelope" in pair:
            assert _signer_of(pair["envelope"], mainnet=False) == pair["signer"], pair["name"]
            recovered += 1
        answer = pair["response"]
        if not isinstance(answer, dict) or answer.get("status") != "ok":
            continue
        kind, data = answer["response"]["type"], answer["response"].get("data")
        if kind in {"order", "cancel"}:
            count, payload = len(data["statuses"]), msgspec.json.encode(answer)
            decode = decode_order_answer if kind == "order" else decode_cancel_answer
            assert len(decode(payload, count)) == count, pair["name"]
            answered += 1
    assert recovered >= 7
    assert answered >= 6
