"""Before anything is started: whether the venue takes what the API wallet signs, and until when."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.exchange.signing import L1Signer
from fleet.cli.failure import ExitCode, Failure
from fleet.cli.keys import DAY_MS
from fleet.cli.network import Request
from fleet.cli.wallet import refuse_invalid, signer, wallet
from fleet.gateway.api import KeyView
from fleet.manifests.spec import Account, KeySource
from fleet.manifests.viability import Facts, WalletFacts, viability
from tests.unit.fleet.views import spec, status

KEY = "01" * 32
ADDRESS = L1Signer(bytes.fromhex(KEY), mainnet=True).address.lower()
MASTER = "0x" + "ab" * 20
NOW_MS = 1_800_000_000_000
ENV = Account(MASTER, KeySource(env="T_WALLET"))


def asked(role: dict[str, Any], until_ms: int | None) -> WalletFacts:
    rows = [{"name": "mm", "address": ADDRESS, "validUntil": until_ms}]

    class Told:
        def __call__(self, request: Request) -> bytes:
            return json.dumps(role if request["type"] == "userRole" else rows).encode()

        def close(self) -> None:
            pass

    return wallet(Told(), ENV, ADDRESS, NOW_MS)


def agent(user: str = MASTER) -> dict[str, Any]:
    return {"role": "agent", "data": {"user": user}}


@pytest.mark.parametrize(
    ("days", "words"),
    [(90.0, ""), (13.0, "for 13 days more"), (0.5, "for 12 h more: the fleet only reduces")],
)
def test_a_plan_warns_as_the_gateway_will(days: float, words: str) -> None:
    found = asked(agent(), NOW_MS + round(days * DAY_MS))
    refuse_invalid(found)
    told = viability(spec("BTC"), Facts("test", wallet=found))
    assert told.wallet == found
    assert [words in warning for warning in told.warnings] == ([True] if words else [])


@pytest.mark.parametrize(
    ("role", "until_ms"),
    [(agent("0x" + "cd" * 20), None), ({"role": "missing"}, None), (agent(), NOW_MS - DAY_MS)],
)
def test_a_wallet_that_may_not_sign_starts_nothing(role: dict[str, Any], until_ms: Any) -> None:
    with pytest.raises(Failure, match="may not sign") as refused:
        refuse_invalid(asked(role, until_ms))
    assert refused.value.exit_code == ExitCode.INVALID
    refuse_invalid(None)


def test_who_signs_is_the_key_at_hand_or_what_the_gateway_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = msgspec.structs.replace(status(), key=KeyView("0xee"))
    assert signer(None, None, running) is None
    assert signer(ENV, KEY, running) == ADDRESS
    assert signer(ENV, None, running) == "0xee"
    assert signer(ENV, None, None) is None
    monkeypatch.setenv("T_WALLET", KEY)
    assert signer(ENV, None, None) == ADDRESS
    shut = Account(MASTER, KeySource(keystore=str(tmp_path / "k"), passphrase_env="T_PASS"))
    assert signer(shut, None, None) is None
