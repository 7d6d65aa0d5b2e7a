"""The venue under a manual clock: it stands until stepped; equal requests get equal bytes."""

import json
import urllib.error
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.exchange.signing import L1Signer, exchange_body, pack
from tests.conformance.venue import VenueProcess

SIGNER = L1Signer(bytes.fromhex("06" * 32), mainnet=True)
START_MS = 1_790_000_000_000


def story(seed: int, config: str) -> list[Any]:
    """Orders and looks, with steps between, against a venue of its own."""
    fund = f"{SIGNER.address}=100000"
    venue = VenueProcess.start(
        *("--clock", "manual", "--seed", str(seed), "--config", config),
        *("--fund", fund, "--latency-ms", "0", "--block-ms", "0"),
    )
    try:
        told: list[Any] = []
        for number in range(4):
            told.append(venue.post("/admin/step", {"blocks": 20, "ms": 7}))
            terms = {"a": 0, "b": True, "p": "120000", "s": "0.01", "r": False}
            order = {**terms, "t": {"limit": {"tif": "Ioc"}}}
            action = {"type": "order", "orders": [order], "grouping": "na"}
            nonce = START_MS + number
            body = exchange_body(action, nonce, SIGNER.sign(pack(action), nonce))
            told.append(venue.post("/exchange", msgspec.json.encode(body)))
            asked = {"user": SIGNER.address, "coin": "BTC"}
            kinds = ("clearinghouseState", "userFills", "l2Book")
            told += [venue.post("/info", {"type": kind, **asked}) for kind in kinds]
        return told
    finally:
        venue.kill()


def test_equal_seeds_and_requests_give_equal_answers(tmp_path: Path) -> None:
    config = tmp_path / "venue.json"
    config.write_text(json.dumps({"start_ms": START_MS}))
    first = story(7, str(config))
    assert first == story(7, str(config))
    assert first != story(8, str(config))
    assert first[0]["time"] == START_MS + 20 * 70 + 7
    assert "filled" in first[1]["response"]["data"]["statuses"][0]


def test_a_real_clock_is_not_stepped(venue: VenueProcess) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        venue.post("/admin/step", {"blocks": 1})
    assert refused.value.code == 409
    assert b"--clock manual" in refused.value.read()
    refused.value.close()


def test_an_oracle_price_is_set_for_listed_coins_alone(venue: VenueProcess) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        venue.post("/admin/oracle", {"NONE": "1"})
    assert refused.value.code == 400
    assert b"NONE" in refused.value.read()
    refused.value.close()
    assert venue.post("/admin/oracle", {"ADA": "0.5"}) == {"ADA": "0.5"}


def test_a_market_is_halted_and_goes_on(venue: VenueProcess) -> None:
    coin = "xyz:SILVER"
    assert venue.post("/admin/halt_trading", {"coin": coin}) == {"coin": coin, "halted": True}
    with pytest.raises(urllib.error.HTTPError) as refused:
        venue.post("/admin/halt_trading", {"coin": "NONE"})
    assert refused.value.code == 400
    refused.value.close()
    venue.post("/admin/halt_trading", {"coin": coin, "halted": False})
