"""HTTP and WebSocket in front of the venue: ``/info``, ``/exchange``, ``/ws``, ``/admin/stats``."""

import asyncio
from typing import Final

import msgspec
from aiohttp import WSMsgType, web

from agents.sim.outputs import UnknownRequest
from fleet.venue.connection import Connection
from fleet.venue.session import Session
from fleet.venue.venue import Venue

BODY_BYTES_MAX: Final = 4_000_000
SHUTDOWN_S: Final = 1.0
VENUE: Final = web.AppKey("venue", Venue)
TASKS: Final = web.AppKey("tasks", set[asyncio.Task[None]])


def application(venue: Venue) -> web.Application:
    """The routes. Any client that lets its base URL be set works against them."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app[VENUE] = venue
    app.router.add_post("/info", _info)
    app.router.add_post("/exchange", _exchange)
    app.router.add_get("/ws", _websocket)
    app.router.add_get("/admin/stats", _stats)
    return app


async def _info(request: web.Request) -> web.Response:
    try:
        answer = await request.app[VENUE].info(await _body(request))
    except UnknownRequest as unknown:
        return web.Response(status=422, text=str(unknown))
    return _json(answer)


async def _exchange(request: web.Request) -> web.Response:
    try:
        answer = await request.app[VENUE].act(await _body(request))
    except UnknownRequest as unknown:
        return web.Response(status=422, text=str(unknown))
    return _json(answer)


async def _stats(request: web.Request) -> web.Response:
    venue = request.app[VENUE]
    return _json(
        {
            "exchange_requests": venue.exchange_requests,
            "info_requests": venue.info_requests,
            "block": venue.blocks,
        }
    )


async def _websocket(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse(compress=False, max_msg_size=BODY_BYTES_MAX)
    await socket.prepare(request)
    assert request.transport is not None
    connection = Connection(socket, request.transport)
    writing = asyncio.create_task(connection.write())
    session = Session(request.app[VENUE], connection)
    try:
        async for message in socket:
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                session.receive(message.data)
    finally:
        session.close()
        writing.cancel()
    return socket


async def _body(request: web.Request) -> dict[str, object]:
    """The decoded body. Answers 400 where it is not JSON; raises UnknownRequest for no object."""
    try:
        body = msgspec.json.decode(await request.read())
    except (msgspec.DecodeError, RecursionError) as error:
        raise web.HTTPBadRequest(text="Failed to parse the request body as JSON") from error
    if not isinstance(body, dict):
        raise UnknownRequest
    return body


def _json(answer: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")
