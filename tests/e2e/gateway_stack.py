"""A venue and a gateway as processes, and an agent's end of the socket without the agent."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import msgspec

from agents.commands import NewOrder, Report
from agents.exchange.codec import encode_place
from agents.exchange.downstream import (
    Acquire,
    GatewayFrame,
    LeaseFrame,
    Refusal,
    RenewLease,
    ToAgent,
    ToGateway,
)
from agents.exchange.signing import address_of, draw_key
from agents.exchange.websocket import Connection, connect
from agents.market.types import Cloid, Side
from agents.settings import MarketSettings, RiskSettings
from fleet.folder import Folder
from fleet.gateway.api import (
    DirectivesPut,
    GatewayStatus,
    MarketPut,
)
from fleet.gateway.client import GatewayClient, Unreachable, market_path
from fleet.gateway.framing import read_records

ROOT = Path(__file__).parents[2]
TOKEN = "a-token"
MARKETS = ("BTC", "hyna:BTC")
START_S = 20.0


class Stack:
    """One venue and one gateway with its folder; the client speaks to both."""

    start_s = START_S
    limits = "auto"

    def __init__(self, root: Path) -> None:
        self._found(root, "e2e")
        self.client = GatewayClient(self.folder)
        self.venue = subprocess.Popen(
            [sys.executable, "-m", "fleet.venue.main", "--port", "0", "--seed", "7",
             "--fund", f"{self.address}=100000", "--limits", self.limits],
            stdout=subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        assert self.venue.stdout is not None
        self.url: str = json.loads(self.venue.stdout.readline())["url"]
        self.gateway = self.start_gateway()

    def _found(self, root: Path, fleet: str) -> None:
        """A key and a fleet's folder, as ``fleet apply`` leaves it."""
        self.key = draw_key()
        self.address = address_of(self.key)
        self.folder = Folder(root / "fleet")
        self.folder.create()
        self.folder.token.write_text(TOKEN)
        identity = {
            "fleet": fleet, "network": "paper", "instance": "abc123", "address": self.address,
            "created_ms": int(time.time() * 1000),
        }  # fmt: skip
        self.folder.fleet_json.write_text(json.dumps(identity))

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
        self.gateway = gateway
        wait_for(self._up, self.start_s)
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
        """What the venue itself lists, asked past the gateway and from an address of its own.

        So the look costs the fleet none of its weight, and is not refused for what that used.
        """
        request = {"type": "frontendOpenOrders", "user": self.address, "dex": dex}
        return await asyncio.to_thread(self._look, msgspec.json.encode(request))

    def _look(self, body: bytes) -> list[dict[str, Any]]:
        own_address = ("127.0.0.2", 0)
        look = HTTPConnection(self.url.removeprefix("http://"), source_address=own_address)
        with closing(look):
            look.request("POST", "/info", body, {"Content-Type": "application/json"})
            answer = look.getresponse()
            assert answer.status == 200, answer.status
            rows: list[dict[str, Any]] = json.load(answer)
        return rows

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


@contextmanager
def configured(root: Path) -> Iterator[Stack]:
    """Up, with two markets and risk's word."""
    made = Stack(root)
    try:
        made.configure()
        yield made
    finally:
        made.stop()


def wait_for(holds: Callable[[], object], timeout_s: float = START_S) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline_s, "not reached in time"
        time.sleep(0.05)


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

    @classmethod
    @asynccontextmanager
    async def on(cls, sock: Path, market: str) -> "AsyncIterator[Client]":
        """Connected, and nothing said yet."""
        client = cls(await connect("ws://localhost/ws", unix_path=str(sock)), market)
        try:
            yield client
        finally:
            await client.close()


@asynccontextmanager
async def agent(stack: Stack, market: str = "BTC") -> AsyncIterator[Client]:
    async with Client.on(stack.folder.gateway_sock, market) as client:
        await client.acquire()
        yield client


def far_px(stack: Stack, market: str = "BTC") -> str:
    """A bid that rests: 2 % under the touch, on the grid."""
    return far_px_of(stack.client.status(), market)


def far_px_of(status: GatewayStatus, market: str) -> str:
    view = next(m for m in status.markets if m.market == market)
    assert view.bid_px is not None
    assert view.instrument is not None
    return format(view.instrument.passive_px(view.bid_px * 0.98, Side.BID), "f")


async def gone(stack: Stack, within_s: float, dex: str = "") -> None:
    deadline_s = time.monotonic() + within_s
    while await stack.resting(dex):
        assert time.monotonic() < deadline_s, "orders still rest at the venue"
        await asyncio.sleep(0.05)
