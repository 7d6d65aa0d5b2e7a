"""What becomes of a market whose agent is gone, and of one whose gateway is: against the venue."""

import asyncio
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from agents.commands import NewOrder
from agents.exchange.codec import encode_place
from agents.exchange.downstream import Continue, LeaseFrame, LinkFrame, ToGateway
from agents.exchange.http import Http
from agents.exchange.signing import L1Signer, exchange_body, pack
from agents.exchange.websocket import connect
from agents.market.types import Cloid, Side
from agents.settings import MarketSettings, OrphanSettings, RiskSettings
from fleet.gateway.api import GatewayStatus, HaltReport, HaltRequest, MarketPut, MarketView
from fleet.gateway.client import market_path
from fleet.gateway.core.cloids import parse
from tests.e2e.gateway_stack import Client, Stack, agent, configured, far_px, gone, wait_for

HELD_SZ = Decimal("0.01")
COLLAR_BPS = 50.0


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with configured(tmp_path) as made:
        yield made


def on_orphan(stack: Stack, do: Literal["hold", "reduce", "flatten"], after_s: float) -> None:
    risk = RiskSettings(position_max_usd=5_000.0, daily_loss_max_usd=100.0)
    settings = MarketSettings(
        market="BTC",  # type: ignore[arg-type]
        margin_usd=2_000.0, leverage=3, risk=risk,
        on_orphan=OrphanSettings(after_s=after_s, do=do, collar_bps=COLLAR_BPS),
    )  # fmt: skip
    stack.client.put(market_path("BTC"), MarketPut(revision=2, settings=settings))


def btc(status: GatewayStatus) -> MarketView:
    return next(m for m in status.markets if m.market == "BTC")


async def buy(stack: Stack) -> None:
    """A position from elsewhere: signed by hand, past the gateway."""
    view = btc(stack.client.status())
    assert view.ask_px is not None
    assert view.instrument is not None
    px = view.instrument.passive_px(view.ask_px * 1.01, Side.BID)
    order = NewOrder(Cloid("0x" + "7" * 32), Side.BID, px, HELD_SZ, tif="Ioc")
    action = encode_place([order], view.instrument.asset_id)
    nonce = int(time.time() * 1_000)
    signature = L1Signer(stack.key, mainnet=True).sign(pack(action), nonce)
    http = Http(stack.url)
    try:
        await http.exchange(msgspec.json.encode(exchange_body(action, nonce, signature, None)))
    finally:
        await http.close()


async def venue_position(stack: Stack) -> Decimal:
    http = Http(stack.url)
    try:
        state = await http.info({"type": "clearinghouseState", "user": stack.address})
    finally:
        await http.close()
    rows = {r["position"]["coin"]: r["position"]["szi"] for r in state["assetPositions"]}
    return Decimal(rows.get("BTC", "0"))


async def fills(stack: Stack) -> list[dict[str, Any]]:
    http = Http(stack.url)
    try:
        rows: list[dict[str, Any]] = await http.info({"type": "userFills", "user": stack.address})
        return [row for row in rows if parse(row["cloid"]) is not None]
    finally:
        await http.close()


def alerts(stack: Stack) -> list[dict[str, Any]]:
    lines = stack.folder.log("gateway").read_text().splitlines()
    rows = [json.loads(line) for line in lines if '"alert"' in line]
    return [row for row in rows if row["event"] == "alert"]


async def holding(stack: Stack) -> None:
    """An agent that holds a position, and dies with it."""
    async with agent(stack) as client:
        assert client.lease is not None
        await buy(stack)
        await asyncio.to_thread(
            wait_for, lambda: btc(stack.client.status()).position_sz == HELD_SZ, 5.0
        )
        await client.place(px=far_px(stack), sz="0.001")
        await client.until(lambda: client.posts)


