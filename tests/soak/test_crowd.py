"""One gateway and forty agents: what it adds, what a freeze costs, how soon it is halted.

``CROWD_MINUTES`` (2) of the first. The figures want a machine at rest.
"""

import asyncio
import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from agents.commands import NewOrder, Report
from agents.exchange.codec import encode_place, subscribe_frame
from agents.exchange.downstream import Acquire, LeaseFrame, RenewLease, ToAgent, ToGateway
from agents.exchange.websocket import Connection, connect
from agents.market.types import Cloid, Side
from fleet.gateway.api import HaltRequest
from tests.e2e.gateway_stack import TOKEN
from tests.e2e.under_test import wait_for
from tests.soak.crowd import Crowd, crowd
from tests.soak.forty import say, taken
from tests.soak.tap import FROM_VENUE, TO_VENUE, frames

MINUTES = float(os.environ.get("CROWD_MINUTES", "2"))
PROBED = "SUI"
CONNECTIONS_MAX = 3
PULLED_MAX_S = 6.0
REFUSAL_MAX_MS = 50
PROVEN_MAX_MS = 2_500


@pytest.fixture
def forty(tmp_path: Path) -> Iterator[Crowd]:
    with crowd(tmp_path, spare=(PROBED,)) as made:
        wait_for("all quote", lambda: made.quoting() >= len(made.markets) - 1, 300, every_s=1.0)
        yield made


def of(what: str, found: list[float]) -> None:
    cuts = statistics.quantiles(found, n=100) if len(found) > 1 else found * 99
    shares = f"p50 {cuts[49]:9.0f}   p99 {cuts[98]:9.0f}   worst {max(found):9.0f}"
    say(f"{what:<44} {shares}   n {len(found)}")


# ── what the gateway adds ────────────────────────────────────────────────────────────────────


class Probe:
    """An agent without an engine: each bbo of its market is answered by an order at once."""

    def __init__(self) -> None:
        self.heard: dict[bytes, int] = {}
        self.said: dict[str, int] = {}
        self.ticks: dict[str, bytes] = {}

    async def run(self, sock: Path, seconds: float) -> None:
        connection = await connect("ws://localhost/ws", unix_path=str(sock))
        acquire = Acquire(PROBED, 1, "probe", TOKEN, "0" * 16, os.getpid())
        await connection.send(msgspec.json.encode(ToGateway(acquire)))
        until_s = time.monotonic() + seconds
        lease: LeaseFrame | None = None
        beat: asyncio.Task[None] | None = None
        async for raw in connection:
            at_ns = time.time_ns()
            if b'"channel":"gw"' in raw:
                told = msgspec.json.decode(raw, type=ToAgent).data
                if isinstance(told, LeaseFrame):
                    lease = told
                    beat = asyncio.create_task(self._beat(connection, told.generation))
                    for kind in ("bbo", "activeAssetCtx"):
                        wanted = {"type": kind, "coin": PROBED}
                        await connection.send(subscribe_frame(wanted))
                continue
            self.heard.setdefault(raw, at_ns)
            if lease is not None and b'"channel":"bbo"' in raw:
                await self._order(connection, lease, raw)
            if time.monotonic() > until_s:
                break
        if beat is not None:
            beat.cancel()
        await connection.close()

    async def _beat(self, connection: Connection, generation: int) -> None:
        while True:
            frame = RenewLease(generation, time.time_ns(), 1, Report(phase="QUOTING"))
            await connection.send(msgspec.json.encode(ToGateway(frame)))
            await asyncio.sleep(0.5)

    async def _order(self, connection: Connection, lease: LeaseFrame, raw: bytes) -> None:
        bid = json.loads(raw)["data"]["bbo"][0]
        if bid is None or len(self.said) > 60 * MINUTES:
            return
        cloid = Cloid(f"0x{lease.cloid_prefix}{len(self.said) + 1:012x}")
        px = lease.instrument.passive_px(float(bid["px"]) * 0.98, Side.BID)
        sz = lease.instrument.viable_sz(px)
        order = NewOrder(cloid, Side.BID, px, sz)
        payload = {"action": encode_place([order], lease.instrument.asset_id),
                   "generation": lease.generation, "value_usd": 12.0}  # fmt: skip
        post = {"method": "post", "id": len(self.said) + 1,
                "request": {"type": "action", "payload": payload}}  # fmt: skip
        self.ticks[cloid] = raw
        self.said[cloid] = time.time_ns()
        await connection.send(msgspec.json.encode(post))


