"""A halt as its caller sees it: a line a stage while it runs, the report last."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from fleet.gateway.api import HaltRequest
from fleet.gateway.core.control import Halt
from fleet.gateway.core.state import FLEET
from fleet.gateway.service import Gateway

LOOK_S: Final = 0.02
GIVE_UP_MS: Final = 20_000
FLATTEN_MS: Final = 30_000


def halt_lines(gateway: Gateway, request: HaltRequest) -> AsyncIterator[bytes]:
    """Latches at once, in the call itself; then lines until it is proven, or time is up."""
    halt = Halt(request, gateway.now_ms())
    gateway.run(halt.latch(gateway.state, gateway.now_ms()))
    halt.try_door(gateway.state, gateway.now_ms())
    gateway.run(halt.clear(gateway.state, gateway.now_ms()))
    return _follow(gateway, halt)


async def _follow(gateway: Gateway, halt: Halt) -> AsyncIterator[bytes]:
    state = gateway.state
    give_up_ms = GIVE_UP_MS + (FLATTEN_MS if halt.request.flatten else 0)
    yield _line("latched", 0)
    told: set[str] = set()
    while not halt.done(state):
        await asyncio.sleep(LOOK_S)
        since_ms = gateway.now_ms() - halt.started_ms
        clearing = state.clearings.get(FLEET)
        if clearing is None or since_ms > give_up_ms:
            break
        if clearing.cleared_ms is not None and "cleared" not in told:
            told.add("cleared")
            yield _line("cleared", clearing.cleared_ms - halt.started_ms)
        second = f"flattening {since_ms // 1_000}"
        if clearing.done and halt.request.flatten and second not in told:
            told.add(second)
            yield _line("flattening", since_ms)
    yield msgspec.json.encode(halt.report(state))


def _line(stage: str, ms: int) -> bytes:
    return msgspec.json.encode({"stage": stage, "ms": ms})
