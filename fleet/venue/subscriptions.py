"""What a client may subscribe to: a request becomes its canonical form and the key of a feed."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from agents.sim import info_spot as spot
from agents.sim.universe import Universe

Json = dict[str, object]


class Key(NamedTuple):
    """Names a feed: all subscribers of equal keys get the same bytes."""

    type: str
    coin: str = ""
    user: str = ""
    dex: str = ""
    figures: int | None = None
    mantissa: int | None = None
    fast: bool = False
    interval: str = ""


class NotARequest(Exception):
    """The subscription's type or shape is unknown: ``Error parsing JSON …``."""


class Invalid(Exception):
    """Well-formed, but names something that does not exist: ``Invalid subscription …``."""


INTERVALS: Final = frozenset(
    ["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d", "1w", "1M"]
)
Scope = Literal["coin", "user", "user+dex", "user+coin", "dex", "none"]
_SCOPES: Final[Mapping[str, Scope]] = {
    "allMids": "dex",
    "l2Book": "coin",
    "bbo": "coin",
    "trades": "coin",
    "activeAssetCtx": "coin",
    "orderUpdates": "user",
    "userFills": "user",
    "userEvents": "user",
    "userFundings": "user",
    "openOrders": "user+dex",
    "clearinghouseState": "user+dex",
    "allDexsClearinghouseState": "user",
    "candle": "coin",
    "allDexsAssetCtxs": "none",
    "assetCtxs": "dex",
    "fastAssetCtxs": "none",
    "spotAssetCtxs": "none",
    "activeAssetData": "user+coin",
    "userNonFundingLedgerUpdates": "user",
    "userHistoricalOrders": "user",
    "userTwapHistory": "user",
    "userTwapSliceFills": "user",
    "spotState": "user",
    "twapStates": "user+dex",
    "notification": "user",
    "webData2": "user",
    "webData3": "user",
}
SPOT_KINDS: Final = {"activeAssetCtx": "activeSpotAssetCtx"}


def parse(request: object, universe: Universe) -> tuple[Key, Json]:
    """The key and the canonical subscription, as the venue echoes it. Raises the two above."""
    if not isinstance(request, dict):
        raise NotARequest
    kind = request.get("type")
    kind = "userEvents" if kind == "user" else kind
    scope = _SCOPES.get(kind) if isinstance(kind, str) else None
    if scope is None or not isinstance(kind, str):
        raise NotARequest
    canonical: Json = {"type": kind}
    match scope:
        case "coin":
            return _market(kind, request, canonical, universe)
        case "none":
            return Key(kind), canonical
        case "user" | "user+dex" | "user+coin":
            return _account(kind, request, canonical, universe)
        case _:
            dex = _dex(request, universe, canonical)
            if dex or kind == "assetCtxs":
                canonical["dex"] = dex
            return Key(kind, dex=dex), canonical


def _market(kind: str, request: Json, canonical: Json, universe: Universe) -> tuple[Key, Json]:
    coin = canonical["coin"] = _text(request, "coin")
    key = Key(kind, coin=coin)
    if kind == "l2Book":
        figures, mantissa = _integer(request, "nSigFigs"), _integer(request, "mantissa")
        fast = request.get("fast") is True
        canonical |= {"nSigFigs": figures, "mantissa": mantissa, "fast": fast}
        if figures not in {None, 2, 3, 4, 5} or mantissa not in {None, 1, 2, 5}:
            raise Invalid(canonical)
        if mantissa is not None and figures != 5:
            raise Invalid(canonical)
        key = key._replace(figures=figures, mantissa=mantissa, fast=fast)
    if kind == "candle":
        interval = canonical["interval"] = _text(request, "interval")
        if interval not in INTERVALS:
            raise NotARequest
        key = key._replace(interval=interval)
    if coin in spot.COINS:
        return (key._replace(type=SPOT_KINDS.get(kind, kind)), canonical)
    if coin not in universe.listings:
        raise Invalid(canonical)
    return key, canonical


def _account(kind: str, request: Json, canonical: Json, universe: Universe) -> tuple[Key, Json]:
    user = canonical["user"] = _text(request, "user").lower()
    if len(user) != 42 or not user.startswith("0x"):
        raise NotARequest
    if kind == "userFills":
        canonical["aggregateByTime"] = request.get("aggregateByTime") is True
    if kind == "spotState":
        canonical["ignorePortfolioMargin"] = request.get("ignorePortfolioMargin") is True
    if _SCOPES[kind] == "user+coin":
        coin = canonical["coin"] = _text(request, "coin")
        if coin not in universe.listings:
            raise Invalid(canonical)
        return Key(kind, user=user, coin=coin), canonical
    if _SCOPES[kind] == "user":
        return Key(kind, user=user), canonical
    dex = canonical["dex"] = _dex(request, universe, canonical)
    return Key(kind, user=user, dex=dex), canonical


def _text(request: Json, key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str):
        raise NotARequest
    return value


def _integer(request: Json, key: str) -> int | None:
    value = request.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise NotARequest
    return value


def _dex(request: Json, universe: Universe, canonical: Json) -> str:
    dex = request.get("dex") or ""
    if not isinstance(dex, str):
        raise NotARequest
    if dex not in universe.by_dex:
        raise Invalid(canonical | {"dex": dex})
    return dex
