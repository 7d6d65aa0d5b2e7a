"""One venue for the folder, and the official SDK pointed at it."""

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


@pytest.fixture(scope="session")
def venue() -> Iterator[VenueProcess]:
    address = eth_account.Account.from_key(KEY).address
    fund = f"{address}={FUNDED_USD}"
    running = VenueProcess.start("--fund", fund, "--latency-ms", "0", "--flow", "lively")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def trader(venue: VenueProcess) -> Iterator[Trader]:
    wallet = eth_account.Account.from_key(KEY)
    info = Info(venue.url, perp_dexs=DEXES)
    yield Trader(wallet.address, info, Exchange(wallet, venue.url, perp_dexs=DEXES))
    info.disconnect_websocket()
