"""``gateway.sock``: the HTTP routes of ``fleet.gateway.api`` and the agents' WebSocket."""

import asyncio
import hmac
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import structlog
from aiohttp import WSMsgType, web

from agents.exchange.errors import ExchangeError, RateLimited
from fleet.gateway.account_actions import carry_out
from fleet.gateway.agent_socket import AgentSocket
from fleet.gateway.api import (
    ActionPost,
    ActRequest,
    ApiError,
    BooksPut,
    CapsPut,
    CashAdopt,
    DirectivesPut,
    HaltRequest,
    MarketPut,
    RequestsPut,
    ResumeRequest,
    SaidPost,
)
from fleet.gateway.core import budgets, control
from fleet.gateway.core.control import Wrong
from fleet.gateway.core.effects import Record
from fleet.gateway.core.status import status
from fleet.gateway.halting import halt_lines
from fleet.gateway.info_cache import InfoCache
from fleet.gateway.patience import Doorkeeper, Frames, body
from fleet.gateway.records import Moved, Said
from fleet.gateway.resuming import resume
from fleet.gateway.service import Gateway

FRAME_BYTES_MAX: Final = 1 << 20
HEARTBEAT_S: Final = 20.0
VERBS: Final = frozenset({"pause", "unpause", "drain", "flatten", "revoke", "adopt"})
_log = structlog.get_logger()
_json = msgspec.json.Encoder().encode
T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SocketTaken(Exception):
    """Another gateway listens on the socket."""


