"""The gateway against the embedded exchange, both as processes: leases, clearing, the halt."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from agents.commands import NewOrder
from agents.exchange.codec import decode_order_answer, encode_cancel, encode_place
from agents.exchange.downstream import (
    LeaseRefused,
    LinkFrame,
    PositionsFrame,
    Revoked,
)
from agents.exchange.errors import Unreachable
from agents.exchange.http import Http
from agents.market.types import Cloid, Side
from fleet.gateway.api import (
    HaltReport,
    HaltRequest,
    ResumeRequest,
)
from fleet.gateway.client import ApiFailure
from fleet.gateway.records import Filled, LeaseIssued, Refused, Sent
from fleet.gateway.server import FRAME_BYTES_MAX
from tests.e2e.gateway_stack import Client, Stack, agent, configured, far_px, gone


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with configured(tmp_path) as made:
        yield made


async def test_an_agent_trades_and_its_orders_go_with_its_socket(stack: Stack) -> None:
    async with agent(stack) as client:
        assert client.lease is not None
        assert client.lease.generation == 1
        await client.until(lambda: any(isinstance(t, LinkFrame) for t in client.told))
        await client.subscribe(type="orderUpdates")
        await client.subscribe(type="bbo", coin="BTC")
        px = far_px(stack)
        request, cloid = await client.place(px=px, sz="0.001")
        await client.until(lambda: request in client.posts)
        payload = json.dumps(client.posts[request]["payload"]).encode()
        assert decode_order_answer(payload, 1)[0].kind == "resting"
        await client.until(
            lambda: any(
                frame["channel"] == "orderUpdates" and frame["data"][0]["order"]["cloid"] == cloid
                for frame in client.frames
            )
        )
        await client.until(lambda: any(f["channel"] == "bbo" for f in client.frames))
        assert [row["cloid"] for row in await stack.resting()] == [cloid]
        view = next(m for m in stack.client.status().markets if m.market == "BTC")
        assert view.open_orders == 1
        assert view.lease.owner == "agent"

        cancel = await client.post(encode_cancel([cloid], 0))
        await client.until(lambda: cancel in client.posts)
        await gone(stack, 2.0)
        await client.place(px=px, sz="0.001")
        await client.place(px=px, sz="0.001")  # in flight when the socket closes
    await gone(stack, 2.0)
    bodies = stack.records()
    assert sum(isinstance(body, LeaseIssued) for body in bodies) == 1
    sent = [body for body in bodies if isinstance(body, Sent)]
    rising = [body.nonce for body in sent if '"noop"' not in body.action]
    assert rising == sorted(set(rising))


async def test_acquiring_revokes_the_older_holder(stack: Stack) -> None:
    async with agent(stack) as first:
        px = far_px(stack)
        request, _ = await first.place(px=px, sz="0.001")
        await first.until(lambda: request in first.posts)
        async with agent(stack) as second:
            await first.until(first.closed.is_set)
            assert any(isinstance(told, Revoked) for told in first.told)
            assert second.lease is not None
            assert second.lease.generation == 2
            assert second.lease.state.open_orders == ()
            await gone(stack, 2.0)
            request, cloid = await second.place(px=px, sz="0.001")
            await second.until(lambda: request in second.posts)
            assert [row["cloid"] for row in await stack.resting()] == [cloid]


async def test_the_door_turns_away_what_it_must(stack: Stack) -> None:
    async with agent(stack) as client:
        px = far_px(stack)
        assert client.lease is not None
        taking = [NewOrder(client.cloid(), Side.BID, Decimal(px), Decimal("0.001"), tif="Ioc")]
        await client.post(encode_place(taking, 0))
        await client.place(px=px, sz="0.1")
        stray = [NewOrder(Cloid("0x" + "1" * 32), Side.BID, Decimal(px), Decimal("0.001"))]
        await client.post(encode_place(stray, 0))
        own = [NewOrder(client.cloid(), Side.BID, Decimal(px), Decimal("0.001"))]
        await client.post(encode_place(own, 1))
        await client.post(encode_place(own, 0), generation=7)
        await client.post(encode_place(own, 0))
        await client.post(encode_place(own, 0))
        await client.until(lambda: len(client.refusals()) == 6)
        assert [refusal.reason for refusal in client.refusals()] == [
            "not_post_only", "limit:position", "malformed", "malformed", "stale_generation",
            "duplicate",
        ]  # fmt: skip
        await client.until(lambda: client.posts)
        stack.direct("reduce_only")
        await client.place(px=px, sz="0.001")
        await client.until(lambda: len(client.refusals()) == 7)
        assert client.refusals()[-1].reason == "fenced"
        assert len(await stack.resting()) == 1
        assert stack.client.status().refusals["limit:position"] == 1


async def test_hostile_clients_get_nothing_and_disturb_nobody(stack: Stack) -> None:
    async with agent(stack) as client:
        _, cloid = await client.place(px=far_px(stack), sz="0.001")
        await client.until(lambda: client.posts)
        sock = stack.folder.gateway_sock
        async with Client.on(sock, "BTC") as wrong:
            await wrong.acquire(token="wrong")
            await wrong.until(wrong.closed.is_set)
            refused = [told.reason for told in wrong.told if isinstance(told, LeaseRefused)]
            assert refused == ["bad_token"]
        async with agent(stack, "hyna:BTC") as other:
            assert client.lease is not None
            await other.post(encode_cancel([cloid], client.lease.instrument.asset_id))
            await other.post(encode_cancel([cloid], 0), generation=7)
            await other.subscribe(type="bbo", coin="BTC")
            await other.until(lambda: len(other.refusals()) == 2 and other.frames)
            assert [told.reason for told in other.refusals()] == ["malformed", "stale_generation"]
            assert other.frames[0]["channel"] == "error"
            with suppress(Unreachable):  # it is cut off before it has said all
                await other.subscribe(type="x" * FRAME_BYTES_MAX)
            await other.until(other.closed.is_set)
        request, _ = await client.place(px=far_px(stack), sz="0.001")
        await client.until(lambda: request in client.posts)
        assert len(await stack.resting()) == 2
    counted = stack.client.status().refusals
    reasons = {body.reason for body in stack.records() if isinstance(body, Refused)}
    assert {"bad_token", "malformed", "stale_generation"} <= reasons & counted.keys()
    assert counted["nonsense"] == 1


async def test_a_silent_agent_loses_its_lease_and_its_orders(stack: Stack) -> None:
    async with agent(stack) as client:
        await client.renew()
        await client.place(px=far_px(stack), sz="0.001")
        await client.until(client.closed.is_set, timeout_s=8.0)
        assert isinstance(client.told[-1], Revoked)
        await gone(stack, 2.0)


async def test_halt_is_proven_while_agents_keep_sending(stack: Stack) -> None:
    async with agent(stack) as main, agent(stack, "hyna:BTC") as other:
        stopping = asyncio.Event()
        prices = {client.market: far_px(stack, client.market) for client in (main, other)}

        async def keep_sending(client: Client) -> None:
            while not stopping.is_set():
                await client.place(px=prices[client.market], sz="0.0005")
                await client.renew()
                await asyncio.sleep(0.02)

        senders = [asyncio.create_task(keep_sending(client)) for client in (main, other)]
        await main.until(lambda: len(main.posts) > 5)
        request = HaltRequest(reason="test", by="e2e")
        lines = await asyncio.to_thread(lambda: list(stack.client.halt(request)))
        report = msgspec.convert(lines[-1], type=HaltReport)
        assert report.halted
        assert report.flat_of_orders
        assert report.proof.snapshots == 2
        assert report.proof.in_flight_unresolved == 0
        assert report.first_refusal_ms is not None
        assert report.markets[0].orders_cancelled > 0
        assert await stack.resting() == []
        assert await stack.resting("hyna") == []
        assert any(refusal.reason == "fenced" for refusal in main.refusals())
        assert stack.folder.halt.exists()
        await asyncio.sleep(0.5)
        assert await stack.resting() == []
        stopping.set()
        await asyncio.gather(*senders)
        assert stack.client.status().halt is not None
        stack.client.post("/v1/resume", ResumeRequest(reason="over", by="e2e"))
        assert stack.client.status().halt is None
        assert not stack.folder.halt.exists()


async def test_fills_are_booked_once_and_survive_a_restart(stack: Stack) -> None:
    async with agent(stack, "BTC") as client:
        await client.subscribe(type="userFills")
        view = next(m for m in stack.client.status().markets if m.market == "BTC")
        assert view.bid_px is not None
        assert view.ask_px is not None
        assert view.instrument is not None
        for _ in range(200):  # quote at the touch until somebody takes
            if any(f["channel"] == "userFills" and not f["data"].get("isSnapshot")
                   for f in client.frames):  # fmt: skip
                break
            view = next(m for m in stack.client.status().markets if m.market == "BTC")
            assert view.bid_px is not None
            px = format(view.instrument.passive_px(view.bid_px, Side.BID), "f")  # type: ignore[union-attr]
            await client.place(px=px, sz="0.001")
            await client.renew()
            await asyncio.sleep(0.1)
        else:
            pytest.fail("no fill in 20 s")
        await client.until(
            lambda: any(isinstance(t, PositionsFrame) and t.positions["BTC"] for t in client.told)
        )
    await gone(stack, 2.0)
    stack.gateway.kill()
    stack.gateway.wait()
    stack.gateway = stack.start_gateway()
    http = Http(stack.url)
    venue = await http.info({"type": "userFills", "user": stack.address})
    state = await http.info({"type": "clearinghouseState", "user": stack.address})
    await http.close()
    booked = [body.fill for body in stack.records() if isinstance(body, Filled)]
    keys = [(fill.time_ms, fill.tid, fill.oid) for fill in booked]
    assert sorted(keys) == sorted((row["time"], row["tid"], row["oid"]) for row in venue)
    position = next(m for m in stack.client.status().markets if m.market == "BTC").position_sz
    assert position == Decimal(state["assetPositions"][0]["position"]["szi"])
    async with agent(stack) as again:
        assert again.lease is not None
        assert again.lease.generation == 2
        assert again.lease.state.position_sz == position


def test_a_limit_is_raised_only_with_authority(stack: Stack) -> None:
    with pytest.raises(ApiFailure) as refused:
        stack.configure(9_000.0)
    assert refused.value.error.code == "unauthorised_raise"
    stack.configure(9_000.0, authorised=True)
    stack.configure(1_000.0)
    with pytest.raises(ApiFailure):
        stack.configure(5_000.0)
