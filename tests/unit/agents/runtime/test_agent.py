"""The shell against a gateway on a real Unix socket: acquire, serve, and leave cleanly."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from agents.exchange.downstream import (
    DrainFrame,
    GatewayFrame,
    LeaseFrame,
    LeaseRefused,
    LimitsFrame,
    LinkFrame,
    OpenState,
    Revoked,
    ToAgent,
)
from agents.market.instrument import Instrument
from agents.market.types import Coin
from agents.runtime.agent import run_agent
from agents.runtime.clock import Clock
from agents.runtime.departure import Departure
from agents.settings import MarketSettings, RiskSettings, StrategySettings

BTC = Coin("BTC")
LEASE = LeaseFrame(
    generation=4,
    deadline_ms=2_000_000_000_000,
    lease_ms=5_000,
    renew_ms=500,
    revision=1,
    settings=MarketSettings(BTC, 1_000.0, 3, RiskSettings(3_000.0, 50.0)),
    limits=LimitsFrame(3_000.0),
    instrument=Instrument(BTC, 7, 3, 40),
    cloid_prefix="f1ee" + "0" * 16,
    state=OpenState(as_of_ms=1, position_sz=Decimal(0), entry_px=None),
    pnl_day_usd=0.0,
    directive=None,
)


class FakeGateway:
    """Speaks the ``gw`` channel on a socket; keeps what agents say."""

    def __init__(self, sock: Path) -> None:
        self.sock = sock
        self.heard: list[dict[str, Any]] = []
        self.agents: list[ServerConnection] = []
        self.news = asyncio.Event()

    async def serve(self, connection: ServerConnection) -> None:
        self.agents.append(connection)
        try:
            async for raw in connection:
                self.heard.append(msgspec.json.decode(raw))
                self.news.set()
        except ConnectionClosed:
            return

    async def told(self, **wanted: object) -> dict[str, Any]:
        """The first frame with these values, in its top level or in its ``data``."""
        async with asyncio.timeout(10):
            while True:
                for frame in self.heard:
                    flat = {**frame, **frame.get("data", {})}
                    if all(flat.get(key) == value for key, value in wanted.items()):
                        return frame
                self.news.clear()
                await self.news.wait()

    async def say(self, *frames: GatewayFrame) -> None:
        for frame in frames:
            await self.agents[-1].send(msgspec.json.encode(ToAgent(frame)).decode())


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[FakeGateway]:
    fake = FakeGateway(tmp_path / "gw.sock")
    async with unix_serve(fake.serve, str(fake.sock)):
        yield fake


@pytest.fixture
def agent(gateway: FakeGateway, tmp_path: Path) -> "asyncio.Task[Departure]":
    log = tmp_path / "BTC.jsonl"
    return asyncio.ensure_future(run_agent("BTC", gateway.sock, "a" * 64, log, "test"))


async def test_it_acquires_with_the_token_and_listens_to_its_market(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]"
) -> None:
    asked = (await gateway.told(type="acquire"))["data"]
    assert (asked["market"], asked["token"], len(asked["process"])) == ("BTC", "a" * 64, 16)
    assert len(gateway.heard) == 1, "nothing before the lease"
    await gateway.say(LEASE, LinkFrame(1, "up", 1, 0.0))
    await gateway.told(type="renew", generation=4)
    kinds = [f["subscription"]["type"] for f in gateway.heard if f["method"] == "subscribe"]
    assert kinds == ["orderUpdates", "userFills", "activeAssetCtx", "l2Book", "bbo", "trades"]
    await gateway.say(Revoked("test"))
    assert await agent == Departure(75, "revoked: test")


async def test_a_refusal_is_an_end(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]", tmp_path: Path
) -> None:
    await gateway.told(type="acquire")
    await gateway.say(LeaseRefused("unready", "not yet"))
    departure = await agent
    assert departure.code == 75
    assert "unready" in departure.reason
    assert "a" * 64 not in (tmp_path / "BTC.jsonl").read_text()


async def test_a_socket_that_closes_before_the_lease_is_an_end(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]"
) -> None:
    await gateway.told(type="acquire")
    await gateway.agents[-1].close()
    assert (await agent).code == 75


async def lose_the_gateway(gateway: FakeGateway) -> dict[str, Any]:
    """Give the lease, break the connection; what the agent then asks on a new one."""
    await gateway.told(type="acquire")
    await gateway.say(LEASE, LinkFrame(1, "up", 1, 0.0))
    await gateway.told(type="renew")
    gateway.heard.clear()
    gateway.agents[-1].transport.abort()
    data: dict[str, Any] = (await gateway.told(type="continue"))["data"]
    return data


async def test_a_restarted_gateway_finds_the_same_process_under_the_same_lease(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]", tmp_path: Path
) -> None:
    asked = await lose_the_gateway(gateway)
    assert (asked["market"], asked["generation"]) == ("BTC", 4)
    assert len(gateway.heard) == 1, "nothing else is said while the lease is in doubt"
    assert asked["event_ns"] > 0
    await gateway.say(LEASE, LinkFrame(1, "up", 1, 0.0))
    await gateway.told(type="renew", generation=4)
    kinds = [f["subscription"]["type"] for f in gateway.heard if f["method"] == "subscribe"]
    assert kinds == ["orderUpdates", "userFills", "activeAssetCtx", "l2Book", "bbo", "trades"]
    asked = next(f["request"] for f in gateway.heard if f["method"] == "post")
    assert asked["payload"]["type"] == "userFillsByTime", "what traded meanwhile is asked for first"
    assert "acquire" not in {f["data"]["type"] for f in gateway.heard if f["method"] == "gw"}
    assert "lease.continued" in (tmp_path / "BTC.jsonl").read_text()
    await gateway.say(Revoked("test"))
    assert await agent == Departure(75, "revoked: test")


async def test_what_was_in_flight_when_the_gateway_died_counts_as_unknown(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]", tmp_path: Path
) -> None:
    await gateway.told(type="acquire")
    await gateway.say(LEASE, LinkFrame(1, "up", 1, 0.0))
    await gateway.told(method="post")  # the snapshot of orders; it will never be answered
    gateway.agents[-1].transport.abort()
    await gateway.told(type="continue")
    await gateway.say(LEASE)
    await gateway.told(type="renew", generation=4)
    await gateway.say(Revoked("test"))
    await agent
    lines = [
        msgspec.json.decode(line) for line in (tmp_path / "BTC.jsonl").read_text().splitlines()
    ]
    (lost,) = [line for line in lines if line["event"] == "gateway.lost"]
    assert lost["in_flight"] == 1
    assert any(line["event"] == "request.unanswered" for line in lines)


async def test_a_gateway_that_is_not_ready_is_asked_again(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]"
) -> None:
    await lose_the_gateway(gateway)
    gateway.heard.clear()
    await gateway.say(LeaseRefused("unready", "not yet"))
    await gateway.agents[-1].close()
    await gateway.told(type="continue", generation=4)
    await gateway.say(LeaseRefused("expired", "the lease of BTC is gone"))
    assert await agent == Departure(75, "refused: expired: the lease of BTC is gone")


async def test_another_generation_is_not_ours(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]"
) -> None:
    await lose_the_gateway(gateway)
    await gateway.say(msgspec.structs.replace(LEASE, generation=5))
    assert await agent == Departure(75, "asked to continue 4, got 5")


async def test_a_gateway_that_stays_away_is_an_end(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.runtime.rejoin.REJOIN_S", 0.3)
    await gateway.told(type="acquire")
    await gateway.say(LEASE)
    await gateway.told(type="renew")
    gateway.sock.unlink()
    gateway.agents[-1].transport.abort()
    departure = await agent
    assert departure.code == 75
    assert "did not take us back" in departure.reason


async def test_a_process_that_was_stopped_past_its_lease_says_nothing_more(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]", monkeypatch: pytest.MonkeyPatch
) -> None:
    await gateway.told(type="acquire")
    await gateway.say(LEASE, LinkFrame(1, "up", 1, 0.0))
    await gateway.told(type="renew")
    running_ns = Clock.now_ns
    monkeypatch.setattr(Clock, "now_ns", lambda clock: running_ns(clock) + 5_001_000_000)
    gateway.heard.clear()
    departure = await agent
    assert departure.code == 75
    assert "was stopped, or stuck" in departure.reason
    assert gateway.heard == []


async def test_a_hole_in_the_links_sequence_is_an_end(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]"
) -> None:
    await gateway.told(type="acquire")
    await gateway.say(LEASE, LinkFrame(1, "up", 1, 0.0), LinkFrame(3, "recovered", 1, 0.0))
    departure = await agent
    assert (departure.code, departure.reason) == (75, "link frame 3 after 1")


async def test_garbage_is_passed_over_and_noted(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]", tmp_path: Path
) -> None:
    await gateway.told(type="acquire")
    await gateway.say(LEASE)
    await gateway.told(type="renew")
    await gateway.agents[-1].send('{"channel":"l2Book","data":{"coin":"BTC","time":"never"}}')
    await gateway.agents[-1].send("what")
    await gateway.say(Revoked("test"))
    assert (await agent).reason == "revoked: test"
    assert (tmp_path / "BTC.jsonl").read_text().count("frame.malformed") == 2


async def test_a_flat_market_that_drains_is_released(
    gateway: FakeGateway, agent: "asyncio.Task[Departure]"
) -> None:
    await gateway.told(type="acquire")
    await gateway.say(LEASE, LinkFrame(1, "up", 1, 0.0))
    asked = await gateway.told(method="post")
    empty = {"type": "frontendOpenOrders", "data": []}
    answer = {"id": asked["id"], "response": {"type": "info", "payload": empty}}
    await gateway.agents[-1].send(msgspec.json.encode({"channel": "post", "data": answer}).decode())
    await gateway.say(DrainFrame(deadline_ms=2_000_000_000_000))
    assert (await gateway.told(type="release"))["data"]["generation"] == 4
    assert (await agent).code == 0


@pytest.mark.parametrize(("told", "saved"), [("revoked", True), ("stopped", False)])
async def test_what_it_believes_is_for_the_next_one_unless_it_slept_over_its_lease(
    gateway: FakeGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, saved: bool
) -> None:
    lease = msgspec.structs.replace(
        LEASE,
        settings=msgspec.structs.replace(
            LEASE.settings, strategy=StrategySettings(warmup_s=0.0, warmup_max_s=0.0)
        ),
    )
    path, log = tmp_path / "beliefs.json", tmp_path / "BTC.jsonl"

    async def live() -> None:
        ends = asyncio.ensure_future(
            run_agent("BTC", gateway.sock, "a" * 64, log, "test", None, path)
        )
        await gateway.told(type="acquire")
        await gateway.say(lease, LinkFrame(1, "up", 1, 0.0))
        await gateway.told(type="renew")
        levels = '{"px":"100","sz":"1","n":1},{"px":"101","sz":"1","n":1}'
        at_ms = Clock().now_ns() // 1_000_000
        bbo = f'{{"channel":"bbo","data":{{"coin":"BTC","time":{at_ms},"bbo":[{levels}]}}}}'
        await gateway.agents[-1].send(bbo)
        gateway.heard.clear()
        await gateway.told(type="renew")  # what was sent before is taken by then
        if told == "revoked":
            await gateway.say(Revoked("test"))
        else:
            running_ns = Clock.now_ns
            monkeypatch.setattr(Clock, "now_ns", lambda clock: running_ns(clock) + 5_001_000_000)
        assert (await ends).code == 75

    await live()
    assert path.exists() == saved
    if saved:
        gateway.heard.clear()
        log.write_text("")
        await live()
        assert '"beliefs.found"' in log.read_text()


async def test_no_gateway_is_an_end_not_an_error(tmp_path: Path) -> None:
    departure = await run_agent("BTC", tmp_path / "no.sock", "t", tmp_path / "l.jsonl", "test")
    assert departure.code == 75
