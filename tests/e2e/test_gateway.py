"""The gateway against the embedded exchange, both as processes: leases, clearing, the halt."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.commands import NewOrder, Report
from agents.exchange.codec import decode_order_answer, encode_cancel, encode_place
from agents.exchange.downstream import (
    Acquire,
    GatewayFrame,
    LeaseFrame,
    LeaseRefused,
    LinkFrame,
    PositionsFrame,
    Refusal,
    RenewLease,
    Revoked,
    ToAgent,
    ToGateway,
)
from agents.exchange.http import Http
from agents.exchange.signing import address_of, draw_key
from agents.exchange.websocket import Connection, connect
from agents.market.types import Cloid, Side
from agents.settings import MarketSettings, RiskSettings
from fleet.folder import Folder
from fleet.gateway.api import (
    DirectivesPut,
    HaltReport,
    HaltRequest,
    MarketPut,
    ResumeRequest,
)
from fleet.gateway.client import ApiFailure, GatewayClient, Unreachable, market_path
from fleet.gateway.framing import read_records
from fleet.gateway.records import Filled, LeaseIssued, Sent

ROOT = Path(__file__).parents[2]
TOKEN = "a-token"
MARKETS = ("BTC", "hyna:BTC")
START_S = 20.0


class Stack:
    """One venue and one gateway with its folder; the client speaks to both."""

    def __init__(self, root: Path) -> None:
        self.key = draw_key()
        self.address = address_of(self.key)
        self.folder = Folder(root / "fleet")
        self.folder.create()
        self.folder.token.write_text(TOKEN)
        identity = {
            "fleet": "e2e", "network": "paper", "instance": "abc123", "address": self.address,
            "created_ms": int(time.time() * 1000),
        }  # fmt: skip
        self.folder.fleet_json.write_text(json.dumps(identity))
        self.client = GatewayClient(self.folder)
        self.venue = subprocess.Popen(
            [sys.executable, "-m", "fleet.venue.main", "--port", "0", "--seed", "7",
             "--fund", f"{self.address}=100000"],
            stdout=subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        assert self.venue.stdout is not None
        self.url: str = json.loads(self.venue.stdout.readline())["url"]
        self.gateway = self.start_gateway()

    def start_gateway(self) -> "subprocess.Popen[bytes]":
        """The key comes on descriptor 3, as the guard hands it over."""
        gateway = subprocess.Popen(
            ["sh", "-c", 'exec "$@" 3<&0 0</dev/null', "sh", sys.executable, "-m",
             "fleet.gateway.main", "--folder", str(self.folder.root), "--url", self.url],
            stdin=subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        assert gateway.stdin is not None
        gateway.stdin.write(self.key.hex().encode() + b"\n")
        gateway.stdin.close()
        wait_for(self._up)
        return gateway

    def _up(self) -> bool:
        try:
            return self.client.status().link == "up"
        except Unreachable:
            return False

    def configure(self, position_max_usd: float = 5_000.0, *, authorised: bool = False) -> None:
        for market in MARKETS:
            risk = RiskSettings(position_max_usd=position_max_usd, daily_loss_max_usd=100.0)
            settings = MarketSettings(market=market, margin_usd=2_000.0, leverage=3, risk=risk)  # type: ignore[arg-type]
            put = MarketPut(revision=1, settings=settings, authorised=authorised)
            self.client.put(market_path(market), put)
        self.direct("normal")
        wait_for(lambda: all(m.mark_px for m in self.client.status().markets))

    def direct(self, state: str) -> None:
        now_ms = int(time.time() * 1000)
        body = {"seq": now_ms, "as_of_ms": now_ms, "state": state, "reason": "test",
                "directives": {}}  # fmt: skip
        self.client.put("/v1/directives", msgspec.convert(body, type=DirectivesPut))

    async def resting(self, dex: str = "") -> list[dict[str, Any]]:
        """What the venue itself lists, asked past the gateway."""
        http = Http(self.url)
        try:
            request = {"type": "frontendOpenOrders", "user": self.address, "dex": dex}
            rows: list[dict[str, Any]] = await http.info(request)
            return rows
        finally:
            await http.close()

    def records(self) -> list[Any]:
        return [
            record.body
            for path in sorted(self.folder.actions.glob("*.log"))
            for _, record in read_records(path)
        ]

    def stop(self) -> None:
        for process in (self.gateway, self.venue):
            process.terminate()
            process.wait(timeout=10)
        assert self.venue.stdout is not None
        self.venue.stdout.close()
        shutil.rmtree(self.folder.run, ignore_errors=True)


def wait_for(holds: Callable[[], object], timeout_s: float = START_S) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline_s, "not reached in time"
        time.sleep(0.05)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path)
    try:
        made.configure()
        yield made
    finally:
        made.stop()


class Client:
    """An agent's end of the socket, without the agent."""

    def __init__(self, connection: Connection, market: str) -> None:
        self._connection = connection
        self.market = market
        self.lease: LeaseFrame | None = None
        self.told: list[GatewayFrame] = []
        self.frames: list[dict[str, Any]] = []
        self.posts: dict[int, dict[str, Any]] = {}
        self.closed = asyncio.Event()
        self._sequence = 0
        self._request = 0
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for raw in self._connection:
            frame = json.loads(raw)
            if frame["channel"] == "gw":
                told = msgspec.json.decode(raw, type=ToAgent).data
                self.told.append(told)
                if isinstance(told, LeaseFrame):
                    self.lease = told
            elif frame["channel"] == "post":
                self.posts[frame["data"]["id"]] = frame["data"]["response"]
            else:
                self.frames.append(frame)
            self._news.set()
        self.closed.set()
        self._news.set()

    async def until(self, holds: Callable[[], object], timeout_s: float = 5.0) -> None:
        async def wait() -> None:
            while not holds():
                self._news.clear()
                await self._news.wait()

        await asyncio.wait_for(wait(), timeout_s)

    async def acquire(self, token: str = TOKEN) -> None:
        frame = Acquire(
            market=self.market, protocol=1, build="test", token=token, process="0" * 16,
            pid=os.getpid(),
        )  # fmt: skip
        await self._connection.send(msgspec.json.encode(ToGateway(data=frame)))
        await self.until(lambda: self.told)

    async def renew(self) -> None:
        assert self.lease is not None
        frame = RenewLease(
            generation=self.lease.generation, event_ns=time.time_ns(), revision=1,
            report=Report(phase="QUOTING"),
        )  # fmt: skip
        await self._connection.send(msgspec.json.encode(ToGateway(data=frame)))

    async def subscribe(self, **subscription: Any) -> None:
        frame = {"method": "subscribe", "subscription": subscription}
        await self._connection.send(json.dumps(frame))

    def cloid(self) -> Cloid:
        assert self.lease is not None
        self._sequence += 1
        return Cloid(f"0x{self.lease.cloid_prefix}{self._sequence:012x}")

    async def post(self, action: object, generation: int | None = None) -> int:
        assert self.lease is not None
        self._request += 1
        payload = {
            "action": action, "value_usd": 1.0,
            "generation": self.lease.generation if generation is None else generation,
        }  # fmt: skip
        request = {"type": "action", "payload": payload}
        frame = {"method": "post", "id": self._request, "request": request}
        await self._connection.send(msgspec.json.encode(frame))
        return self._request

    async def place(self, *, px: str, sz: str, side: Side = Side.BID) -> tuple[int, Cloid]:
        assert self.lease is not None
        cloid = self.cloid()
        order = NewOrder(cloid=cloid, side=side, px=Decimal(px), sz=Decimal(sz))
        request = await self.post(encode_place([order], self.lease.instrument.asset_id))
        return request, cloid

    def refusals(self) -> list[Refusal]:
        return [told for told in self.told if isinstance(told, Refusal)]

    async def close(self) -> None:
        await self._connection.close()
        await self._reader


