"""A halt is proven while the venue misbehaves: held placements, lost answers, 429s, strangers."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.commands import NewOrder
from agents.exchange.codec import encode_place
from agents.exchange.http import Http
from agents.exchange.signing import L1Signer, exchange_body, pack
from agents.market.types import Cloid, Side
from fleet.gateway.api import HaltReport, HaltRequest
from tests.e2e.gateway_stack import Client, Stack, agent, configured, far_px

HELD_S = 4.0


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with configured(tmp_path) as made:
        yield made


def misbehave(stack: Stack, **plan: Any) -> None:
    request = urllib.request.Request(stack.url + "/admin/faults", json.dumps(plan).encode())
    with urllib.request.urlopen(request, timeout=5):
        pass


async def stranger(stack: Stack) -> None:
    """An order that no fleet placed."""
    order = NewOrder(Cloid("0x" + "7" * 32), Side.BID, Decimal(far_px(stack)), Decimal("0.001"))
    action, nonce = encode_place([order], 0), int(time.time() * 1_000)
    signature = L1Signer(stack.key, mainnet=True).sign(pack(action), nonce)
    http = Http(stack.url)
    try:
        await http.exchange(msgspec.json.encode(exchange_body(action, nonce, signature, None)))
    finally:
        await http.close()


@pytest.mark.parametrize(
    "weather",
    [
        {"hold_placements_s": HELD_S, "drop_answers_share": 0.3},
        {"hold_placements_s": HELD_S, "status_burst": {"code": 429, "s": 2.0}},
    ],
    ids=["lost answers", "429s"],
)
async def test_flat_is_never_said_falsely(stack: Stack, weather: dict[str, Any]) -> None:
    await stranger(stack)
    async with agent(stack) as client:
        stopping = asyncio.Event()
        px = far_px(stack)

        async def keep_sending() -> None:
            while not stopping.is_set() and not client.closed.is_set():
                await client.place(px=px, sz="0.0005")
                await client.renew()
                await asyncio.sleep(0.05)

        sender = asyncio.create_task(keep_sending())
        await client.until(lambda: len(client.posts) > 5)
        misbehave(stack, hold_placements_s=HELD_S)
        await asyncio.sleep(0.5)
        misbehave(stack, **weather)
        request = HaltRequest(reason="test", by="e2e")
        lines = await asyncio.to_thread(lambda: list(stack.client.halt(request)))
        report = msgspec.convert(lines[-1], type=HaltReport)
        assert report.flat_of_orders
        assert report.proof.in_flight_unresolved == 0
        assert report.proof.voided > 0, "placements were under way at that moment"
        assert report.first_refusal_ms is not None
        assert report.foreign_orders == 1
        misbehave(stack)
        end_s = time.monotonic() + HELD_S + 2.0
        while time.monotonic() < end_s:
            assert ours(await stack.resting()) == []
            await asyncio.sleep(0.5)
        assert len(await stack.resting()) == 1, "the stranger's order is left alone"
        stopping.set()
        await sender


def ours(rows: list[dict[str, Any]]) -> list[str]:
    return [row["cloid"] for row in rows if str(row["cloid"]).startswith("0xf1ee")]


async def test_a_cut_connection_costs_no_lease(stack: Stack) -> None:
    async with agent(stack) as client:
        request, _ = await client.place(px=far_px(stack), sz="0.001")
        await client.until(lambda: request in client.posts)
        misbehave(stack, cut_connections=True)
        await client.until(lambda: states(client)[-2:] == ["gap", "recovered"], 10.0)
        await client.renew()
        stack.direct("normal")
        request, _ = await client.place(px=far_px(stack), sz="0.001")
        await client.until(lambda: request in client.posts)
        assert client.lease is not None


def states(client: Client) -> list[str]:
    return [str(getattr(told, "state", "")) for told in client.told if hasattr(told, "since_ms")]
