"""HTTP and WebSocket in front of the venue: ``/info``, ``/exchange`` and ``/ws``."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import WSMsgType, web

from agents.sim.outputs import UnknownRequest
from fleet.venue.admin import VENUE, add_admin
from fleet.venue.connection import Connection
from fleet.venue.refusals import AnswerLost, TurnedAway
from fleet.venue.session import Session
from fleet.venue.venue import Venue

BODY_BYTES_MAX: Final = 4_000_000
SHUTDOWN_S: Final = 1.0
TOO_MANY: Final = 429
BAD_GATEWAY: Final = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
Answering = Callable[[dict[str, object], str], Awaitable[object]]
LOOPBACK: Final = "127.0.0.1"


def application(venue: Venue) -> web.Application:
    """The routes. Any client that lets its base URL be set works against them."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app[VENUE] = venue
    app.router.add_post("/info", _info)
    app.router.add_post("/exchange", _exchange)
    app.router.add_get("/ws", _websocket)
    add_admin(app)
    return app


async def _info(request: web.Request) -> web.Response:
    return await _answered(request, request.app[VENUE].info)


async def _exchange(request: web.Request) -> web.Response:
    return await _answered(request, request.app[VENUE].act)


async def _answered(request: web.Request, answering: Answering) -> web.Response:
    """The venue's answer as HTTP shows it; where it is lost, the connection just ends."""
    venue = request.app[VENUE]
    await venue.thawed()
    try:
        response = _json(await answering(await _body(request), request.remote or LOOPBACK))
    except UnknownRequest as unknown:
        response = web.Response(status=422, text=str(unknown))
    except TurnedAway as away:
        response = _refusal(away.code)
    except AnswerLost:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    await venue.thawed()
    return response


def _refusal(code: int) -> web.Response:
    if code == TOO_MANY:
        return web.Response(status=code, body=b"null", content_type="application/json")
    return web.Response(status=code, text=BAD_GATEWAY, content_type="text/html")


async def _websocket(request: web.Request) -> web.StreamResponse:
    venue, ip = request.app[VENUE], request.remote or LOOPBACK
    try:
        venue.welcome(ip)
    except TurnedAway as away:
        return _refusal(away.code)
    socket = web.WebSocketResponse(compress=False, max_msg_size=BODY_BYTES_MAX)
    await socket.prepare(request)
    assert request.transport is not None
    connection = Connection(socket, request.transport, ip)
    writing = asyncio.create_task(connection.write())
    session = Session(venue, connection)
    venue.connections.add(connection)
    try:
        async for message in socket:
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                session.receive(message.data)
    finally:
        session.close()
        venue.connections.discard(connection)
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
