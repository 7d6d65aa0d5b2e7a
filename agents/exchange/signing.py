"""Signatures of Hyperliquid's actions: made for L1 actions, recovered for L1 and user-signed ones.

An L1 action is hashed from its msgpack bytes, nonce, vault and expiry into a ``connectionId``,
which a "phantom agent" signs under a fixed EIP-712 domain (protocol 4.1). Domain separator and the
source's struct prefix never change, so they are hashed once.
"""

import secrets
from typing import Final, Never

import msgspec
from coincurve import PrivateKey, PublicKey
from Crypto.Hash import keccak

from agents.exchange.errors import BadSignature
from agents.exchange.wire import ExchangeBody, Signature

_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


def _keccak(data: bytes) -> bytes:
    digest: bytes = keccak.new(digest_bits=256, data=data).digest()
    return digest


_DOMAIN_TYPE: Final = _keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


def _domain(name: bytes, chain_id: int) -> bytes:
    """``0x1901`` and the domain separator: what every digest of the domain starts with."""
    parts = (_DOMAIN_TYPE, _keccak(name), _keccak(b"1"), chain_id.to_bytes(32, "big"), bytes(32))
    return b"\x19\x01" + _keccak(b"".join(parts))


_L1_DOMAIN: Final = _domain(b"Exchange", 1337)
_AGENT_TYPE: Final = _keccak(b"Agent(string source,bytes32 connectionId)")
_MAINNET_PREFIX: Final = _AGENT_TYPE + _keccak(b"a")
_TESTNET_PREFIX: Final = _AGENT_TYPE + _keccak(b"b")

_USER_SIGNED: Final = {
    "usdSend": ("UsdSend", "string destination,string amount,uint64 time"),
    "spotSend": ("SpotSend", "string destination,string token,string amount,uint64 time"),
    "withdraw3": ("Withdraw", "string destination,string amount,uint64 time"),
    "usdClassTransfer": ("UsdClassTransfer", "string amount,bool toPerp,uint64 nonce"),
    "sendAsset": (
        "SendAsset",
        (
            "string destination,string sourceDex,string destinationDex,string token,string amount,"
            "string fromSubAccount,uint64 nonce"
        ),
    ),
    "approveAgent": ("ApproveAgent", "address agentAddress,string agentName,uint64 nonce"),
    "approveBuilderFee": ("ApproveBuilderFee", "string maxFeeRate,address builder,uint64 nonce"),
    "userDexAbstraction": ("UserDexAbstraction", "address user,bool enabled,uint64 nonce"),
    "userSetAbstraction": ("UserSetAbstraction", "address user,string abstraction,uint64 nonce"),
    "tokenDelegate": (
        "TokenDelegate",
        "address validator,uint64 wei,bool isUndelegate,uint64 nonce",
    ),
    "convertToMultiSigUser": ("ConvertToMultiSigUser", "string signers,uint64 nonce"),
}
"""Type and fields of each user-signed action, after ``string hyperliquidChain`` (protocol 4.2)."""


def draw_key() -> bytes:
    """A private key drawn from the system's entropy: 32 bytes."""
    while True:
        key = secrets.token_bytes(32)
        if 0 < int.from_bytes(key, "big") < _ORDER:
            return key


def address_of(key: bytes) -> str:
    """The lowercase address of a private key."""
    return _address(PrivateKey(key).public_key)


def pack(action: object) -> bytes:
    """The msgpack bytes that are hashed; the action's own key order is kept (protocol 4.1)."""
    return msgspec.msgpack.encode(action)


def exchange_body(
    action: object,
    nonce: int,
    signature: Signature,
    expires_after_ms: int | None = None,
    vault: str | None = None,
) -> ExchangeBody:
    """The body of ``POST /exchange`` and the payload of a WebSocket post."""
    return ExchangeBody(
        action=action,
        nonce=nonce,
        signature=signature,
        vault_address=vault,
        expires_after=expires_after_ms,
    )


class L1Signer:
    """Signs L1 actions with one key. It shows the key to nobody and cannot be pickled."""

    __slots__ = ("_key", "_prefix", "address")

    def __init__(self, key: bytes, *, mainnet: bool) -> None:
        """``ValueError`` if ``key`` is not a private key of 32 bytes."""
        if len(key) != 32 or not 0 < int.from_bytes(key, "big") < _ORDER:
            raise ValueError("a private key has 32 bytes and lies below the order of the curve")
        self._key = PrivateKey(key)
        self._prefix = _MAINNET_PREFIX if mainnet else _TESTNET_PREFIX
        self.address = _address(self._key.public_key)

    def __repr__(self) -> str:
        return f"L1Signer({self.address})"

    def __reduce__(self) -> Never:
        raise TypeError("a signer holds a key and stays in its process")

    def sign(
        self,
        packed: bytes,
        nonce: int,
        *,
        vault: str | None = None,
        expires_after_ms: int | None = None,
    ) -> Signature:
        """Sign the action whose msgpack bytes are ``packed`` (``pack``)."""
        digest = _l1_digest(self._prefix, packed, nonce, vault, expires_after_ms)
        raw: bytes = self._key.sign_recoverable(digest, hasher=None)
        return Signature(r="0x" + raw[:32].hex(), s="0x" + raw[32:64].hex(), v=27 + raw[64])


