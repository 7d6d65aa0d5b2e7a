"""Signing one order, beside the bare libsecp256k1 signature of 32 bytes (S)."""

from decimal import Decimal

from coincurve import PrivateKey

from agents.commands import NewOrder
from agents.exchange.codec import encode_place
from agents.exchange.signing import L1Signer, pack
from agents.market.types import Cloid, Side
from tests.bench.figures import Figures, per_call_s

KEY = bytes(range(1, 33))
DIGEST = bytes(range(32))
NOW_MS = 1_790_000_000_000


def test_signing_one_order(figures: Figures) -> None:
    signer, bare = L1Signer(KEY, mainnet=True), PrivateKey(KEY)
    order = NewOrder(Cloid("0x" + "0f" * 16), Side.BID, Decimal(83760), Decimal("0.001"))
    action = encode_place([order], 0)

    def sign() -> object:
        return signer.sign(pack(action), NOW_MS, expires_after_ms=NOW_MS + 5_000)

    # Short rounds in turn, and the best of each: both see the machine at rest.
    pairs = [
        (
            per_call_s(sign, calls=20, rounds=1),
            per_call_s(lambda: bare.sign_recoverable(DIGEST, hasher=None), calls=20, rounds=1),
        )
        for _ in range(400)
    ]
    figures.add(
        "sign one order: pack, hash, sign",
        value_s=min(value for value, _ in pairs),
        yardstick="S, bare secp256k1",
        yardstick_s=min(yardstick for _, yardstick in pairs),
        ratio_max=2.0,
    )