async def test_a_dead_agents_position_is_closed_inside_the_collar(stack: Stack) -> None:
    on_orphan(stack, "flatten", after_s=1.0)
    await holding(stack)
    await gone(stack, 2.0)
    wait_for(lambda: btc(stack.client.status()).lease.owner == "caretaker", 3.0)
    mark_px = btc(stack.client.status()).mark_px
    assert mark_px is not None
    deadline_s = time.monotonic() + 25.0
    while await venue_position(stack):
        assert time.monotonic() < deadline_s, "the position is still there"
        await asyncio.sleep(0.1)
    closing = await fills(stack)
    assert sum(Decimal(row["sz"]) for row in closing) == HELD_SZ
    for row in closing:
        origin = parse(row["cloid"])
        assert origin is not None
        assert origin.generation == 2, "the caretaker has a generation of its own"
        assert float(row["px"]) > mark_px * (1 - 2 * COLLAR_BPS / 10_000)
    wait_for(lambda: btc(stack.client.status()).lease.owner == "none", 10.0)
    wait_for(lambda: len(alerts(stack)) >= 2, 5.0)
    told = [row["text"] for row in alerts(stack)]
    assert "closes it" in told[0]
    assert "closed" in told[-1]
    async with agent(stack) as again:
        assert again.lease is not None
        assert again.lease.generation == 3


async def test_hold_holds_and_a_flattening_halt_closes_and_proves_it(stack: Stack) -> None:
    on_orphan(stack, "hold", after_s=0.5)
    await holding(stack)
    wait_for(lambda: alerts(stack), 5.0)
    assert "holds it" in alerts(stack)[0]["text"]
    await asyncio.sleep(1.0)
    assert await venue_position(stack) == HELD_SZ
    assert await fills(stack) == []
    request = HaltRequest(reason="test", by="e2e", flatten=True)
    lines = await asyncio.to_thread(lambda: list(stack.client.halt(request)))
    report = msgspec.convert(lines[-1], type=HaltReport)
    assert report.flat_of_orders
    assert report.flat_of_positions
    assert report.first_refusal_ms is not None
    assert report.first_refusal_ms <= 1_000
    assert await venue_position(stack) == 0
    assert await stack.resting() == []


async def continuing(stack: Stack, old: Client) -> Client:
    assert old.lease is not None
    path = str(stack.folder.gateway_sock)
    client = Client(await connect("ws://localhost/ws", unix_path=path), old.market)
    client._sequence, client._request = old._sequence, old._request
    frame = Continue(
        market=old.market, protocol=1, build="test", token="a-token", process="0" * 16, pid=1,
        generation=old.lease.generation, event_ns=time.time_ns(),
    )  # fmt: skip
    await client._connection.send(msgspec.json.encode(ToGateway(data=frame)))
    await client.until(lambda: client.lease is not None, 5.0)
    return client


async def test_a_gateway_restart_costs_who_continues_no_cancel(stack: Stack) -> None:
    path = str(stack.folder.gateway_sock)
    stays = Client(await connect("ws://localhost/ws", unix_path=path), "BTC")
    await stays.acquire()
    leaves = Client(await connect("ws://localhost/ws", unix_path=path), "hyna:BTC")
    await leaves.acquire()
    for client in (stays, leaves):
        request, _ = await client.place(px=far_px(stack, client.market), sz="0.001")
        await client.until(lambda c=client, r=request: r in c.posts)  # type: ignore[misc]
    before = [row["oid"] for row in await stack.resting()]
    assert len(before) == 1
    await stays.place(px=far_px(stack), sz="0.001")  # in flight when the gateway dies
    stack.gateway.kill()
    stack.gateway.wait()
    await stays.close()
    await leaves.close()
    stack.gateway = await asyncio.to_thread(stack.start_gateway)
    again = await continuing(stack, stays)
    assert isinstance(again.lease, LeaseFrame)
    assert again.lease.generation == stays.lease.generation if stays.lease else False
    await again.until(lambda: any(isinstance(t, LinkFrame) for t in again.told))
    deadline_s = time.monotonic() + 5.0
    while time.monotonic() < deadline_s and await stack.resting("hyna"):
        await again.renew()
        await asyncio.sleep(0.2)
    assert await stack.resting("hyna") == [], "who does not come back is cleared"
    assert before[0] in [row["oid"] for row in await stack.resting()]
    stack.direct("normal")
    request, _ = await again.place(px=far_px(stack), sz="0.001")
    await again.until(lambda: request in again.posts)
    assert not again.refusals()
    await again.close()
    await gone(stack, 2.0)
