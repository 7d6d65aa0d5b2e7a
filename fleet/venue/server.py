"""HTTP and WebSocket in front of the venue: ``/info``, ``/exchange``, ``/ws`` and ``/admin``."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from aiohttp import HttpVersion11, StreamReader, WSMsgType, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler

from agents.sim.outputs import UnknownRequest
from fleet.venue.admin import ROUTES
from fleet.venue.connection import Connection
from fleet.venue.refusals import AnswerLost, TurnedAway
from fleet.venue.session import Session
from fleet.venue.venue import Venue

BODY_BYTES_MAX: Final = 4_000_000
MESSAGES_A_TURN: Final = 16
"""Of one client, before the others have their turn."""
TOO_MANY: Final = 429
BAD_GATEWAY: Final = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
JSON: Final = "application/json"
NOT_JSON: Final = "Expected request with `Content-Type: application/json`"
PREFLIGHT: Final[Mapping[str, str]] = {
    "Access-Control-Allow-Methods": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
Answering = Callable[[dict[str, object], str], Awaitable[object]]
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
LOOPBACK: Final = "127.0.0.1"


def server(venue: Venue) -> web.Server:
    """What serves a connection. Any client that lets its base URL be set works against it."""
    loop = asyncio.get_running_loop()

    def request(
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        return web.BaseRequest(
            message, payload, protocol, writer, task, loop, client_max_size=BODY_BYTES_MAX
        )

    return web.Server(Front(venue).handle, request_factory=request, access_log=None)


class Front:
    """Finds the handler of a request. There are few routes, so aiohttp's router is left out."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._routes: dict[str, dict[str, Handler]] = {
            "/info": {"POST": self._info},
            "/exchange": {"POST": self._exchange},
            "/ws": {"GET": self._websocket},
        }
        for path, methods in ROUTES.items():
            self._routes[path] = {name: self._operator(each) for name, each in methods.items()}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; a path may end in a slash. 404 and 405 where there is no handler."""
        methods = self._routes.get(request.path) or self._routes.get(request.path.rstrip("/"))
        origin = "Origin" in request.headers
        if methods is None:
            response: web.StreamResponse = web.Response(status=404)
        elif (handler := methods.get(request.method)) is not None:
            await _expected(request)
            response = await handler(request)
        elif request.method == "OPTIONS":
            response = web.Response(headers=PREFLIGHT)
        else:
            response = web.Response(status=405, headers={"Allow": ",".join(methods)})
        if origin and not response.prepared:
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    async def _info(self, request: web.BaseRequest) -> web.Response:
        return await self._answered(request, self._venue.info)

    async def _exchange(self, request: web.BaseRequest) -> web.Response:
        return await self._answered(request, self._venue.act)

    async def _answered(self, request: web.BaseRequest, answering: Answering) -> web.Response:
        """The venue's answer as HTTP shows it; where it is lost, the connection just ends."""
        await self._venue.thawed()
        try:
            answer = await answering(await _body(request), request.remote or LOOPBACK)
            response = web.Response(body=msgspec.json.encode(answer), content_type=JSON)
        except UnknownRequest as unknown:
            response = web.Response(status=422, text=str(unknown))
        except TurnedAway as away:
            response = _refusal(away.code)
        except AnswerLost:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        await self._venue.thawed()
        return response

    async def _websocket(self, request: web.BaseRequest) -> web.StreamResponse:
        venue, ip = self._venue, request.remote or LOOPBACK
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
            heard = 0
            async for message in socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    session.receive(message.data)
                heard += 1
                if connection.closed:
                    break
                if heard % MESSAGES_A_TURN == 0:
                    await asyncio.sleep(0)
        finally:
            session.close()
            venue.connections.discard(connection)
            writing.cancel()
        return socket

    def _operator(
        self, answer: Callable[[Venue, web.BaseRequest], Awaitable[web.Response]]
    ) -> Handler:
        return lambda request: answer(self._venue, request)


async def _expected(request: web.BaseRequest) -> None:
    """Ask for the body of a client that waits to be asked."""
    expect = request.headers.get("Expect")
    if expect is None:
        return
    if expect.lower() != "100-continue":
        raise web.HTTPExpectationFailed(text=f"Unknown Expect: {expect}")
    if request.version >= HttpVersion11 and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _refusal(code: int) -> web.Response:
    if code == TOO_MANY:
        return web.Response(status=code, body=b"null", content_type=JSON)
    return web.Response(status=code, text=BAD_GATEWAY, content_type="text/html")


async def _body(request: web.BaseRequest) -> dict[str, object]:
    """The decoded body. Answers 415 and 400 where it is not JSON; UnknownRequest: no object."""
    kind = request.content_type
    if kind != JSON and not kind.endswith("+json"):
        raise web.HTTPUnsupportedMediaType(text=NOT_JSON)
    try:
        body = msgspec.json.decode(await request.read())
    except (msgspec.DecodeError, RecursionError) as error:
        raise web.HTTPBadRequest(text="Failed to parse the request body as JSON") from error
    if not isinstance(body, dict):
        raise UnknownRequest
    return body
