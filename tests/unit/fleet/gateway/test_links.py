"""A coin under which the venue ends the connection is found, and the others are served."""

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from agents.exchange.signing import L1Signer, draw_key
from fleet.folder import Folder
from fleet.gateway import links as links_module
from fleet.gateway import upstream as upstream_module
from fleet.gateway.core.core import Core
from fleet.gateway.core.effects import Watch
from fleet.gateway.links import Links
from fleet.gateway.log import ActionLog
from fleet.gateway.service import Gateway
from fleet.gateway.store import Store
from tests.simulation.gateway_world import World

GOOD, DEADLY = ("BTC", "ETH", "SOL", "xyz:TSLA"), "hyna:NONE"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links_module, "SPACED_S", 0.02)
    monkeypatch.setattr(upstream_module, "BACKOFF_MAX_S", 0.02)
    monkeypatch.setattr(upstream_module, "OPENINGS_MAX", 100)


class Venue:
    """Ends any connection on which the deadly coin is subscribed; tells of every other."""

    def __init__(self) -> None:
        self.served: dict[str, int] = {}
        self.news = asyncio.Event()

    async def __call__(self, connection: ServerConnection) -> None:
        mine: set[str] = set()
        async for raw in connection:
            said = json.loads(raw)
            if said["method"] == "subscribe":
                coin = said["subscription"]["coin"]
                if coin == DEADLY:
                    break
                mine.add(coin)
                self.served[coin] = self.served.get(coin, 0) + 1
                self.news.set()
        for coin in mine:
            self.served[coin] -= 1


async def test_an_unknown_coin_takes_no_other_down_with_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "f")
    folder.create()
    log = ActionLog(folder.actions)
    log.open()
    gateway = Gateway(
        Core(World(1, ("BTC",)).state), L1Signer(draw_key(), mainnet=False), log, Store(folder)
    )
    venue = Venue()

    async def opened() -> None:
        pass

    async with serve(venue, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        links = Links(gateway, f"ws://127.0.0.1:{port}/ws", opened, lambda _: None)
        for coin in (*GOOD, DEADLY):
            gateway.state.routing.own(("bbo", coin, False))
            gateway.run([Watch({"type": "bbo", "coin": coin})])
        runs = [asyncio.create_task(run) for run in links.runs()]
        try:
            async with asyncio.timeout(10):
                while DEADLY not in gateway.state.feeds.refused or not all(
                    venue.served.get(coin) for coin in GOOD
                ):
                    venue.news.clear()
                    await venue.news.wait()
            assert gateway.state.feeds.refused.keys() == {DEADLY}
            assert "ends the connection" in (gateway.state.feeds.why(DEADLY, 0) or "")
        finally:
            for run in runs:
                run.cancel()
            await asyncio.gather(*runs, return_exceptions=True)
    await gateway.http.close()
    log.close()
