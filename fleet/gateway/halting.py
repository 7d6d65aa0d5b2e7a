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


def halt_lines(gateway: Gateway, request: HaltRequest) -> AsyncIterator[bytes]:
    """Latches at once, in the call itself; then lines until it is proven, or 20 s are over."""
    halt = Halt(request, gateway.now_ms())
    gateway.run(halt.begin(gateway.state, gateway.now_ms()))
    return _follow(gateway, halt)


async def _follow(gateway: Gateway, halt: Halt) -> AsyncIterator[bytes]:
    state = gateway.state
    yield _line("latched", 0)
    cleared = False
    while True:
        await asyncio.sleep(LOOK_S)
        now_ms = gateway.now_ms()
        halt.look(state)
        clearing = state.clearings.get(FLEET)
        if clearing is None:
            break
        if clearing.cleared_ms is not None and not cleared:
            cleared = True
            yield _line("cleared", clearing.cleared_ms - halt.started_ms)
        if clearing.done or now_ms - halt.started_ms > GIVE_UP_MS:
            break
    yield msgspec.json.encode(halt.report(state))


def _line(stage: str, ms: int) -> bytes:
    return msgspec.json.encode({"stage": stage, "ms": ms})
