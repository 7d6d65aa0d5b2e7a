"""The control API on ``control.sock``: plan, apply, history, down, healthz; JSON, behind the token.

    POST /v1/plan     {manifest}                               -> {plan_id, revision, steps}
    POST /v1/apply    {manifest, plan_id?, only?, allow?, by}  -> 202 {revision}; 200: no changes
    GET  /v1/history                                           -> {revisions, audit}
    GET  /v1/rollout                       -> {rollout}: the newest revision's, and how it ended
    POST /v1/rollback {rev?, by, dry?, plan_id?} -> 202 {revision, to, steps}; 200: dry, no changes
    POST /v1/down     {by?}                                    -> {stopped}, once they are gone
    POST /v1/halt     {reason, by?, flatten?, all?}    -> a line a stage, then the report
    POST /v1/resume   {reason, by?}                            -> {}
    POST /v1/markets/{market}/{pause|unpause|drain|flatten|restart}   {by?} -> {}
    GET  /v1/markets/{market}/explain                          -> its agent's Explanation
    GET  /metrics                  -> Prometheus's text
    GET  /healthz                  -> {ok, blind}; 200 if the loop turned within 5 s

An apply writes what is desired and returns; the loop does the rest. Errors as the gateway's.
"""

import asyncio
import hmac
import os
import socket
import sqlite3
import stat
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from agents.telemetry.logs import Log
from fleet.gateway.api import ApiError, HaltRequest, ResumeRequest
from fleet.manifests.spec import FleetSpec, decode, digest, encode
from fleet.supervisor import latching
from fleet.supervisor.loop import Loop
from fleet.supervisor.plan import FLEET, PlanStep, merged, plan, plan_id
from fleet.supervisor.rollback import restored
from fleet.supervisor.rollout import begin
from fleet.supervisor.store import Store
from fleet.supervisor.verbs import Refused, Verbs

TURN_MAX_S: Final = 5.0
BODY_BYTES_MAX: Final = 4_000_000
RISK_INCREASE: Final = "risk-increase"

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PlanRequest(msgspec.Struct, frozen=True):
    manifest: FleetSpec


class ApplyRequest(msgspec.Struct, frozen=True):
    """``plan_id``: refuse if what runs has changed since that plan. ``only``: one market."""

    manifest: FleetSpec
    by: str
    plan_id: str | None = None
    only: str | None = None
    allow: tuple[str, ...] | None = None


class RollbackRequest(msgspec.Struct, frozen=True):
    """``rev``: back to which, the one before by default. ``dry``: only say what it would do."""

    by: str
    rev: int | None = None
    dry: bool = False
    plan_id: str | None = None


class By(msgspec.Struct, frozen=True):
    """Who asks, where nothing else needs to be said."""

    by: str = "operator"


