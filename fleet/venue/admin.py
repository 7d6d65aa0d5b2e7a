"""The operator's door of the venue, under ``/admin``: from this machine alone."""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from ipaddress import ip_address
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from aiohttp import web

from agents.market.types import Coin, Side
from agents.market.units import NS_PER_MS
from fleet.venue.faults import read_plan
from fleet.venue.venue import Venue

MOVE_LEAST: Final = -0.9
MOVE_MOST: Final = 9.0
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a manual clock goes on: so many block intervals and so many milliseconds."""

    blocks: Count = 0
    ms: Count = 0


class Halt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A market that its deployer stops, settling it at the mark, or lets go on."""

    coin: str
    halted: bool = True


class Delist(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A market that ends for good, settled at the oracle's price."""

    coin: str


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much open interest a market may have; null takes the listing's own cap again."""

    coin: str
    usd: Decimal | None = None


class Sweep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody is forced to trade so much with the next block, against one who waited for it."""

    coin: str
    side: Literal["buy", "sell"]
    usd: Annotated[float, msgspec.Meta(gt=0, le=1e9)]


Asked = TypeVar("Asked")
Answer = Callable[[Venue, web.BaseRequest], Awaitable[web.Response]]


async def _stats(venue: Venue, request: web.BaseRequest) -> web.Response:
    del request
    return _json(
        {
            "exchange_requests": venue.exchange_requests,
            "info_requests": venue.info_requests,
            "block": venue.blocks,
            "connections": len(venue.connections),
            "subscriptions": venue.hub.subscriptions,
            "turned_away": venue.turned_away,
            "complaints": venue.complaints,
        }
    )


async def _faults(venue: Venue, request: web.BaseRequest) -> web.Response:
    del request
    return _json(venue.faults.shown())


async def _misbehave(venue: Venue, request: web.BaseRequest) -> web.Response:
    try:
        plan = read_plan(await request.read())
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    venue.misbehave(plan)
    return _json(venue.faults.shown())


async def _step(venue: Venue, request: web.BaseRequest) -> web.Response:
    asked = _read(await request.read(), Step)
    if not venue.manual:
        raise web.HTTPConflict(text="step: the clock is real; start the venue with --clock manual")
    ms_ns = asked.ms * NS_PER_MS
    await venue.step(venue.now_ns + asked.blocks * venue.block_ns + ms_ns)
    return _json({"time": venue.now_ms, "block": venue.blocks})


async def _oracle(venue: Venue, request: web.BaseRequest) -> web.Response:
    prices = _read(await request.read(), dict[str, Decimal])
    unknown = prices.keys() - venue.universe.listings.keys()
    if unknown:
        raise web.HTTPBadRequest(text=f"oracle: {', '.join(sorted(unknown))}: not listed here")
    if not all(px.is_finite() and px > 0 for px in prices.values()):
        raise web.HTTPBadRequest(text="oracle: a price is a number above 0")
    for coin, px in prices.items():
        venue.exchange.set_oracle(Coin(coin), px)
    return _json({coin: str(px) for coin, px in prices.items()})


async def _price(venue: Venue, request: web.BaseRequest) -> web.Response:
    moves = _read(await request.read(), dict[str, float])
    if not all(MOVE_LEAST < share <= MOVE_MOST for share in moves.values()):
        text = f"price: a share above {MOVE_LEAST:g}, {MOVE_MOST:g} at most"
        raise web.HTTPBadRequest(text=text)
    coins = [_listed(venue, "price", coin) for coin in moves]
    if not all(venue.world.move(coin, moves[coin]) for coin in coins):
        raise web.HTTPConflict(text="price: a recording says what is paid here")
    return _json(moves)


async def _sweep(venue: Venue, request: web.BaseRequest) -> web.Response:
    asked = _read(await request.read(), Sweep)
    side = Side.BID if asked.side == "buy" else Side.ASK
    if not venue.world.sweep(_listed(venue, "sweep", asked.coin), side, asked.usd):
        raise web.HTTPConflict(text="sweep: nobody but a recording trades here")
    return _json(asked)


async def _halt_trading(venue: Venue, request: web.BaseRequest) -> web.Response:
    asked = _read(await request.read(), Halt)
    venue.exchange.halt(_listed(venue, "halt_trading", asked.coin), halted=asked.halted)
    return _json(asked)


async def _delist(venue: Venue, request: web.BaseRequest) -> web.Response:
    asked = _read(await request.read(), Delist)
    venue.exchange.delist(_listed(venue, "delist", asked.coin))
    return _json(asked)


async def _oi_cap(venue: Venue, request: web.BaseRequest) -> web.Response:
    asked = _read(await request.read(), Cap)
    if asked.usd is not None and not (asked.usd.is_finite() and asked.usd >= 0):
        raise web.HTTPBadRequest(text="oi_cap: usd is a number from 0, or null")
    venue.exchange.set_oi_cap(_listed(venue, "oi_cap", asked.coin), asked.usd)
    return _json(asked)


def _listed(venue: Venue, verb: str, coin: str) -> Coin:
    if coin not in venue.universe.listings:
        raise web.HTTPBadRequest(text=f"{verb}: {coin}: not listed here")
    return Coin(coin)


def _read(raw: bytes, shape: type[Asked]) -> Asked:
    """The body in its shape. Answers 400 with what is wrong with it."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, RecursionError) as error:
        raise web.HTTPBadRequest(text=str(error)) from error


def _local(answer: Answer) -> Answer:
    """The answer for a caller on this machine; 403 for any other."""

    async def checked(venue: Venue, request: web.BaseRequest) -> web.Response:
        remote = request.remote
        if remote is None or not ip_address(remote).is_loopback:
            raise web.HTTPForbidden(text="/admin answers this machine alone")
        return await answer(venue, request)

    return checked


def _json(answer: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


ROUTES: Final[Mapping[str, Mapping[str, Answer]]] = {
    "/admin/stats": {"GET": _local(_stats)},
    "/admin/faults": {"GET": _local(_faults), "POST": _local(_misbehave)},
    "/admin/step": {"POST": _local(_step)},
    "/admin/oracle": {"POST": _local(_oracle)},
    "/admin/price": {"POST": _local(_price)},
    "/admin/sweep": {"POST": _local(_sweep)},
    "/admin/halt_trading": {"POST": _local(_halt_trading)},
    "/admin/delist": {"POST": _local(_delist)},
    "/admin/oi_cap": {"POST": _local(_oi_cap)},
}
"""By path and method."""