@asynccontextmanager
async def agent(stack: Stack, market: str = "BTC") -> AsyncIterator[Client]:
    path = str(stack.folder.gateway_sock)
    client = Client(await connect("ws://localhost/ws", unix_path=path), market)
    try:
        await client.acquire()
        yield client
    finally:
        await client.close()


def far_px(stack: Stack, market: str = "BTC") -> str:
    """A bid that rests: 2 % under the touch, on the grid."""
    view = next(m for m in stack.client.status().markets if m.market == market)
    assert view.bid_px is not None
    assert view.instrument is not None
    return format(view.instrument.passive_px(view.bid_px * 0.98, Side.BID), "f")


async def gone(stack: Stack, within_s: float, dex: str = "") -> None:
    deadline_s = time.monotonic() + within_s
    while await stack.resting(dex):
        assert time.monotonic() < deadline_s, "orders still rest at the venue"
        await asyncio.sleep(0.05)


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


async def test_a_wrong_token_gets_nothing(stack: Stack) -> None:
    path = str(stack.folder.gateway_sock)
    client = Client(await connect("ws://localhost/ws", unix_path=path), "BTC")
    await client.acquire(token="wrong")
    await client.until(client.closed.is_set)
    assert [t.reason for t in client.told if isinstance(t, LeaseRefused)] == ["bad_token"]
    await client.close()


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
