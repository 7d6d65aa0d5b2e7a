"""The halt without a gateway, against the embedded exchange: orders gone, proven, or said so."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from agents.commands import NewOrder
from agents.exchange.codec import encode_place
from agents.exchange.http import Http
from agents.exchange.signing import L1Signer, exchange_body, pack
from agents.market.types import Cloid, Side
from fleet.gateway.api import ResumeRequest
from fleet.processes import clean_environment, python
from tests.e2e.gateway_stack import Stack, agent, far_px


class Unlimited(Stack):
    """Many halts in one minute would each wait for the venue's weight to come back."""

    limits = "off"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Unlimited(tmp_path_factory.mktemp("direct"))
    (made.folder.root / "guard.json").write_text(json.dumps({"url": made.url, "venue": False}))
    try:
        made.configure()
        yield made
    finally:
        made.stop()


def direct(stack: Stack, *options: str, key: str | None = None) -> tuple[int, Any, str]:
    """(exit code, the report or None, what it said)."""
    done = subprocess.run(
        python("fleet.gateway.direct", "--folder", str(stack.folder.root), *options),
        input=(stack.key.hex() if key is None else key) + "\n",
        env=clean_environment(os.environ), capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


async def test_it_clears_and_proves_beside_a_dead_gateway_and_beside_a_living_one(
    stack: Stack,
) -> None:
    async with agent(stack) as main, agent(stack, "hyna:BTC") as other:
        for client in (main, other):
            request, _ = await client.place(px=far_px(stack, client.market), sz="0.001")
            await client.until(lambda c=client, r=request: r in c.posts)  # type: ignore[misc]
        os.kill(stack.gateway.pid, signal.SIGKILL)
        stack.gateway.wait()
    assert await stack.resting()
    assert await stack.resting("hyna")
    code, report, said = direct(stack, "--reason", "all is lost")
    assert (code, said) == (0, "")
    assert await stack.resting() == []
    assert await stack.resting("hyna") == []
    assert report["halted"]
    assert report["flat_of_orders"]
    assert report["proof"]["snapshots"] == 2
    assert {m["market"]: m["orders_cancelled"] for m in report["markets"]} == {
        "BTC": 1, "hyna:BTC": 1,
    }  # fmt: skip
    latch = json.loads(stack.folder.halt.read_text())
    assert (latch["reason"], latch["by"]) == ("all is lost", "direct")
    stack.gateway = stack.start_gateway()
    assert stack.client.status().halt is not None


async def test_a_stopped_gateway_is_ended_so_that_it_sends_nothing_after_the_proof(
    stack: Stack,
) -> None:
    stack.client.post("/v1/resume", ResumeRequest(reason="on with it", by="test"))
    stack.direct("normal")
    async with agent(stack) as client:
        request, _ = await client.place(px=far_px(stack), sz="0.001")
        await client.until(lambda: request in client.posts)
        px = far_px(stack)
        os.kill(stack.gateway.pid, signal.SIGSTOP)
        await client.place(px=px, sz="0.001")
        code, report, said = direct(stack)
        assert (code, report["flat_of_orders"]) == (0, True)
        assert f"the gateway (pid {stack.gateway.pid}) is stopped" in said
        assert await stack.resting() == []
    assert stack.gateway.wait() == -signal.SIGKILL
    stack.gateway = stack.start_gateway()
    assert stack.client.status().halt is not None
    code, report, said = direct(stack)
    assert (code, report["flat_of_orders"]) == (0, True)
    assert "killed" not in said
    assert stack.gateway.poll() is None


async def test_foreign_orders_are_reported_and_left_unless_all_is_said(stack: Stack) -> None:
    order = NewOrder(Cloid("0x" + "1" * 32), Side.BID, Decimal(far_px(stack)), Decimal("0.001"))
    action, nonce = encode_place([order], 0), int(time.time() * 1_000)
    signature = L1Signer(stack.key, mainnet=False).sign(pack(action), nonce)
    http = Http(stack.url)
    await http.exchange(msgspec.json.encode(exchange_body(action, nonce, signature, None)))
    await http.close()
    code, report, _ = direct(stack)
    assert (code, report["foreign_orders"]) == (0, 1)
    assert len(await stack.resting()) == 1
    code, report, _ = direct(stack, "--all")
    assert (code, report["foreign_orders"]) == (0, 0)
    assert await stack.resting() == []


def test_without_a_venue_it_latches_and_says_7_and_with_a_bad_key_3(stack: Stack) -> None:
    code, report, said = direct(stack, key="no key")
    assert (code, report) == (3, None)
    assert "no key" not in said
    (stack.folder.root / "guard.json").write_text('{"url": "http://127.0.0.1:9"}')
    code, report, said = direct(stack, "--patience-s", "1")
    assert (code, report) == (7, None)
    assert "out of reach" in said
    assert stack.key.hex() not in said
