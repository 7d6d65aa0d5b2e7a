"""Who connects and says nothing whole, or far too much, is cut off before others notice.

A connection has ``HEAD_S`` for the head of its first request and ``BODY_S`` for a request's body;
an agent may say ``FRAMES_MAX`` frames in ``FRAMES_S``, many times what one in its senses does.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

HEAD_S: Final = 5.0
BODY_S: Final = 5.0
FRAMES_MAX: Final = 2_000
FRAMES_S: Final = 10.0
OPEN_MAX: Final = 256
_log = structlog.get_logger()


class Doorkeeper:
    """Makes the protocol of each new connection of a server, and watches over its first request."""

    def __init__(self, make: Callable[[], RequestHandler]) -> None:
        self._make = make
        self._waiting: dict[asyncio.BaseProtocol, asyncio.TimerHandle] = {}

    def __call__(self) -> RequestHandler:
        handler = self._make()
        loop = asyncio.get_running_loop()
        self._waiting[handler] = loop.call_later(HEAD_S, self._late, handler)
        if len(self._waiting) > OPEN_MAX:
            self._late(next(iter(self._waiting)))
        return handler

    def begun(self, request: web.Request) -> None:
        """The head of a request has come."""
        timer = self._waiting.pop(request.protocol, None)
        if timer is not None:
            timer.cancel()

    def _late(self, handler: asyncio.BaseProtocol) -> None:
        timer = self._waiting.pop(handler, None)
        if timer is not None:
            timer.cancel()
        transport = getattr(handler, "transport", None)
        if transport is not None and not transport.is_closing():
            _log.warning("client.says_nothing", after_s=HEAD_S)
            transport.abort()


async def body(request: web.Request) -> bytes:
    """A request's body, if it comes in time; else 408."""
    try:
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except TimeoutError:
        _log.warning("client.body_late", path=request.path)
        raise web.HTTPRequestTimeout from None


class Frames:
    """How much one agent's connection says."""

    def __init__(self) -> None:
        self._since_s = 0.0
        self._count = 0

    def too_many(self, now_s: float) -> bool:
        """Count one more frame."""
        if now_s - self._since_s > FRAMES_S:
            self._since_s, self._count = now_s, 0
        self._count += 1
        return self._count > FRAMES_MAX
