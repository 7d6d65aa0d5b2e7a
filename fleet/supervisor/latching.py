"""Halt and resume for programs on ``control.sock``: passed on to the gateway, whose latch it is.

A halt is answered as the gateway answers it: a line of JSON a stage while it runs, the report last.
Its log is what ``fleet history`` shows of both; nothing is written down twice.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fleet.gateway.api import ApiError, HaltRequest, ResumeRequest
from fleet.gateway.client import ApiFailure, Unreachable
from fleet.supervisor.actions import Gateway
from fleet.supervisor.verbs import Refused


async def halt(gateway: Gateway, asked: HaltRequest) -> AsyncIterator[dict[str, Any]]:
    """Each stage as it comes. ``Refused`` before the first one: nothing was latched."""
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue()

    def carry_out() -> None:
        end: Exception | None = None
        try:
            for stage in gateway.halt(asked):
                loop.call_soon_threadsafe(told.put_nowait, stage)
        except (ApiFailure, Unreachable) as error:
            end = error
        loop.call_soon_threadsafe(told.put_nowait, end)

    work = asyncio.create_task(asyncio.to_thread(carry_out))
    begun = False
    while (found := await told.get()) is not None:
        if isinstance(found, Exception):
            await work
            if begun:  # the caller sees the report missing, and asks again
                return
            raise _refused(found, "cancel without it: fleet halt --direct")
        begun = True
        yield found
    await work


async def resume(gateway: Gateway, asked: ResumeRequest) -> None:
    """``Refused`` while the cause stands."""
    try:
        await asyncio.to_thread(gateway.post, "/v1/resume", asked)
    except (ApiFailure, Unreachable) as error:
        raise _refused(error, "its guard restarts it: try again in a few seconds") from None


def _refused(error: Exception, mend: str) -> Refused:
    if isinstance(error, ApiFailure):
        return Refused(error.error)
    text = f"the gateway is out of reach ({error})"
    return Refused(ApiError("unreachable", 7, text, mend), 503)
