"""What a halt without a gateway costs of the venue's minute; where none is left, it waits."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
from aiohttp import web

from agents.commands import NewOrder
from agents.exchange.codec import encode_place
from agents.exchange.http import Http
from agents.exchange.signing import L1Signer, exchange_body, pack
from agents.market.types import Cloid, Side
from agents.market.units import NS_PER_S
from agents.sim.latency import Latency
from fleet.folder import Folder
from fleet.gateway.api import HaltReport, HaltRequest
from fleet.gateway.core import requests
from fleet.gateway.core.state import Identity, State
from fleet.gateway.direct_beside import Beside
from fleet.gateway.direct_shell import Late, Shell
from fleet.venue.clock import RealClock
from fleet.venue.config import Options
from fleet.venue.limits import WINDOW_NS
from fleet.venue.server import server
from fleet.venue.venue import LOOPBACK, Venue

SIGNER = L1Signer(bytes.fromhex("07" * 32), mainnet=False)
CLOID = Cloid("0x" + "1" * 32)
LISTING, ROUND, PROOF_ROUNDS, POSITIONS = 60, 20, 2, 4
TRIES = 3
"""Waits of 0.25 to 0.5 s, then 0.5 to 1, then 1 to 2: so many begin within 0.8 s."""


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Venue, str]]:
    options = Options(
        latency_ms=Latency(ack=0, feed=0, jitter=0), limits="on",
        fund={SIGNER.address: Decimal(100_000)},
    )  # fmt: skip
    venue = Venue(options, RealClock())
    runner = web.ServerRunner(server(venue))
    await runner.setup()
    running = asyncio.create_task(venue.run())
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    try:
        yield venue, f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await venue.close()
        await runner.cleanup()


def shell_of(url: str, folder: Folder, said: list[str]) -> Shell:
    identity = Identity(
        fleet="t", network="paper", url=url, address=SIGNER.address, instance="abc123", build="",
        token="", created_ms=1,
    )  # fmt: skip
    state = State(identity, leases={}, limits={}, latch=None, last_nonce=0)
    return Shell(state, SIGNER, Late(folder.actions), Beside(folder, said.append), said.append)


async def halted(url: str, folder: Folder) -> tuple[HaltReport, list[str]]:
    said: list[str] = []
    shell = shell_of(url, folder, said)
    return await shell.run(HaltRequest(reason="r", by="t", all=True), 30.0), said


async def rest(url: str) -> None:
    """An order far from the touch, placed by hand."""
    action, nonce = (
        encode_place([NewOrder(CLOID, Side.BID, Decimal(50_000), Decimal("0.001"))], 0),
        1,
    )
    nonce = time.time_ns() // 1_000_000
    body = exchange_body(action, nonce, SIGNER.sign(pack(action), nonce), None)
    http = Http(url)
    try:
        assert b"resting" in await http.exchange(msgspec.json.encode(body))
    finally:
        await http.close()


async def test_a_halt_asks_for_little_and_where_the_minute_is_used_up_it_waits(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path / "f")
    folder.create()
    async with served() as (venue, url):
        weights = venue._weights
        assert weights is not None
        await rest(url)
        dexes = len(venue.universe.dexes)
        held_ns = venue.now_ns - WINDOW_NS + round(0.8 * NS_PER_S)
        rested = weights.used(LOOPBACK, venue.now_ns)
        weights._spent[LOOPBACK].appendleft((held_ns, 1_190 - rested))
        weights._sums[LOOPBACK] = 1_190
        report, said = await halted(url, folder)
        assert report.flat_of_orders
        assert report.markets[0].orders_cancelled == 1
        assert any("429" in text for text in said)
        assert weights.refused <= TRIES * dexes
        look, cancel = ROUND * dexes, 1
        cost = weights.used(LOOPBACK, venue.now_ns) - rested
        late = 3 * ROUND  # a busy machine answers some list so late that it is asked for again
        assert cost <= LISTING + (1 + PROOF_ROUNDS) * look + POSITIONS * dexes + cancel + late


async def test_another_wallet_voids_nothing_as_its_noop_would_prove_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "f")
    folder.create()
    async with served() as (venue, url):
        shell = shell_of(url, folder, [])
        shell.voids = False
        shell._carry([requests.void(shell.state, 5, None, shell.now_ms())])
        assert (shell.state.pending, shell._tasks, venue.exchange_requests) == ({}, set(), 0)
        shell.voids = True
        shell._carry([requests.void(shell.state, 5, None, shell.now_ms())])
        await asyncio.gather(*shell._tasks)
        assert venue.exchange_requests == 1
        await shell._http.close()
