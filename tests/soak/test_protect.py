"""A position's stop through gateway and venue as processes: signed, listed, moved, halted."""

import asyncio
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.settings import MarketSettings, ProtectSettings, RiskSettings
from fleet.gateway.api import HaltRequest, MarketPut
from fleet.gateway.client import market_path
from tests.e2e.gateway_stack import Stack, configured, wait_for
from tests.e2e.test_caretaker import buy

STOP_BPS = 400.0


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with configured(tmp_path) as made:
        yield made


def protect(stack: Stack, stop_bps: float | None) -> None:
    settings = MarketSettings(
        market="BTC",  # type: ignore[arg-type]
        margin_usd=2_000.0, leverage=3,
        risk=RiskSettings(position_max_usd=5_000.0, daily_loss_max_usd=100.0),
        protect=ProtectSettings(stop_bps),
    )  # fmt: skip
    stack.client.put(market_path("BTC"), MarketPut(revision=2, settings=settings))


async def stops(stack: Stack, count: int) -> list[dict[str, Any]]:
    """Once the venue lists so many."""
    until_s = time.monotonic() + 20.0
    while len(rows := [row for row in await stack.resting() if row["isTrigger"]]) != count:
        assert time.monotonic() < until_s, rows
        await asyncio.sleep(0.2)
    return rows


async def test_it_comes_with_the_position_outlives_the_gateway_and_goes_with_a_halt(
    stack: Stack,
) -> None:
    protect(stack, STOP_BPS)
    await buy(stack)
    (stop,) = await stops(stack, 1)
    view = next(m for m in stack.client.status().markets if m.market == "BTC")
    assert view.entry_px is not None
    off_bps = float(1 - Decimal(stop["triggerPx"]) / view.entry_px) * 10_000
    assert STOP_BPS - 1.0 <= off_bps <= STOP_BPS + 5.0
    assert stop["isPositionTpsl"]
    stack.gateway.kill()
    stack.gateway.wait()
    stack.gateway = await asyncio.to_thread(stack.start_gateway)
    await asyncio.sleep(6.0)
    assert [row["oid"] for row in await stops(stack, 1)] == [stop["oid"]]
    protect(stack, 2 * STOP_BPS)
    await asyncio.sleep(1.0)
    (moved,) = await stops(stack, 1)
    assert moved["oid"] != stop["oid"]
    *_, report = await asyncio.to_thread(
        lambda: list(stack.client.halt(HaltRequest(reason="r", by="t")))
    )
    assert report["flat_of_orders"]
    assert await stack.resting() == []
    assert msgspec.convert(report["markets"][0]["orders_cancelled"], int) == 1
    assert not stack.client.status().refusals.get("malformed")
    await asyncio.to_thread(wait_for, lambda: not stack.client.status().markets[0].open_orders)
