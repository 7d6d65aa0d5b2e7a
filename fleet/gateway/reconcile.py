"""What the gateway asks the venue when a connection opens, before it says that the link is up."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec

from agents.exchange.codec import decode_info, subscribe_frame
from agents.exchange.codec_account import to_fill, to_live
from agents.exchange.errors import BadRequest, ExchangeError, MalformedFrame
from agents.exchange.registry import Registry
from agents.exchange.wire import (
    ClearinghouseState,
    ExtraAgent,
    FrontendOrder,
    Meta,
    PerpDex,
    SpotMeta,
    UserFees,
    UserRateLimit,
    WsFill,
)
from agents.exchange.wire_market import PerpDexLimits
from fleet.gateway.core import cautions, venue
from fleet.gateway.core.allowance import Told
from fleet.gateway.core.orders import dex_of
from fleet.gateway.core.weight import info_weight
from fleet.gateway.service import Gateway

FILLS_OVERLAP_MS: Final = 5_000
FILLS_PAGE: Final = 2_000
SNAPSHOTS_S: Final = 1.5
SNAPSHOTS_LOOK_S: Final = 0.02
POLL_WEIGHT: Final = 20
LISTING_WEIGHT: Final = 80
VALIDITY_ROUNDS: Final = 20
LISTING_ROUNDS: Final = 10
MAKER_RATE: Final = Decimal("0.00015")
TAKER_RATE: Final = Decimal("0.00045")


class Asks(Protocol):
    """Who asks the venue's /info."""

    async def info_raw(self, request: dict[str, Any], /) -> bytes: ...


async def learn(http: Asks, address: str | None) -> Registry:
    """Every DEX and market, and the account's fees (None: those of a new one). ``ExchangeError``
    if that can't be had.
    """
    raw_dexs, raw_metas, raw_spot, raw_fees = await asyncio.gather(
        http.info_raw({"type": "perpDexs"}),
        _all_metas(http),
        http.info_raw({"type": "spotMeta"}),
        _fees(http, address),
    )
    dexs = decode_info(raw_dexs, tuple[PerpDex | None, ...])
    metas = await _metas(http, dexs, raw_metas)
    spot = decode_info(raw_spot, SpotMeta)
    try:
        fees = decode_info(raw_fees, UserFees)
        maker, taker = fees.user_add_rate, fees.user_cross_rate
    except MalformedFrame:
        maker, taker = MAKER_RATE, TAKER_RATE
    return Registry.build(dexs, metas, spot, maker, taker)


async def _fees(http: Asks, address: str | None) -> bytes:
    if address is None:
        return b"null"
    return await http.info_raw({"type": "userFees", "user": address})


async def _all_metas(http: Asks) -> bytes:
    """All DEXs' metas in one answer; ``null`` where the server doesn't know the question."""
    try:
        return await http.info_raw({"type": "allPerpMetas"})
    except BadRequest:
        return b"null"


async def _metas(
    http: Asks, dexs: tuple[PerpDex | None, ...], raw: bytes
) -> dict[str, Meta | None]:
    """By DEX name: out of ``allPerpMetas``, or asked one by one where that is not as expected."""
    names = ["", *(row.name for row in dexs if row is not None)]
    try:
        listed = decode_info(raw, tuple[Meta | None, ...])
        if len(listed) == len(names):
            return dict(zip(names, listed, strict=True))
    except MalformedFrame:
        pass
    raws = await asyncio.gather(*(http.info_raw({"type": "meta", "dex": n}) for n in names))
    return {
        name: decode_info(one, Meta | None)  # type: ignore[arg-type]
        for name, one in zip(names, raws, strict=True)
    }


def subscriptions(gateway: Gateway) -> list[dict[str, object]]:
    """The account's own channels; positions of all DEXs come in frames of one moment."""
    user = gateway.state.identity.address
    wanted: list[dict[str, object]] = [
        {"type": "orderUpdates", "user": user},
        {"type": "userFills", "user": user},
        {"type": "userFundings", "user": user},
        {"type": "userNonFundingLedgerUpdates", "user": user},
        {"type": "allDexsClearinghouseState", "user": user},
    ]
    dexes = gateway.state.dexes()
    return wanted + [{"type": "openOrders", "user": user, "dex": dex} for dex in dexes]


async def reconcile(gateway: Gateway) -> None:
    """Subscribe, and take what may have been missed from the snapshots that follow; what they do
    not tell in time is asked for. ``ExchangeError``.
    """
    state, http = gateway.state, gateway.http
    if state.registry is None:
        gateway.core.learned(await learn(http, state.identity.address))
    assert gateway.upstream is not None
    state.awaited_ms = gateway.now_ms()
    state.awaited = {"fills"}
    for dex in state.dexes():
        state.awaited |= {f"orders:{dex}", f"account:{dex}"}
    for subscription in subscriptions(gateway):
        gateway.upstream.send(subscribe_frame(subscription))
    await asyncio.gather(token_marks(gateway), _snapshots(gateway))
    late = {what.partition(":")[2] for what in state.awaited if what != "fills"}
    fills = [_fills(gateway)] if "fills" in state.awaited else []
    await asyncio.gather(*fills, *(_dex(gateway, dex) for dex in sorted(late)))
    gateway.run(gateway.core.link_up(gateway.now_ms()))


async def _snapshots(gateway: Gateway) -> None:
    """Wait until all have come, or for as long as is sensible."""
    for _ in range(round(SNAPSHOTS_S / SNAPSHOTS_LOOK_S)):
        if not gateway.state.awaited:
            return
        await asyncio.sleep(SNAPSHOTS_LOOK_S)


