"""Channels that carry state: what each shows at this moment, whole."""

import base64
import zlib
from typing import Final

import msgspec

from agents.market.types import Coin
from agents.sim import info_spot as spot
from agents.sim.outputs import UnknownRequest
from fleet.venue.candles import Candles
from fleet.venue.subscriptions import Json, Key
from fleet.venue.world import World

BOOK_FAST_LEVELS: Final = 5
BOOK_LEVELS: Final = 20
_RAW_DEFLATE: Final = -15


class States:
    """Data of one frame by key. An exchange that lacks a request shows the empty state."""

    def __init__(self, world: World, candles: Candles) -> None:
        self._world = world
        self._exchange = world.exchange
        self._candles = candles

    def data(self, key: Key, now_ms: int) -> object | None:
        """What the channel shows now; None if it has nothing to show."""
        if key.user:
            return self._of_user(key, now_ms)
        return self._of_market(key, now_ms) if key.coin else self._of_venue(key, now_ms)

    def _of_market(self, key: Key, now_ms: int) -> object | None:
        coin = Coin(key.coin)
        if key.coin in spot.COINS:
            return _of_spot(key, now_ms)
        match key.type:
            case "candle":
                return self._candles.row(key.coin, key.interval, now_ms)
            case "l2Book":
                depth = BOOK_FAST_LEVELS if key.fast else BOOK_LEVELS
                data = self._exchange.l2(coin, depth, key.figures, key.mantissa)
                if key.fast:
                    data["fast"] = True
            case "bbo":
                data = self._exchange.bbo(coin)
            case _:
                return {"coin": coin, "ctx": self._exchange.ctx(coin)}
        book_ms = self._world.book_ms(coin)
        if book_ms is not None:
            data["time"] = book_ms
        return data

    def _of_venue(self, key: Key, now_ms: int) -> object:
        match key.type:
            case "allMids":
                mids = self._ask("allMids", now_ms, dex=key.dex)
                return {"dex": key.dex, "mids": mids} if key.dex else {"mids": mids}
            case "assetCtxs":
                return {"dex": key.dex, "ctxs": self._ctxs(key.dex)}
            case "spotAssetCtxs":
                return spot.spot_ctxs()
            case "fastAssetCtxs":
                prices = {
                    coin: {name: ctx[name] for name in ("markPx", "midPx") if name in ctx}
                    for coin in self._world.universe.listings
                    for ctx in [self._exchange.ctx(Coin(coin))]
                }
                squeezer = zlib.compressobj(wbits=_RAW_DEFLATE)
                raw = squeezer.compress(msgspec.json.encode(prices)) + squeezer.flush()
                return base64.b64encode(raw).decode()
            case _:
                names = sorted(dex.name for dex in self._world.universe.dexes if dex.assets)
                return {"ctxs": [[name, self._ctxs(name)] for name in names]}

    def _of_user(self, key: Key, now_ms: int) -> object:  # noqa: PLR0911  a channel a line
        user, dex = key.user, key.dex
        match key.type:
            case "openOrders":
                orders = self._ask("frontendOpenOrders", now_ms, user=user, dex=dex)
                return {"dex": dex, "user": user, "orders": orders}
            case "clearinghouseState":
                return {"dex": dex, "user": user, key.type: self._account(user, dex, now_ms)}
            case "allDexsClearinghouseState":
                names = sorted(self._world.universe.by_dex)
                states = [[name, self._account(user, name, now_ms)] for name in names]
                return {"user": user, "clearinghouseStates": states}
            case "activeAssetData":
                return self._ask(key.type, now_ms, user=user, coin=key.coin)
            case "spotState":
                held = self._ask("spotClearinghouseState", now_ms, user=user)
                return {"user": user, "spotState": held}
            case "twapStates":
                return {"dex": dex, "user": user, "states": []}
            case "webData3":
                return self._web_data_3(user, now_ms)
            case _:
                return self._web_data_2(user, now_ms)

    def _web_data_3(self, user: str, now_ms: int) -> Json:
        state: Json = {
            "agentAddress": None,
            "agentValidUntil": None,
            "cumLedger": "0.0",
            "serverTime": now_ms,
            "isVault": False,
            "user": user,
        }
        dexes = []
        for dex in self._world.universe.dexes:
            shown: Json = {"totalVaultEquity": "0.0"}
            capped = self._ask("perpsAtOpenInterestCap", now_ms, dex=dex.name)
            dexes.append(shown | {"perpsAtOpenInterestCap": capped} if capped else shown)
        return {"userState": state, "perpDexStates": dexes}

    def _web_data_2(self, user: str, now_ms: int) -> Json:
        return {
            "clearinghouseState": self._account(user, "", now_ms),
            "leadingVaults": [],
            "totalVaultEquity": "0.0",
            "openOrders": self._ask("frontendOpenOrders", now_ms, user=user),
            "agentAddress": None,
            "agentValidUntil": None,
            "cumLedger": "0.0",
            "meta": self._ask("meta", now_ms),
            "assetCtxs": self._ctxs(""),
            "serverTime": now_ms,
            "isVault": False,
            "user": user,
            "twapStates": [],
            "spotState": self._ask("spotClearinghouseState", now_ms, user=user),
            "spotAssetCtxs": spot.spot_ctxs(),
            "perpsAtOpenInterestCap": self._ask("perpsAtOpenInterestCap", now_ms),
        }

    def _account(self, user: str, dex: str, now_ms: int) -> object:
        return self._ask("clearinghouseState", now_ms, user=user, dex=dex)

    def _ctxs(self, dex: str) -> list[object]:
        assets = self._world.universe.by_dex[dex].assets
        return [self._exchange.ctx(Coin(asset.name)) for asset in assets]

    def _ask(self, kind: str, now_ms: int, **fields: object) -> object:
        return self._exchange.info({"type": kind, **fields}, now_ms)


def _of_spot(key: Key, now_ms: int) -> object | None:
    """A pair that nobody trades: an empty book, no candle."""
    match key.type:
        case "l2Book":
            return spot.book(key.coin, now_ms)
        case "bbo":
            return spot.bbo(key.coin, now_ms)
        case "activeSpotAssetCtx":
            return {"coin": key.coin, "ctx": spot.spot_ctx(key.coin)}
        case _:
            return None


def rows(world: World, kind: str, user: str, now_ms: int) -> list[object]:
    """The newest rows of an account's list; none where the exchange keeps no such list."""
    request: Json = {"type": kind, "user": user}
    if kind in {"userFunding", "userNonFundingLedgerUpdates"}:
        request["startTime"] = 0
    try:
        found = world.exchange.info(request, now_ms)
    except UnknownRequest:
        return []
    return found if isinstance(found, list) else []