async def echo_ns(times: int = 2_000) -> list[float]:
    """A frame to a bare loopback echo and back, halved."""

    async def back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4_096):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(back, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    found = []
    for _ in range(times):
        began_ns = time.time_ns()
        writer.write(b"x" * 200)
        await reader.read(4_096)
        found.append((time.time_ns() - began_ns) / 2_000)
        await asyncio.sleep(0.001)
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
    return found


async def measured(forty: Crowd) -> tuple[Probe, list[float]]:
    probe = Probe()
    _, echo = await asyncio.gather(probe.run(forty.folder.gateway_sock, MINUTES * 60), echo_ns())
    return probe, echo


def test_what_the_gateway_adds_at_forty_markets(forty: Crowd) -> None:
    before, counted = taken(forty.gateway.pid), forty.ask("/admin/stats")
    began_s = time.monotonic()
    probe, echo = asyncio.run(measured(forty))
    seconds = time.monotonic() - began_s
    after, counts = taken(forty.gateway.pid), forty.ask("/admin/stats")
    assert before is not None
    assert after is not None
    passed = list(frames(forty.tap_log))
    sent_down = {payload: at_ns for at_ns, way, payload in passed if way == FROM_VENUE}
    sent_up = {
        cloid: at_ns
        for at_ns, way, payload in passed
        if way == TO_VENUE and b'"order"' in payload
        for cloid in probe.said
        if cloid.encode() in payload
    }
    down = [(at - sent_down[raw]) / 1e3 for raw, at in probe.heard.items() if raw in sent_down]
    up = [(sent_up[cloid] - at) / 1e3 for cloid, at in probe.said.items() if cloid in sent_up]
    whole = [
        (sent_up[cloid] - sent_down[raw]) / 1e3
        for cloid, raw in probe.ticks.items()
        if cloid in sent_up and raw in sent_down
    ]
    say(f"\n{seconds:.0f} s, {len(passed) / seconds:.0f} frames a second, in us:")
    of("a bare loopback echo, one way", echo)
    of("frame in to frame out, with tap and sockets", down)
    of("action in to signed bytes out, likewise", up)
    of("tick to order on the wire, both", whole)
    cpu = 100 * (after.cpu_s - before.cpu_s) / seconds
    memory = after.pss_kb if after.pss_kb is not None else after.rss_kb
    say(f"gateway: {cpu:.1f} % of a core, {memory / 1024:.0f} MB")
    seen = forty.status()
    assert seen is not None
    say(f"IP weight {100 * seen.ip_weight_used_share:.0f} %, refusals {seen.refusals}")
    assert counts["connections"] <= CONNECTIONS_MAX
    assert counts["turned_away"] == counted["turned_away"]
    assert counts["complaints"] == counted["complaints"]
    assert down
    assert whole


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────


def test_what_is_frozen_without_a_close_is_pulled(forty: Crowd) -> None:
    wait_for("orders rest", lambda: forty.rests() > 20, 60, every_s=1.0)
    forty.freeze()
    began_s = time.monotonic()
    wait_for("nothing rests", lambda: forty.rests() == 0, 30, every_s=0.5)
    took_s = time.monotonic() - began_s
    say(f"\nfrozen to nothing of ours resting {took_s:.1f} s")
    assert took_s <= PULLED_MAX_S


def test_a_halt_of_forty_markets_is_proven_soon(forty: Crowd) -> None:
    wait_for("orders rest", lambda: forty.rests() > 40, 60, every_s=1.0)
    rested = forty.rests()
    lines = list(forty.client.halt(HaltRequest(reason="figure", by="test")))
    report = lines[-1]
    refused_ms, proven_ms = report["first_refusal_ms"], report["proven_ms"]
    say(f"\n{rested} orders: refused after {refused_ms} ms, proven after {proven_ms} ms")
    assert report["flat_of_orders"]
    assert forty.rests() == 0
    assert report["first_refusal_ms"] <= REFUSAL_MAX_MS
    assert report["proven_ms"] <= PROVEN_MAX_MS
