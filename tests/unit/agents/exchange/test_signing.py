"""Signatures against the official SDK, which is the oracle; keys stay where they are."""

import pickle
from typing import Any

import msgspec
import pytest
from eth_account import Account
from hyperliquid.utils import signing as sdk

from agents.exchange import signing
from agents.exchange.errors import BadSignature
from agents.exchange.wire import NoopAction, ScheduleCancelAction, Signature

KEY = bytes(range(1, 33))
VAULT = "0x" + "ab" * 20
ORDER: dict[str, Any] = {
    "type": "order",
    "orders": [
        {"a": 3, "b": True, "p": "2640.6", "s": "0.5", "r": False, "t": {"limit": {"tif": "Alo"}}}
    ],
    "grouping": "na",
}


def _sdk_signature(
    action: dict[str, Any],
    nonce: int,
    mainnet: bool,
    vault: str | None = None,
    expires_after_ms: int | None = None,
) -> tuple[int, int, int]:
    made = sdk.sign_l1_action(
        Account.from_key(KEY), action, vault, nonce, expires_after_ms, mainnet
    )
    return int(made["r"], 16), int(made["s"], 16), made["v"]


def _numbers(signature: Signature) -> tuple[int, int, int]:
    return int(signature.r, 16), int(signature.s, 16), signature.v


@pytest.mark.parametrize("mainnet", [True, False])
@pytest.mark.parametrize("vault", [None, VAULT])
@pytest.mark.parametrize("expires_after_ms", [None, 1_790_000_000_000])
def test_a_signature_is_the_sdks(
    mainnet: bool, vault: str | None, expires_after_ms: int | None
) -> None:
    signer = signing.L1Signer(KEY, mainnet=mainnet)
    packed = signing.pack(ORDER)
    made = signer.sign(packed, 1_790_000_000_123, vault=vault, expires_after_ms=expires_after_ms)
    assert _numbers(made) == _sdk_signature(
        ORDER, 1_790_000_000_123, mainnet, vault, expires_after_ms
    )
    assert len(made.r) == len(made.s) == 66
    recovered = signing.recover_l1(
        packed,
        made,
        1_790_000_000_123,
        mainnet=mainnet,
        vault=vault,
        expires_after_ms=expires_after_ms,
    )
    assert recovered == signer.address == Account.from_key(KEY).address.lower()


def test_typed_actions_are_signed_like_their_json() -> None:
    assert signing.pack(NoopAction()) == signing.pack({"type": "noop"})
    assert signing.pack(ScheduleCancelAction()) == signing.pack({"type": "scheduleCancel"})
    timed = {"type": "scheduleCancel", "time": 1_790_000_000_000}
    assert signing.pack(ScheduleCancelAction(1_790_000_000_000)) == signing.pack(timed)


def test_stripped_zeros_and_a_v_of_zero_or_one_are_tolerated() -> None:
    signer = signing.L1Signer(KEY, mainnet=True)
    packed = signing.pack(ORDER)
    made = next(
        (nonce, made)
        for nonce in range(2_000)
        if (made := signer.sign(packed, nonce)).r.startswith("0x0")
    )
    nonce, signature = made
    stripped = Signature(r=hex(int(signature.r, 16)), s=signature.s, v=signature.v - 27)
    assert signing.recover_l1(packed, stripped, nonce, mainnet=True) == signer.address


def test_another_network_nonce_vault_or_expiry_is_another_signer() -> None:
    signer = signing.L1Signer(KEY, mainnet=True)
    packed = signing.pack(ORDER)
    made = signer.sign(packed, 7)
    others = [
        signing.recover_l1(packed, made, 7, mainnet=False),
        signing.recover_l1(packed, made, 8, mainnet=True),
        signing.recover_l1(packed, made, 7, mainnet=True, vault=VAULT),
        signing.recover_l1(packed, made, 7, mainnet=True, expires_after_ms=9),
    ]
    assert signer.address not in others
    assert len(set(others)) == len(others)


@pytest.mark.parametrize(
    "signature",
    [
        Signature(r="0x0", s="0x0", v=27),
        Signature(r="0x" + "ff" * 32, s="0x1", v=27),
        Signature(r="0x1", s="0x1", v=29),
        Signature(r="no hex", s="0x1", v=27),
        Signature(r="0x" + "1" * 70, s="0x1", v=27),
    ],
)
def test_garbage_is_a_bad_signature(signature: Signature) -> None:
    with pytest.raises(BadSignature):
        signing.recover_l1(b"\x80", signature, 0, mainnet=True)


def test_numbers_out_of_range_are_a_bad_signature() -> None:
    made = signing.L1Signer(KEY, mainnet=True).sign(b"\x80", 0)
    for nonce, vault in ((-1, None), (2**64, None), (0, "0xab"), (0, "zz" * 20)):
        with pytest.raises(BadSignature):
            signing.recover_l1(b"\x80", made, nonce, mainnet=True, vault=vault)


@pytest.mark.parametrize(
    "change",
    [{"type": "usdSendX"}, {"time": "1"}, {"time": True}, {"amount": 1}, {"signatureChainId": "x"}],
)
def test_a_user_signed_action_that_cannot_be_read_is_a_bad_signature(
    change: dict[str, object],
) -> None:
    action: dict[str, object] = {
        "type": "usdSend",
        "signatureChainId": "0x66eee",
        "hyperliquidChain": "Mainnet",
        "destination": VAULT,
        "amount": "1",
        "time": 1,
    }
    made = signing.L1Signer(KEY, mainnet=True).sign(b"\x80", 0)
    assert signing.recover_user_signed(action, made).startswith("0x")
    with pytest.raises(BadSignature):
        signing.recover_user_signed(action | change, made)


def test_the_sdks_unnamed_agent_is_recovered_without_its_name() -> None:
    action = {"type": "approveAgent", "agentAddress": VAULT, "agentName": "", "nonce": 5}
    made = sdk.sign_agent(Account.from_key(KEY), action, is_mainnet=True)
    signature = Signature(made["r"], made["s"], made["v"])
    del action["agentName"]
    assert signing.recover_user_signed(dict(action), signature) == signing.address_of(KEY)


def test_a_drawn_key_signs_and_differs_from_the_next() -> None:
    keys = {signing.draw_key() for _ in range(8)}
    assert len(keys) == 8
    assert all(signing.address_of(key).startswith("0x") for key in keys)


def test_a_signer_shows_no_key_and_stays_in_its_process() -> None:
    signer = signing.L1Signer(KEY, mainnet=True)
    assert KEY.hex() not in repr(signer)
    with pytest.raises(TypeError, match="stays in its process"):
        pickle.dumps(signer)


@pytest.mark.parametrize("key", [b"", bytes(32), b"\xff" * 32, bytes(31) + b"\x01\x01"])
def test_what_is_no_key_is_refused_without_being_shown(key: bytes) -> None:
    with pytest.raises(ValueError, match="a private key has 32 bytes"):
        signing.L1Signer(key, mainnet=True)


def test_the_body_leaves_out_what_is_unused() -> None:
    made = Signature(r="0x1", s="0x2", v=27)
    plain = signing.exchange_body({"type": "noop"}, 5, made)
    full = signing.exchange_body(NoopAction(), 5, made, expires_after_ms=9, vault=VAULT)
    encode = msgspec.json.encode
    assert encode(plain) == (
        b'{"action":{"type":"noop"},"nonce":5,"signature":{"r":"0x1","s":"0x2","v":27}}'
    )
    assert encode(full).endswith(b'"vaultAddress":"' + VAULT.encode() + b'","expiresAfter":9}')
