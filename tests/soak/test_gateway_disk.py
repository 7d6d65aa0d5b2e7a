"""A disk that takes nothing more: no new risk, the reason in status, and nothing booked is lost.

The disk is filled by the gateway's own limit on the size of files, set from outside: each write
fails as on a full one, and what has been written stays.
"""

import asyncio
import resource
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from agents.exchange.codec import encode_cancel
from agents.exchange.downstream import LeaseRefused
from agents.exchange.http import Http
from agents.market.types import Side
from fleet.folder import Folder
from fleet.gateway.client import GatewayClient
from fleet.gateway.records import Filled
from tests.e2e.gateway_stack import Client, Stack, agent, configured, far_px, gone, wait_for
from tests.e2e.under_test import Fleet, all_quoting


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with configured(tmp_path) as made:
        yield made


def fill_disk(stack: Stack) -> None:
    _, hard = resource.prlimit(stack.gateway.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(stack.gateway.pid, resource.RLIMIT_FSIZE, (0, hard))


def free_disk(stack: Stack) -> None:
    _, hard = resource.prlimit(stack.gateway.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(stack.gateway.pid, resource.RLIMIT_FSIZE, (hard, hard))


async def fills(stack: Stack) -> list[tuple[int, int]]:
    http = Http(stack.url)
    try:
        rows = await http.info({"type": "userFills", "user": stack.address})
        return sorted((row["tid"], row["oid"]) for row in rows)
    finally:
        await http.close()


def booked(stack: Stack) -> list[tuple[int, int]]:
    bodies = [body for body in stack.records() if isinstance(body, Filled)]
    return sorted((int(body.fill.tid), int(body.fill.oid)) for body in bodies)


async def rest_at_touch(stack: Stack, client: Client) -> None:
    """Both sides, large enough to be taken piece by piece."""
    view = next(m for m in stack.client.status().markets if m.market == client.market)
    assert view.instrument is not None
    assert view.bid_px is not None
    assert view.ask_px is not None
    bid_px = format(view.instrument.passive_px(view.bid_px, Side.BID), "f")
    ask_px = format(view.instrument.passive_px(view.ask_px, Side.ASK), "f")
    await client.place(px=bid_px, sz="0.01")
    await client.place(px=ask_px, sz="0.01", side=Side.ASK)
    await client.renew()


async def filled_beyond(stack: Stack, client: Client, known: int) -> int:
    """Wait until the venue tells of more fills than that; how many."""
    for _ in range(150):
        await client.renew()
        await asyncio.sleep(0.2)
        found = len(await fills(stack))
        if found > known:
            return found
    pytest.fail("no fill in 30 s")


async def test_a_full_disk_stops_what_adds_and_loses_no_fill(stack: Stack) -> None:
    async with agent(stack) as client:
        assert client.lease is not None
        far = far_px(stack)
        asset = client.lease.instrument.asset_id
        request, cloid = await client.place(px=far, sz="0.001")
        await client.until(lambda: request in client.posts)
        await rest_at_touch(stack, client)
        await asyncio.sleep(0.5)
        known = len(booked(stack))
        fill_disk(stack)

        await client.place(px=far, sz="0.001")
        await client.until(client.refusals)
        assert client.refusals()[-1].reason == "fenced"
        assert "can't be written" in client.refusals()[-1].text
        assert "can't be written" in (stack.client.status().unwritable or "")
        cancel = await client.post(encode_cancel([cloid], asset))
        await client.until(lambda: cancel in client.posts)
        assert cloid not in [row["cloid"] for row in await stack.resting()]
        path = str(stack.folder.gateway_sock)
        async with Client.on(Path(path), "hyna:BTC") as other:
            await other.acquire()
            assert isinstance(other.told[0], LeaseRefused), "no lease without its generation kept"

        await filled_beyond(stack, client, known)
        free_disk(stack)
        await asyncio.to_thread(wait_for, lambda: stack.client.status().unwritable is None, 10.0)
        request, _ = await client.place(px=far, sz="0.001")
        await client.until(lambda: request in client.posts)
    await gone(stack, 3.0)
    wanted = await fills(stack)
    await asyncio.to_thread(wait_for, lambda: booked(stack) == wanted, 5.0)


async def test_what_a_full_disk_did_not_take_is_booked_after_the_gateways_death(
    stack: Stack,
) -> None:
    async with agent(stack) as client:
        await rest_at_touch(stack, client)
        await asyncio.sleep(0.5)
        known = len(booked(stack))
        fill_disk(stack)
        await filled_beyond(stack, client, known)
        stack.gateway.kill()
        stack.gateway.wait()
    stack.gateway = await asyncio.to_thread(stack.start_gateway)
    await gone(stack, 8.0)
    wanted = await fills(stack)
    await asyncio.to_thread(wait_for, lambda: booked(stack) == wanted, 5.0)
    position = next(m for m in stack.client.status().markets if m.market == "BTC").position_sz
    state = await account(stack)
    assert position == state


async def account(stack: Stack) -> Decimal:
    http = Http(stack.url)
    try:
        state = await http.info({"type": "clearinghouseState", "user": stack.address})
    finally:
        await http.close()
    rows = {r["position"]["coin"]: r["position"]["szi"] for r in state["assetPositions"]}
    return Decimal(rows.get("BTC", "0"))


def test_an_agent_without_room_for_its_journal_only_reduces_and_says_so(paper: Fleet) -> None:
    wait_for(lambda: all_quoting(paper), 60.0)
    status = GatewayClient(Folder(paper.folder), 5.0).status()
    pid = next(view.lease.pid for view in status.markets if view.market == "SOL")
    assert pid is not None
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    wait_for(lambda: "journal" in (paper.market("SOL")["reason"] or ""), 30.0)
    assert paper.market("SOL")["phase"] == "REDUCING"
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    done = paper.cli.run("--fleet", paper.name, "restart", "SOL")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: all_quoting(paper), 60.0)