def connection_id(
    packed: bytes, nonce: int, *, vault: str | None = None, expires_after_ms: int | None = None
) -> bytes:
    """The hash that the phantom agent signs, 32 bytes. ``vault`` with or without ``0x``."""
    preimage = packed + nonce.to_bytes(8, "big")
    preimage += b"\x00" if vault is None else b"\x01" + _address_bytes(vault)
    if expires_after_ms is not None:
        preimage += b"\x00" + expires_after_ms.to_bytes(8, "big")
    return _keccak(preimage)


def recover_l1(
    packed: bytes,
    signature: Signature,
    nonce: int,
    *,
    mainnet: bool,
    vault: str | None = None,
    expires_after_ms: int | None = None,
) -> str:
    """The address that signed this L1 action; an unrelated one if anything in it was changed.

    ``BadSignature`` if r, s, v or the numbers hashed are not of the right form.
    """
    prefix = _MAINNET_PREFIX if mainnet else _TESTNET_PREFIX
    try:
        digest = _l1_digest(prefix, packed, nonce, vault, expires_after_ms)
    except (ValueError, OverflowError) as error:
        raise BadSignature(f"nonce, expiry or vault out of range: {error}") from error
    return _recover(digest, signature)


def recover_user_signed(action: dict[str, object], signature: Signature) -> str:
    """The address that signed this user-signed action, for whatever chain id it names.

    ``BadSignature`` for an unknown action, a field that is missing or has another type.
    """
    try:
        digest = _user_digest(action)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadSignature(f"not a user-signed action that can be read: {error!r}") from error
    return _recover(digest, signature)


def _l1_digest(
    prefix: bytes, packed: bytes, nonce: int, vault: str | None, expires_after_ms: int | None
) -> bytes:
    hashed = connection_id(packed, nonce, vault=vault, expires_after_ms=expires_after_ms)
    return _keccak(_L1_DOMAIN + _keccak(prefix + hashed))


def _user_digest(action: dict[str, object]) -> bytes:
    name, params = _USER_SIGNED[str(action["type"])]
    fields = f"string hyperliquidChain,{params}"
    struct = _keccak(f"HyperliquidTransaction:{name}({fields})".encode())
    for field in fields.split(","):
        kind, key = field.split(" ")
        # The SDK signs an unnamed agent as "" and leaves the key out of the body (protocol 3.6).
        struct += _word(kind, action.get(key, "") if key == "agentName" else action[key])
    domain = _domain(b"HyperliquidSignTransaction", int(str(action["signatureChainId"]), 16))
    return _keccak(domain + _keccak(struct))


def _word(kind: str, value: object) -> bytes:
    """One field as EIP-712 encodes it: 32 bytes."""
    match kind, value:
        case "string", str():
            return _keccak(value.encode())
        case "address", str():
            return bytes(12) + _address_bytes(value)
        case "bool", bool():
            return int(value).to_bytes(32, "big")
        case "uint64", int() if not isinstance(value, bool):
            return value.to_bytes(8, "big").rjust(32, b"\0")
        case _:
            raise TypeError(f"a {kind} is expected, got {value!r}")


def _recover(digest: bytes, signature: Signature) -> str:
    if signature.v not in {0, 1, 27, 28}:
        raise BadSignature(f"v is {signature.v}; 27 or 28 is expected")
    try:
        # Clients strip leading zeros of r and s (the official SDK does).
        raw = _scalar(signature.r) + _scalar(signature.s) + bytes([signature.v % 27])
        public = PublicKey.from_signature_and_message(raw, digest, hasher=None)
    except Exception as error:  # coincurve raises a bare Exception where nothing can be recovered
        raise BadSignature(f"no signer can be recovered: {error}") from error
    return _address(public)


def _scalar(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x").rjust(64, "0"))


def _address(public: PublicKey) -> str:
    point: bytes = public.format(compressed=False)
    return "0x" + _keccak(point[1:])[-20:].hex()


def _address_bytes(text: str) -> bytes:
    raw = bytes.fromhex(text.removeprefix("0x"))
    if len(raw) != 20:
        raise ValueError(f"{text!r} is not an address of 20 bytes")
    return raw
