"""The operator's door of the venue, under ``/admin``: from this machine alone."""

from ipaddress import ip_address
from typing import Final

import msgspec
from aiohttp import web

from fleet.venue.faults import read_plan
from fleet.venue.venue import Venue

VENUE: Final = web.AppKey("venue", Venue)


def add_admin(app: web.Application) -> None:
    """Add the routes: counters, faults."""
    app.router.add_get("/admin/stats", _stats)
    app.router.add_get("/admin/faults", _faults)
    app.router.add_post("/admin/faults", _misbehave)


async def _stats(request: web.Request) -> web.Response:
    venue = _venue(request)
    return _json(
        {
            "exchange_requests": venue.exchange_requests,
            "info_requests": venue.info_requests,
            "block": venue.blocks,
        }
    )


async def _faults(request: web.Request) -> web.Response:
    return _json(_venue(request).faults.shown())


async def _misbehave(request: web.Request) -> web.Response:
    venue = _venue(request)
    try:
        plan = read_plan(await request.read())
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    venue.misbehave(plan)
    return _json(venue.faults.shown())


def _venue(request: web.Request) -> Venue:
    """The venue, for a caller on this machine. Raises 403 for any other."""
    remote = request.remote
    if remote is None or not ip_address(remote).is_loopback:
        raise web.HTTPForbidden(text="/admin answers this machine alone")
    return request.app[VENUE]


def _json(answer: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")