async def _dex(gateway: Gateway, dex: str) -> None:
    """Positions and open orders of one DEX."""
    user = gateway.state.identity.address
    asked_ms = gateway.now_ms()
    raw, raw_orders = await asyncio.gather(
        _ask(gateway, {"type": "clearinghouseState", "user": user, "dex": dex}),
        _ask(gateway, {"type": "frontendOpenOrders", "user": user, "dex": dex}),
    )
    dex_state = decode_info(raw, ClearinghouseState)
    gateway.run(venue.take_account(gateway.state, dex, dex_state, gateway.now_ms()))
    rows = decode_info(raw_orders, tuple[FrontendOrder, ...])
    orders = tuple((row.coin, to_live(row)) for row in rows)
    now_ms = gateway.now_ms()
    gateway.run(venue.take_open_orders(gateway.state, dex, orders, asked_ms, now_ms))


async def _fills(gateway: Gateway) -> None:
    """Every fill since the last booked one, page by page (protocol 10.1)."""
    since_ms = max(gateway.state.bookings.last_fill_ms - FILLS_OVERLAP_MS, 0)
    user = gateway.state.identity.address
    while True:
        request = {"type": "userFillsByTime", "user": user, "startTime": since_ms}
        raw = await _ask(gateway, request)
        rows = decode_info(raw, tuple[WsFill, ...])
        raws = msgspec.json.decode(raw, type=list[msgspec.Raw])
        fills = tuple(to_fill(row) for row in rows)
        gateway.run(venue.take_fills(gateway.state, fills, raws, gateway.now_ms()))
        last_ms = max((row.time for row in rows), default=since_ms)
        if len(rows) < FILLS_PAGE or last_ms <= since_ms:
            return
        since_ms = last_ms


async def token_marks(gateway: Gateway) -> None:
    """What a collateral token is worth in USDC, by the mid of its spot market."""
    registry = gateway.state.registry
    assert registry is not None
    coins = {d.token: d.token_mark_coin for d in registry.dexes if d.token_mark_coin is not None}
    if not coins:
        return
    mids = decode_info(await _ask(gateway, {"type": "allMids"}), dict[str, str])
    for token, coin in coins.items():
        if coin in mids:
            gateway.state.account.token_marks[token] = float(mids[coin])


async def allowance(gateway: Gateway) -> None:
    """The account's lifetime allowance of requests."""
    user = gateway.state.identity.address
    held = gateway.state.allowance
    spent_then = held.spent_total
    raw = await _ask(gateway, {"type": "userRateLimit", "user": user})
    limit = decode_info(raw, UserRateLimit)
    told = Told(
        used=limit.n_requests_used,
        cap=limit.n_requests_cap,
        surplus=limit.n_requests_surplus,
        volume_usd=float(limit.cum_vlm),
    )
    held.told(told, spent_then=spent_then, now_ms=gateway.now_ms())


async def validity(gateway: Gateway) -> None:
    """For how long the API wallet may sign, and the account's mode."""
    user, state = gateway.state.identity.address, gateway.state
    raw = await _ask(gateway, {"type": "extraAgents", "user": user})
    rows = decode_info(raw, tuple[ExtraAgent, ...])
    gateway.run(cautions.key(state, rows, state.signer, gateway.now_ms()))
    told = decode_info(await _ask(gateway, {"type": "userAbstraction", "user": user}), str)
    gateway.run(cautions.mode(state, told))


async def listing(gateway: Gateway) -> None:
    """What the venue lists now; what of it changed is told, and may pause a market."""
    state = gateway.state
    for kind in ("perpDexs", "allPerpMetas", "spotMeta", "userFees"):
        state.weights.add(info_weight(kind), gateway.now_ms())
    found = await learn(gateway.http, state.identity.address)
    found = msgspec.structs.replace(found, limits=await _limits(gateway))
    gateway.run(gateway.core.refreshed(found, gateway.now_ms()))


async def _limits(gateway: Gateway) -> dict[str, PerpDexLimits]:
    """What each DEX that the fleet trades on bounds as a whole."""
    found: dict[str, PerpDexLimits] = {}
    for dex in sorted({dex_of(market) for market in gateway.state.markets} - {""}):
        raw = await _ask(gateway, {"type": "perpDexLimits", "dex": dex})
        limits = decode_info(raw, PerpDexLimits | None)  # type: ignore[arg-type]
        if limits is not None:
            found[dex] = limits
    return found


async def polls(gateway: Gateway, every_s: float = 30.0) -> None:
    """What is asked from time to time; a failure waits for the next round."""
    rounds = 0
    while True:
        if not gateway.state.link.ever:
            await asyncio.sleep(1.0)
            continue
        due = [token_marks, allowance]
        due += [validity] if rounds % VALIDITY_ROUNDS == 0 else []
        due += [listing] if rounds % LISTING_ROUNDS == LISTING_ROUNDS - 1 else []
        for poll in due:
            weight = LISTING_WEIGHT if poll is listing else POLL_WEIGHT
            if not gateway.state.weights.leaves_reserve(weight, gateway.now_ms()):
                continue
            try:
                await poll(gateway)
            except ExchangeError:
                continue
        rounds += 1
        await asyncio.sleep(every_s)


async def _ask(gateway: Gateway, request: Mapping[str, Any]) -> bytes:
    gateway.state.weights.add(info_weight(str(request["type"])), gateway.now_ms())
    return await gateway.http.info_raw(dict(request))