class Server:
    """The routes; one object a gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._state = gateway.state
        self._info = InfoCache(gateway)
        self._last_session = 0
        self.doorkeeper: Doorkeeper | None = None
        self._last_turn_ms = 0

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._guarded], client_max_size=FRAME_BYTES_MAX)
        app.router.add_get("/ws", self._agent)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/v1/status", self._status)
        app.router.add_get("/v1/reports", self._status)
        app.router.add_put("/v1/markets/{market}", self._put_market)
        app.router.add_delete("/v1/markets/{market}", self._delete_market)
        app.router.add_post("/v1/markets/{market}/{verb}", self._act)
        app.router.add_put("/v1/directives", self._put_directives)
        app.router.add_put("/v1/books", self._put_books)
        app.router.add_post("/v1/books/adopt", self._adopt_cash)
        app.router.add_post("/v1/said", self._said)
        app.router.add_put("/v1/caps", self._put_caps)
        app.router.add_put("/v1/requests", self._put_requests)
        app.router.add_post("/v1/halt", self._halt)
        app.router.add_post("/v1/resume", self._resume)
        app.router.add_post("/v1/actions", self._action)
        app.router.add_post("/v1/info", self._info_route)
        return app

    @web.middleware
    async def _guarded(  # noqa: PLR0911  (one return a kind of failure)
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        """The token, and every failure as the API's JSON."""
        if self.doorkeeper is not None:
            self.doorkeeper.begun(request)
        try:
            if request.path != "/ws" and not self._may(request):
                error = ApiError("bad_token", 3, "the fleet's token does not match")
                return _failure(error, 401)
            return await handler(request)
        except Wrong as wrong:
            return _failure(wrong.error, wrong.status)
        except msgspec.MsgspecError as error:
            return _failure(ApiError("bad_request", 3, str(error)), 400)
        except RateLimited as error:
            return _failure(ApiError("rate_limited", 7, str(error), "try again in a minute"), 429)
        except ExchangeError as error:
            return _failure(ApiError("venue_unreachable", 7, str(error)), 502)
        except OSError as error:
            _log.error("store.unwritable", error=str(error))
            return _failure(ApiError("store_unwritable", 1, str(error), "free some disk"), 507)

    def _may(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self._state.identity.token}".encode())

    # ── reading ──────────────────────────────────────────────────────────────────────────────

    async def _healthz(self, _: web.Request) -> web.StreamResponse:
        return _reply(
            {"link": self._state.link.state, "halted": self._state.fence.latch is not None}
        )

    async def _status(self, _: web.Request) -> web.StreamResponse:
        now_ms = self._gateway.now_ms()
        return _reply(status(self._state, now_ms))

    async def _info_route(self, request: web.Request) -> web.StreamResponse:
        wanted = msgspec.json.decode(await body(request), type=dict[str, object])
        return web.Response(body=await self._info.ask(wanted), content_type="application/json")

    # ── telling ──────────────────────────────────────────────────────────────────────────────

    async def _put_market(self, request: web.Request) -> web.StreamResponse:
        put = await _read(request, MarketPut)
        self._gateway.run(control.put_market(self._state, request.match_info["market"], put))
        return self._done()

    async def _delete_market(self, request: web.Request) -> web.StreamResponse:
        market = request.match_info["market"]
        self._gateway.run(control.delete_market(self._state, market))
        return _reply({})

    async def _act(self, request: web.Request) -> web.StreamResponse:
        market, verb = request.match_info["market"], request.match_info["verb"]
        by = msgspec.json.decode(await body(request) or b"{}", type=ActRequest).by
        outcome = "accepted"
        try:
            self._gateway.run(control.act(self._state, market, verb, self._gateway.now_ms()))
        except Wrong as wrong:
            outcome = wrong.error.text
            raise
        finally:
            if by is not None:
                _log.warning("said", market=market, verb=verb, by=by, outcome=outcome)
                self._gateway.run([Record(Said(market, verb, by, outcome))])
        return self._done()

    def _done(self) -> web.StreamResponse:
        """What was asked for is in force; whether it outlives this process is another question."""
        why = self._state.unwritable.get("files")
        if why is not None:
            return _failure(ApiError("store_unwritable", 1, why, "free some disk"), 507)
        return _reply({})

    async def _put_directives(self, request: web.Request) -> web.StreamResponse:
        put = await _read(request, DirectivesPut)
        self._gateway.run(control.put_directives(self._state, put))
        return _reply({})

    async def _put_caps(self, request: web.Request) -> web.StreamResponse:
        put = await _read(request, CapsPut)
        self._gateway.run(control.put_caps(self._state, put))
        return self._done()

    async def _put_requests(self, request: web.Request) -> web.StreamResponse:
        put = await _read(request, RequestsPut)
        self._gateway.run(budgets.allow(self._state, put.buy_max_usd_per_day))
        return self._done()

    async def _put_books(self, request: web.Request) -> web.StreamResponse:
        self._state.books = (await _read(request, BooksPut)).dexes
        return _reply({})

    async def _adopt_cash(self, request: web.Request) -> web.StreamResponse:
        wanted = await _read(request, CashAdopt)
        now_ms = self._gateway.now_ms()
        moved = Moved(
            what=f"adopted by {wanted.by}", dex=wanted.dex, token=wanted.token,
            time_ms=wanted.as_of_ms, hash=f"adopted-{now_ms}", amount=wanted.amount,
        )  # fmt: skip
        said = Said(wanted.dex, "adopt", wanted.by, f"{wanted.amount} {wanted.token}")
        _log.warning("said", market=wanted.dex, verb="adopt", by=wanted.by, amount=wanted.amount)
        self._gateway.run([Record(moved), Record(said)])
        return self._done()

    async def _said(self, request: web.Request) -> web.StreamResponse:
        told = await _read(request, SaidPost)
        self._gateway.run([Record(Said(told.about, told.verb, told.by, told.outcome))])
        return self._done()

    async def _halt(self, request: web.Request) -> web.StreamResponse:
        wanted = await _read(request, HaltRequest)
        _log.warning("halt", reason=wanted.reason, by=wanted.by, all=wanted.all)
        lines = halt_lines(self._gateway, wanted)
        response = web.StreamResponse(headers={"Content-Type": "application/jsonl"})
        await response.prepare(request)
        async for line in lines:
            await response.write(line + b"\n")
        await response.write_eof()
        return response

    async def _resume(self, request: web.Request) -> web.StreamResponse:
        wanted = await _read(request, ResumeRequest)
        await resume(self._gateway, wanted)
        _log.warning("resume", reason=wanted.reason, by=wanted.by)
        return _reply({})

    async def _action(self, request: web.Request) -> web.StreamResponse:
        wanted = await _read(request, ActionPost)
        raw = await carry_out(self._gateway, wanted)
        return web.Response(body=raw, content_type="application/json")

    # ── agents ───────────────────────────────────────────────────────────────────────────────

    async def _agent(self, request: web.Request) -> web.StreamResponse:
        """One agent for as long as it is connected."""
        ws = web.WebSocketResponse(
            max_msg_size=FRAME_BYTES_MAX, compress=False, heartbeat=HEARTBEAT_S
        )
        await ws.prepare(request)
        self._last_session += 1
        session, agent = self._last_session, AgentSocket(ws)
        self._gateway.agents[session] = agent
        self._gateway.core.opened(session, self._gateway.now_ms())
        writer = asyncio.create_task(agent.write())
        frames, loop = Frames(), asyncio.get_running_loop()
        try:
            async for message in ws:
                if frames.too_many(loop.time()):
                    _log.warning("agent.says_too_much", session=session)
                    self._state.refuse("flood")
                    break
                if message.type is WSMsgType.TEXT:
                    self._gateway.said(session, message.data.encode())
                elif message.type is WSMsgType.BINARY:
                    self._gateway.said(session, message.data)
                elif message.type is WSMsgType.ERROR:  # a frame too large, or none at all
                    _log.warning("agent.says_nonsense", session=session, text=str(message.data))
                    self._state.refuse("nonsense")
        finally:
            self._gateway.closed(session)
            if agent.overrun:
                _log.warning("agent.too_slow", session=session)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return ws


async def _read(request: web.Request, kind: type[T]) -> T:
    return msgspec.json.decode(await body(request), type=kind)


def _reply(value: object) -> web.Response:
    return web.Response(body=_json(value), content_type="application/json")


def _failure(error: ApiError, status_code: int) -> web.Response:
    body = _json({"error": error})
    return web.Response(status=status_code, body=body, content_type="application/json")


def claim_socket(path: Path) -> socket.socket:
    """A listening Unix socket at ``path``, 0600; a stale file there is replaced.

    ``SocketTaken`` if somebody answers on it.
    """
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(path))
            except OSError:
                path.unlink()
            else:
                raise SocketTaken(f"another gateway listens on {path}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(64)
    return listener
