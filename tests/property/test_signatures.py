"""What is signed recovers to its signer, for any action, nonce, vault and expiry."""

import itertools

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.exchange import signing
from agents.exchange.errors import BadSignature
from agents.exchange.nonce import NonceSequence
from agents.exchange.wire import Signature

KEYS = st.binary(min_size=32, max_size=32).filter(
    lambda raw: 0 < int.from_bytes(raw, "big") < 2**255
)
ACTIONS = st.dictionaries(
    st.text(max_size=5),
    st.one_of(st.text(max_size=9), st.booleans(), st.integers(-(2**63), 2**64 - 1)),
    max_size=4,
)
U64 = st.integers(0, 2**64 - 1)
VAULTS = st.none() | st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


@settings(max_examples=50)
@given(KEYS, ACTIONS, U64, VAULTS, st.none() | U64, st.booleans())
def test_a_signature_recovers_to_its_signer(
    key: bytes,
    action: dict[str, object],
    nonce: int,
    vault: str | None,
    expires_ms: int | None,
    mainnet: bool,
) -> None:
    signer = signing.L1Signer(key, mainnet=mainnet)
    packed = signing.pack(action)
    made = signer.sign(packed, nonce, vault=vault, expires_after_ms=expires_ms)

    def recovered(data: bytes, at: int) -> str:
        return signing.recover_l1(
            data, made, at, mainnet=mainnet, vault=vault, expires_after_ms=expires_ms
        )

    assert recovered(packed, nonce) == signer.address == signing.address_of(key)
    assert recovered(packed + b"\xc0", nonce) != signer.address
    assert recovered(packed, nonce ^ 1) != signer.address


@given(st.text(max_size=70), st.text(max_size=70), st.integers(-5, 300))
def test_any_signature_recovers_to_an_address_or_is_bad(r: str, s: str, v: int) -> None:
    try:
        found = signing.recover_l1(b"\x80", Signature(r, s, v), 0, mainnet=True)
    except BadSignature:
        return
    assert len(found) == 42


@given(st.dictionaries(st.sampled_from(["type", "time", "amount", "signatureChainId"]), st.text()))
def test_any_user_signed_action_recovers_or_is_bad(action: dict[str, object]) -> None:
    try:
        signing.recover_user_signed({"type": "usdSend"} | action, Signature("0x1", "0x1", 27))
    except BadSignature:
        return
    raise AssertionError("fields are missing, so nothing can have been hashed")


@given(ACTIONS)
def test_packing_keeps_key_order(action: dict[str, object]) -> None:
    assert list(msgspec.msgpack.decode(signing.pack(action))) == list(action)


@given(st.integers(0, 10**13), st.lists(st.integers(0, 2 * 10**12), max_size=30))
def test_nonces_rise_strictly_whatever_the_clock_says(last: int, clock: list[int]) -> None:
    nonces = NonceSequence(last)
    given_out = [last, *(nonces.next(now) for now in clock)]
    assert all(b > a for a, b in itertools.pairwise(given_out))
    assert all(nonce >= now for nonce, now in zip(given_out[1:], clock, strict=True))