class Halting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``flatten``: then close positions; ``all``: cancel foreign orders too."""

    reason: str
    by: str = "operator"
    flatten: bool = False
    all: bool = False


class Resuming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: str
    by: str = "operator"


class ControlApi:
    """Serves one fleet's supervisor."""

    def __init__(
        self,
        fleet: str,
        store: Store,
        loop: Loop,
        token: str,
        log: Log,
        scrape: Callable[[], bytes],
    ) -> None:
        self._fleet = fleet
        self._scrape = scrape
        self._store = store
        self._loop = loop
        self._token = token
        self._log = log
        self._verbs = Verbs(store, loop)
        self._gateway = loop.gateway

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guarded], client_max_size=BODY_BYTES_MAX)
        app.router.add_post("/v1/plan", self._plan)
        app.router.add_post("/v1/apply", self._apply)
        app.router.add_post("/v1/rollback", self._rollback)
        app.router.add_get("/v1/history", self._history)
        app.router.add_get("/v1/rollout", self._rollout)
        app.router.add_post("/v1/down", self._down)
        app.router.add_post("/v1/halt", self._halt)
        app.router.add_post("/v1/resume", self._resume)
        app.router.add_post("/v1/markets/{market}/{verb}", self._verb)
        app.router.add_get("/v1/markets/{market}/explain", self._explain)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The token, and every failure as the API's JSON."""
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return _failure(ApiError("bad_token", 3, "the fleet's token does not match"), 401)
        try:
            return await handler(request)
        except Refused as refused:
            return _failure(refused.error, refused.status)
        except sqlite3.Error as error:
            text = f"store.db can't be written: {error}; nothing was changed"
            return _failure(ApiError("store_unwritable", 1, text, "free some disk"), 507)
        except msgspec.MsgspecError as error:
            return _failure(ApiError("bad_request", 3, str(error)), 400)

    # ── plan and apply ───────────────────────────────────────────────────────────────────────

    async def _plan(self, request: web.Request) -> web.StreamResponse:
        wanted = self._checked((await _read(request, PlanRequest)).manifest)
        rev, steps = self._planned(wanted)
        return _reply({"plan_id": plan_id(rev, wanted), "revision": rev, "steps": steps})

    def _checked(self, manifest: FleetSpec) -> FleetSpec:
        if manifest.fleet != self._fleet:
            text = f"the manifest is of fleet {manifest.fleet}; this is {self._fleet}"
            raise Refused(ApiError("wrong_fleet", 3, text, "apply it with its own name"), 400)
        return manifest

    def _current(self) -> tuple[int, FleetSpec | None]:
        current = self._store.current()
        return (0, None) if current is None else (current.rev, decode(current.spec))

    def _planned(self, wanted: FleetSpec) -> tuple[int, tuple[PlanStep, ...]]:
        """Against what is desired; where that differs, against what is in force: a market that
        waits for a canary has the settings of an older revision yet, and after a rollout that was
        paused an apply of the same manifest begins it anew.
        """
        rev, current = self._current()
        status = self._loop.status
        held = {m.market: bool(m.position_sz) for m in status.markets} if status else {}
        rows = self._store.markets()
        steps = plan(current, rows, wanted, held)
        last = self._loop.conductor.book.last()
        paused = last is not None and last.stage == "paused"
        if current is None or last is None or not (paused or (last.is_open and steps)):
            return rev, steps
        return rev, plan(self._store.in_force(current, rows), rows, wanted, held) or steps

    async def _apply(self, request: web.Request) -> web.StreamResponse:
        asked = await _read(request, ApplyRequest)
        whole = self._checked(asked.manifest)
        rev, current = self._current()
        if asked.plan_id and asked.plan_id != plan_id(rev, whole):
            text = "what runs has changed since the plan was made"
            raise Refused(ApiError("stale_plan", 3, text, "plan again"))
        self._refuse_halted()
        wanted = merged(current, whole, asked.only)
        rev, steps = self._planned(wanted)
        if not steps:
            return _reply({"revision": rev})
        _refuse_raises(steps, asked.allow or ())
        return _reply({"revision": self._revise(wanted, steps, asked.by)}, 202)

    def _revise(
        self, wanted: FleetSpec, steps: tuple[PlanStep, ...], by: str, back_to: int | None = None
    ) -> int:
        """Write down what is desired from now on, and wake the loop; the new revision."""
        desired = {s.market: s.market in wanted.markets for s in steps if s.market != FLEET}
        now_ms = time.time_ns() // 1_000_000
        before, current = self._current()
        book, rows = self._loop.conductor.book, self._store.markets()
        last = book.last()
        unproven = last is not None and last.stage in {"canary", "paused"}
        rollout = begin(
            desired,
            wanted.rollout.canary if back_to is None else (),
            running=[row.market for row in rows.values() if row.desired],
            base=last.base if last is not None and unproven else before or None,
            at_ms=now_ms,
        )

        def also(rev: int) -> None:
            self._loop.workflow.treasury.leaving.note(current, wanted, now_ms)
            book.put(msgspec.structs.replace(rollout, rev=rev))

        first = {market: desired[market] for market in desired if market not in rollout.pending}
        spec_json = encode(wanted).decode()
        rev = self._store.revise(spec_json, first, by, now_ms, back_to, also)
        told = [f"{step.kind} {step.market}" for step in steps]
        self._log.info("applied", revision=rev, by=by, steps=told, back_to=back_to)
        self._loop.wake(*desired)
        return rev

    async def _rollback(self, request: web.Request) -> web.StreamResponse:
        asked = await _read(request, RollbackRequest)
        rev, current = self._current()
        to = rev - 1 if asked.rev is None else asked.rev
        row = self._store.revision(to) if to < rev else None
        if current is None or row is None:
            text = f"there is no revision {to} to go back to; the one in force is {rev}"
            raise Refused(ApiError("unknown_revision", 3, text, "fleet history lists them"), 404)
        wanted = restored(decode(row.spec), current)
        rev, steps = self._planned(wanted)
        name = plan_id(rev, wanted)
        told = {"plan_id": name, "revision": rev, "to": to, "steps": steps}
        if asked.dry or not steps:
            return _reply(told)
        if asked.plan_id not in {None, name}:
            text = "what runs has changed since the plan was made"
            raise Refused(ApiError("stale_plan", 3, text, "plan again"))
        self._refuse_halted()
        _refuse_raises(steps, ())
        return _reply({**told, "revision": self._revise(wanted, steps, asked.by, to)}, 202)

    def _refuse_halted(self) -> None:
        status = self._loop.status
        if status is not None and status.halt is not None:
            text = f"the fleet is halted: {status.halt.reason}"
            raise Refused(ApiError("halted", 5, text, "fleet resume --reason TEXT lifts it"))

    async def _rollout(self, _: web.Request) -> web.StreamResponse:
        return _reply({"rollout": self._loop.conductor.book.last()})

    # ── the rest ─────────────────────────────────────────────────────────────────────────────

    async def _history(self, _: web.Request) -> web.StreamResponse:
        revisions = [
            {"rev": r.rev, "at_ms": r.at_ms, "by": r.by, "digest": digest(decode(r.spec))}
            for r in self._store.revisions()
        ]
        return _reply({"revisions": revisions, "audit": self._store.audits()})

    async def _down(self, request: web.Request) -> web.StreamResponse:
        asked = await _read(request, By)
        self._store.stand_down(asked.by, time.time_ns() // 1_000_000)
        stopped = await self._loop.stand_down()
        self._log.info("stood.down", by=asked.by, stopped=stopped)
        return _reply({"stopped": stopped})

    async def _halt(self, request: web.Request) -> web.StreamResponse:
        asked = await _read(request, Halting)
        wanted = HaltRequest(asked.reason, asked.by, asked.flatten, asked.all)
        self._log.warning("halt", reason=asked.reason, by=asked.by, all=asked.all)
        response = web.StreamResponse(headers={"Content-Type": "application/jsonl"})
        async for stage in latching.halt(self._gateway, wanted):
            if not response.prepared:
                await response.prepare(request)
            await response.write(msgspec.json.encode(stage) + b"\n")
        await response.write_eof()
        return response

    async def _resume(self, request: web.Request) -> web.StreamResponse:
        asked = await _read(request, Resuming)
        await latching.resume(self._gateway, ResumeRequest(asked.reason, asked.by))
        self._log.warning("resume", reason=asked.reason, by=asked.by)
        return _reply({})

    async def _verb(self, request: web.Request) -> web.StreamResponse:
        asked = await _read(request, By)
        market, verb = request.match_info["market"], request.match_info["verb"]
        await self._verbs.carry_out(market, verb, asked.by)
        self._log.info("verb", market=market, verb=verb, by=asked.by)
        return _reply({})

    async def _explain(self, request: web.Request) -> web.StreamResponse:
        told = await self._verbs.explain(request.match_info["market"])
        return web.Response(body=told, content_type="application/json")

    async def _healthz(self, _: web.Request) -> web.StreamResponse:
        age_s = time.monotonic() - self._loop.turned_s
        fine = age_s < TURN_MAX_S
        told: dict[str, object] = {"ok": fine, "turned_s_ago": round(age_s, 3), "blind": None}
        blind = self._loop.blind
        if blind is not None:
            since_s = round(time.monotonic() - blind.since_s, 1)
            told["blind"] = {"what": blind.what, "cause": blind.cause, "for_s": since_s}
        return _reply(told, 200 if fine else 503)

    async def _metrics(self, _request: web.Request) -> web.StreamResponse:
        body = await asyncio.to_thread(self._scrape)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _refuse_raises(steps: tuple[PlanStep, ...], allow: tuple[str, ...]) -> None:
    raised = ["the fleet" if s.market == FLEET else s.market for s in steps if s.raises_risk]
    if raised and RISK_INCREASE not in allow:
        text = f"limits would rise: {', '.join(raised)}"
        raise Refused(ApiError("risk_increase", 3, text, "apply with --allow risk-increase"))


async def serve(api: ControlApi, path: Path) -> web.AppRunner:
    """Serve on the Unix socket ``path`` until the runner is cleaned up."""
    runner = web.AppRunner(api.app(), access_log=None)
    await runner.setup()
    await web.SockSite(runner, _listen(path)).start()
    return runner


def _listen(path: Path) -> socket.socket:
    """A listening socket, 0600; a stale file is replaced.

    One supervisor a fleet is Ray's promise (one name), so a live listener here is a dying one.
    """
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(64)
    return listener


async def _read(request: web.Request, kind: type[T]) -> T:
    return msgspec.json.decode(await request.read() or b"{}", type=kind)


def _reply(value: object, status: int = 200) -> web.Response:
    body = msgspec.json.encode(value)
    return web.Response(status=status, body=body, content_type="application/json")


def _failure(error: ApiError, status: int) -> web.Response:
    return _reply({"error": error}, status)
