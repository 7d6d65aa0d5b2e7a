"""One venue for the folder, and the official SDK pointed at it.

``FLEET_CONFORMANCE_URL`` aims the SDK elsewhere, say at testnet, with the funded key in
``FLEET_CONFORMANCE_KEY``: real orders then, so it is for a test account alone. What looks at the
embedded venue itself (its faults, clock and process) runs against that one as ever.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import eth_account
import pytest
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info

from tests.conformance.venue import VenueProcess

KEY = "0x" + "0123456789abcdef" * 4
FUNDED_USD = 100_000
DEXES = ["", "xyz", "hyna"]


@dataclass
class Trader:
    """The SDK's two halves with one funded key."""

    address: str
    info: Any
    exchange: Any
    url: str
    dexes: list[str]


@pytest.fixture(scope="session")
def venue() -> Iterator[VenueProcess]:
    address = eth_account.Account.from_key(KEY).address
    fund = f"{address}={FUNDED_USD}"
    running = VenueProcess.start("--fund", fund, "--latency-ms", "0", "--flow", "lively")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def trader(venue: VenueProcess) -> Iterator[Trader]:
    url = os.environ.get("FLEET_CONFORMANCE_URL", venue.url)
    wallet = eth_account.Account.from_key(os.environ.get("FLEET_CONFORMANCE_KEY", KEY))
    dexes = DEXES if url == venue.url else [""]
    info = Info(url, perp_dexs=dexes)
    yield Trader(wallet.address, info, Exchange(wallet, url, perp_dexs=dexes), url, dexes)
    info.disconnect_websocket()


@pytest.fixture
def embedded(trader: Trader) -> Trader:
    """For examples that change an account for good, or what only this venue refuses."""
    if trader.dexes == [""]:
        pytest.skip("only the embedded venue is asked: elsewhere it would leave its traces")
    return trader
